{{ config(materialized='by_month', tells_late=true) }}
with revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}
    where {{ is_needed('month_number') }}

),

movements as (

    select * from {{ ref('int_customer_revenue_moved') }}
    where {{ is_needed('month') }}

),

activity as (

    select * from {{ ref('int_customer_activity_counted') }}
    where {{ is_needed('month') }}

),

receivables as (

    select * from {{ ref('int_customer_receivables_graded') }}
    where {{ is_needed('month_number') }}

),

exposures as (

    select * from {{ ref('int_customer_exposures_listed') }}
    where {{ is_needed('month') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

-- Every month in which a customer can have any figure is a row of the averages.
customer_months as (

    select
        customer_versions.region_code as local_code,
        revenue.month,
        coalesce(activity.active_subscriptions, 0) as active_subscriptions,
        coalesce(activity.active_accounts, 0) as active_accounts,
        revenue.revenue,
        movements.won_revenue,
        movements.kept_revenue,
        movements.grown_revenue,
        case when exposures.customer_id is not null then revenue.avg_revenue_3m end
            as exposed_revenue,
        receivables.overdue_amount
    from revenue
    inner join customer_versions
        on
            revenue.customer_id = customer_versions.customer_id
            and revenue.month_number >= customer_versions.month_from_number
            and revenue.month_number < customer_versions.month_to_number
    left join activity
        on
            revenue.customer_id = activity.customer_id
            and revenue.month = activity.month
    left join movements
        on
            revenue.customer_id = movements.customer_id
            and revenue.month = movements.month
    left join exposures
        on
            revenue.customer_id = exposures.customer_id
            and revenue.month = exposures.month
    left join receivables
        on
            revenue.customer_id = receivables.customer_id
            and revenue.month = receivables.month

),

final as (

    select
        local_code,
        month,
        count(case when active_subscriptions > 0 then 1 end) as customers,
        cast(sum(active_subscriptions) as bigint) as active_subscriptions,
        cast(sum(active_accounts) as bigint) as active_accounts,
        {{ sum_money('revenue') }} as revenue,
        {{ sum_money('won_revenue') }} as revenue_won,
        {{ sum_money('kept_revenue') }} as revenue_kept,
        {{ sum_money('grown_revenue') }} as revenue_grown,
        {{ sum_money('exposed_revenue') }} as complaint_exposure,
        {{ sum_money('overdue_amount') }} as overdue_amount
    from customer_months
    group by local_code, month

)

select * from final
