{{ config(materialized='by_month', month='month_number', in_parts=false) }}
with policies as (

    select * from {{ ref('int_tier_policies_dated') }}
    where metric = 'avg_revenue' and not is_left_out

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}

),

windows as (

    select distinct window_months
    from policies

),

window_offsets as (

    {{ number_series(
        '0',
        '(select coalesce(max(window_months), 1) - 1 from policies)'
    ) }}

),

-- A month's revenue counts in its own window and in those of the months that follow, so
-- windows of any length are sums over equal months.
final as (

    select
        windows.window_months,
        revenue.customer_id,
        months.month_number,
        {{ sum_money('revenue.revenue') }} as revenue
    from revenue
    cross join window_offsets
    inner join windows on window_offsets.number < windows.window_months
    inner join months
        on revenue.month_number + window_offsets.number = months.month_number
    where
        {{ is_needed(
            'revenue.month_number', '(select max(window_months) from windows)'
        ) }}
    group by
        windows.window_months,
        revenue.customer_id,
        months.month_number

)

select * from final
