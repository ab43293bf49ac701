-- Months whose movements do not add up to the change of revenue since the month before.
with revenue as (

    select
        month,
        sum(revenue) as revenue
    from {{ ref('fct_revenue_monthly') }}
    group by month

),

movements as (

    select
        month,
        sum(change) as change
    from {{ ref('fct_revenue_movement') }}
    group by month

),

compared as (

    select
        months.month,
        coalesce(revenue.revenue, 0) - coalesce(revenue_before.revenue, 0)
            as difference,
        coalesce(movements.change, 0) as change
    from {{ ref('int_months_numbered') }} as months
    left join revenue on months.month = revenue.month
    left join revenue as revenue_before
        on months.month = {{ add_months('revenue_before.month', 1) }}
    left join movements on months.month = movements.month

)

select * from compared
where difference <> change
