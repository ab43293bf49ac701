with activity as (

    select * from {{ ref('int_customer_activity_counted') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

-- Who was active at the end of the month before, and where it was served then.
active_before as (

    select
        activity.customer_id,
        customer_versions.region_code as local_code,
        months.month,
        months.month_number,
        case when revenue.avg_revenue_3m > 0 then revenue.avg_revenue_3m else 0 end
            as revenue_weight
    from activity
    inner join months on activity.month_number + 1 = months.month_number
    inner join customer_versions
        on
            activity.customer_id = customer_versions.customer_id
            and activity.month_number >= customer_versions.month_from_number
            and activity.month_number < customer_versions.month_to_number
    left join revenue
        on
            activity.customer_id = revenue.customer_id
            and activity.month_number = revenue.month_number
    where activity.active_subscriptions > 0

),

active_now as (

    select
        customer_id,
        month_number
    from activity
    where active_subscriptions > 0

),

final as (

    select
        active_before.local_code,
        active_before.month,
        count(*) as customers_before,
        count(case when active_now.customer_id is null then 1 end) as customers_left,
        {{ sum_money('active_before.revenue_weight') }} as revenue_at_stake,
        {{ sum_money(
            'case when active_now.customer_id is null '
            'then active_before.revenue_weight else 0 end'
        ) }} as revenue_left
    from active_before
    left join active_now
        on
            active_before.customer_id = active_now.customer_id
            and active_before.month_number = active_now.month_number
    group by active_before.local_code, active_before.month

)

select * from final
