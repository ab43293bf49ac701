with subscription_versions as (

    select * from {{ ref('int_subscriptions_deduplicated') }}

),

accounts as (

    select * from {{ ref('int_accounts_latest') }}

),

products as (

    select * from {{ ref('products') }}

),

contracts as (

    select distinct contract_id from {{ ref('int_contracts_deduplicated') }}

),

held_versions as (

    select subscription_versions.*
    from subscription_versions
    inner join accounts on subscription_versions.account_id = accounts.account_id

),

latest as (

    {{ latest_version('held_versions', 'subscription_id') }}

),

final as (

    select
        latest.subscription_id,
        latest.account_id,
        coalesce(products.product_code, 'UNKNOWN') as product_code,
        contracts.contract_id,
        latest.activated_on,
        latest.deactivated_on,
        latest.deactivation_reason
    from latest
    left join products on latest.product_code = products.product_code
    left join contracts on latest.contract_id = contracts.contract_id

)

select * from final
