{{ config(materialized='by_month') }}
with usage_months as (

    select * from {{ ref('int_usage_deduplicated') }}
    where {{ is_needed('usage_month') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_latest') }}

),

account_owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

final as (

    select
        account_owners.customer_id,
        months.month,
        months.month_number,
        cast(sum(usage_months.voice_minutes) as decimal(18, 2)) as voice_minutes,
        cast(sum(usage_months.data_mb) as decimal(18, 2)) as data_mb,
        cast(max(usage_months.active_days) as bigint) as active_days
    from usage_months
    inner join months on usage_months.usage_month = months.month
    inner join subscriptions
        on usage_months.subscription_id = subscriptions.subscription_id
    inner join account_owners
        on
            subscriptions.account_id = account_owners.account_id
            and months.month_number >= account_owners.month_from_number
            and months.month_number < account_owners.month_to_number
    group by account_owners.customer_id, months.month, months.month_number

)

select * from final
