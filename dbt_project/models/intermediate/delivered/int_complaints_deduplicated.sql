{{ config(materialized='view') }}

{{ latest_delivered(ref('stg_complaint__complaints')) }}
