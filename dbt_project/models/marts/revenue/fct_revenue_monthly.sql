{{ config(materialized='by_month') }}
with charges as (

    select * from {{ ref('int_charges_summed') }}
    where {{ is_needed('month_number') }}

),

account_activity as (

    select * from {{ ref('int_account_activity_counted') }}
    where {{ is_needed('month_number') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

charged as (

    select
        customer_id,
        account_id,
        product_code,
        month_number,
        {{ sum_money('revenue') }} as revenue,
        {{ sum_money('recurring_revenue') }} as recurring_revenue,
        {{ sum_money('usage_revenue') }} as usage_revenue,
        {{ sum_money('one_off_revenue') }} as one_off_revenue,
        {{ sum_money('discount') }} as discount,
        {{ sum_money('adjustment') }} as adjustment,
        {{ sum_money('unitemised_revenue') }} as unitemised_revenue
    from charges
    group by customer_id, account_id, product_code, month_number

),

active as (

    select * from account_activity
    where active_subscriptions > 0

),

combined as (

    select
        coalesce(charged.customer_id, active.customer_id) as customer_id,
        coalesce(charged.account_id, active.account_id) as account_id,
        coalesce(charged.product_code, active.product_code) as product_code,
        coalesce(charged.month_number, active.month_number) as month_number,
        coalesce(charged.revenue, 0) as revenue,
        coalesce(charged.recurring_revenue, 0) as recurring_revenue,
        coalesce(charged.usage_revenue, 0) as usage_revenue,
        coalesce(charged.one_off_revenue, 0) as one_off_revenue,
        coalesce(charged.discount, 0) as discount,
        coalesce(charged.adjustment, 0) as adjustment,
        coalesce(charged.unitemised_revenue, 0) as unitemised_revenue,
        coalesce(active.active_subscriptions, 0) as active_subscriptions
    from charged
    full outer join active
        on
            charged.customer_id = active.customer_id
            and charged.account_id = active.account_id
            and charged.product_code = active.product_code
            and charged.month_number = active.month_number

),

final as (

    select
        combined.customer_id,
        combined.account_id,
        combined.product_code,
        months.month,
        combined.revenue,
        combined.recurring_revenue,
        combined.usage_revenue,
        combined.one_off_revenue,
        combined.discount,
        combined.adjustment,
        combined.unitemised_revenue,
        combined.active_subscriptions
    from combined
    inner join months on combined.month_number = months.month_number

)

select * from final
