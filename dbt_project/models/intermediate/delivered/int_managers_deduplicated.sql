{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_customer__managers'), ['manager_id', 'updated_at']) }}
