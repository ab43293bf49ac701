{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_customer__contracts'), ['contract_id', 'updated_at']) }}
