{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_customer__contacts')) }}
