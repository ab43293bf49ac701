{{ config(materialized='view') }}

{{ latest_delivered(
    ref('stg_customer__subscriptions'),
    ['subscription_id', 'updated_at']
) }}
