with activity as (

    select * from {{ ref('int_customer_activity_counted') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}
    where revenue > 0

),

usage_months as (

    select * from {{ ref('int_usage_deduplicated') }}

),

subscriptions as (

    select * from {{ ref('int_subscriptions_latest') }}

),

owners as (

    select * from {{ ref('int_account_owners_ranged') }}

),

-- Months that the usage feed does not cover have no rows here: revenue decides alone.
used_subscriptions as (

    select
        subscription_id,
        {{ month_number('usage_month') }} as month_number
    from usage_months
    where
        voice_minutes > 0
        or data_mb > 0
        or sms_count > 0
        or active_days > 0

),

used_months as (

    select distinct
        owners.customer_id,
        used_subscriptions.month_number
    from used_subscriptions
    inner join subscriptions
        on used_subscriptions.subscription_id = subscriptions.subscription_id
    inner join owners
        on
            subscriptions.account_id = owners.account_id
            and used_subscriptions.month_number >= owners.month_from_number
            and used_subscriptions.month_number < owners.month_to_number

),

silent_months as (

    select
        activity.customer_id,
        activity.month_number
    from activity
    inner join months on activity.month_number = months.month_number
    left join revenue
        on
            activity.customer_id = revenue.customer_id
            and activity.month_number = revenue.month_number
    left join used_months
        on
            activity.customer_id = used_months.customer_id
            and activity.month_number = used_months.month_number
    where
        revenue.customer_id is null
        and used_months.customer_id is null

),

-- Months in a row have the same distance to their place in the customer's order.
stretches as (

    select
        customer_id,
        month_number,
        month_number - row_number() over (
            partition by customer_id order by month_number
        ) as stretch_number
    from silent_months

),

final as (

    select
        customer_id,
        month_number,
        row_number() over (
            partition by customer_id, stretch_number order by month_number
        ) as silent_months
    from stretches

)

select * from final
