{{ config(materialized='view') }}

{{ latest_delivered(
    ref('stg_billing__service_costs'),
    ['cost_month', 'product_code', 'region_code']
) }}
