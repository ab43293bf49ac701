{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_customer__customers'), ['customer_id', 'updated_at']) }}
