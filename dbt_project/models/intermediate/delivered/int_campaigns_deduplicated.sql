{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_customer__campaigns'), ['campaign_id', 'updated_at']) }}
