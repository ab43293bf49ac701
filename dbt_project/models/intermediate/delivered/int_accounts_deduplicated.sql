{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_customer__accounts'), ['account_id', 'updated_at']) }}
