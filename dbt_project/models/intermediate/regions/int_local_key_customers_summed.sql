{{ config(materialized='by_month', tells_churn=true) }}
with kinds as (

    select * from {{ ref('int_customer_kinds_assigned') }}
    where
        segment = 'key'
        and {{ is_needed('month_number') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}
    where {{ is_needed('month_number') }}

),

activity as (

    select * from {{ ref('int_customer_activity_counted') }}
    where {{ is_needed('month_number') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

final as (

    select
        customer_versions.region_code as local_code,
        revenue.month,
        count(case when activity.active_subscriptions > 0 then 1 end)
            as key_customers,
        {{ sum_money('revenue.revenue') }} as key_revenue
    from kinds
    inner join revenue
        on
            kinds.customer_id = revenue.customer_id
            and kinds.month_number = revenue.month_number
    inner join customer_versions
        on
            kinds.customer_id = customer_versions.customer_id
            and kinds.month_number >= customer_versions.month_from_number
            and kinds.month_number < customer_versions.month_to_number
    left join activity
        on
            kinds.customer_id = activity.customer_id
            and kinds.month_number = activity.month_number
    group by customer_versions.region_code, revenue.month

)

select * from final
