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

-- The months join the sums: before, they would be spread over all subscriptions.
summed as (

    select
        account_owners.customer_id,
        {{ month_number('usage_months.usage_month') }} as month_number,
        cast(sum(usage_months.voice_minutes) as decimal(18, 2)) as voice_minutes,
        cast(sum(usage_months.data_mb) as decimal(18, 2)) as data_mb,
        cast(max(usage_months.active_days) as bigint) as active_days
    from usage_months
    inner join subscriptions
        on usage_months.subscription_id = subscriptions.subscription_id
    inner join account_owners
        on
            subscriptions.account_id = account_owners.account_id
            and {{ month_number('usage_months.usage_month') }}
            >= account_owners.month_from_number
            and {{ month_number('usage_months.usage_month') }}
            < account_owners.month_to_number
    group by
        account_owners.customer_id,
        {{ month_number('usage_months.usage_month') }}

),

final as (

    select
        summed.customer_id,
        months.month,
        summed.month_number,
        summed.voice_minutes,
        summed.data_mb,
        summed.active_days
    from summed
    inner join months on summed.month_number = months.month_number

)

select * from final
