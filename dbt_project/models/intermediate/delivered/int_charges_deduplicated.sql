{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_billing__charges')) }}
