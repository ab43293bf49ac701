{{ config(materialized='view') }}

with account_versions as (

    select * from {{ ref('int_accounts_deduplicated') }}

),

customers as (

    select distinct customer_id from {{ ref('int_customers_deduplicated') }}

),

final as (

    select account_versions.*
    from account_versions
    inner join customers on account_versions.customer_id = customers.customer_id

)

select * from final
