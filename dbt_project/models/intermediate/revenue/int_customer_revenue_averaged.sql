{{ config(materialized='by_month', in_parts=false) }}
{%- set windows = [3, 6] -%}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_summed') }}

),

customers as (

    select * from {{ ref('int_customers_started') }}

),

first_run_month as (

    select min(month_number) as month_number
    from months

),

-- The month from which a customer's months exist: there is no revenue to average before
-- the first invoice month, whoever was a customer then.
starts as (

    select
        customers.customer_id,
        case
            when customers.first_active_month_number < first_run_month.month_number
                then first_run_month.month_number
            else customers.first_active_month_number
        end as start_month_number
    from customers
    cross join first_run_month

),

months_existing as (

    select
        starts.customer_id,
        months.month,
        months.month_number,
        months.month_number - starts.start_month_number + 1 as months_existing
    from starts
    inner join months on starts.start_month_number <= months.month_number

),

-- A payment can come before the first activation, or without any: the month is there,
-- with nothing to average.
months_before as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        cast(0 as bigint) as months_existing
    from spine
    left join starts on spine.customer_id = starts.customer_id
    where
        starts.start_month_number is null
        or spine.month_number < starts.start_month_number

),

customer_months as (

    select * from months_existing
    union all
    select * from months_before

),

monthly as (

    select
        customer_months.customer_id,
        customer_months.month,
        customer_months.month_number,
        customer_months.months_existing,
        coalesce(revenue.revenue, 0) as revenue,
        coalesce(revenue.billed_amount, 0) as billed_amount
    from customer_months
    left join revenue
        on
            customer_months.customer_id = revenue.customer_id
            and customer_months.month = revenue.month
    where
        {{ is_needed(
            'customer_months.month_number', windows | max - 1
        ) }}

),

windowed as (

    select
        customer_id,
        month,
        month_number,
        months_existing,
        revenue,
        {%- for window in windows %}
        sum(revenue) over (
            partition by customer_id
            order by month_number
            range between {{ window - 1 }} preceding and current row
        ) as revenue_{{ window }}m,
        {%- endfor %}
        billed_amount
    from monthly

),

final as (

    select
        customer_id,
        month,
        month_number,
        months_existing,
        revenue,
        {%- for window in windows %}
        {{ average_revenue('revenue_' ~ window ~ 'm', 'months_existing', window) }}
            as avg_revenue_{{ window }}m,
        {%- endfor %}
        billed_amount
    from windowed

)

select * from final
