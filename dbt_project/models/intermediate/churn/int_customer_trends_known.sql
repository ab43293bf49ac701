{{ config(materialized='by_month', month='month_number', in_parts=false) }}
{%- set measures = ['revenue', 'voice_minutes', 'data_mb'] -%}
{%- set window = (
    'greatest(2 * ' ~ parameter_value('trend_months') ~ ', '
    ~ parameter_value('churn_drop_months') ~ ')'
) -%}
-- Columns made in loops: the linter sees the loop's own breaks as wrong indents.
-- noqa: disable=LT02
with spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

charges as (

    select * from {{ ref('int_charges_summed') }}

),

usage_months as (

    select * from {{ ref('int_customer_usage_summed') }}

),

feeds as (

    select * from {{ ref('int_feeds_covered') }}
    where feed = 'usage'

),

parameters as (

    {{ named_parameters(['trend_months', 'churn_drop_months']) }}

),

-- A bill is known from the month it is issued: the last bill of a customer who
-- leaves on the first of a month carries the corrections of the departure, for the
-- month before.
charges_known as (

    select
        customer_id,
        product_code,
        greatest(month_number, issued_month_number) as month_number,
        revenue
    from charges

),

product_months as (

    select
        customer_id,
        product_code,
        month_number,
        {{ sum_money('revenue') }} as revenue
    from charges_known
    where {{ is_needed('month_number', window) }}
    group by customer_id, product_code, month_number

),

product_medians as (

    select
        product_code,
        month_number,
        {{ median_money('revenue') }} as median_revenue
    from product_months
    where revenue > 0
    group by product_code, month_number

),

bills as (

    select
        product_months.customer_id,
        product_months.month_number,
        {{ sum_money('product_months.revenue') }} as revenue,
        {{ sum_money(
            'case when product_months.revenue > 0 then product_months.revenue end'
        ) }} as charged,
        {{ sum_money(
            'case when product_months.revenue > 0 then product_medians.median_revenue end'
        ) }} as usual
    from product_months
    left join product_medians
        on
            product_months.product_code = product_medians.product_code
            and product_months.month_number = product_medians.month_number
    group by product_months.customer_id, product_months.month_number

),

first_bills as (

    select
        customer_id,
        min(month_number) as month_number
    from charges_known
    group by customer_id

),

first_months as (

    select
        customer_id,
        min(month_number) as month_number
    from spine
    group by customer_id

),

monthly as (

    select
        spine.customer_id,
        spine.month_number,
        spine.month_number - spine.first_active_month_number + 1 as months_active,
        spine.month_number - first_bills.month_number + 1 as months_billed,
        first_months.month_number as first_number,
        bills.charged,
        bills.usual,
        coalesce(bills.revenue, 0) as revenue,
        coalesce(usage_months.voice_minutes, 0) as voice_minutes,
        coalesce(usage_months.data_mb, 0) as data_mb
    from spine
    inner join first_months on spine.customer_id = first_months.customer_id
    left join first_bills on spine.customer_id = first_bills.customer_id
    left join bills
        on
            spine.customer_id = bills.customer_id
            and spine.month_number = bills.month_number
    left join usage_months
        on
            spine.customer_id = usage_months.customer_id
            and spine.month_number = usage_months.month_number
    where {{ is_needed('spine.month_number', window) }}

),

-- Running totals: any window is the difference of two of them. A customer's months can
-- have a gap; a window that begins inside it is not measured. Differences of 18 digits
-- cost a fraction of those of the 38 that a sum has.
accumulated as (

    select
        monthly.*,
        {%- for measure in measures %}
        cast(
            sum(monthly.{{ measure }}) over (
                partition by monthly.customer_id
                order by monthly.month_number
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as total_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from monthly

),

windowed as (

    select
        accumulated.customer_id,
        accumulated.month_number,
        accumulated.charged,
        accumulated.usual,
        accumulated.revenue,
        case
            when
                accumulated.months_billed >= parameters.churn_drop_months
                and (
                    drop_before.month_number is not null
                    or accumulated.month_number - parameters.churn_drop_months
                    < accumulated.first_number
                )
                then {{ mean_money(
                    'accumulated.total_revenue - coalesce(drop_before.total_revenue, 0)',
                    'parameters.churn_drop_months',
                ) }}
        end as mean_revenue,
        {%- for measure in measures %}
        accumulated.total_{{ measure }} - half_before.total_{{ measure }}
            as recent_{{ measure }},
        half_before.total_{{ measure }} - coalesce(whole_before.total_{{ measure }}, 0)
            as earlier_{{ measure }},
        {%- endfor %}
        accumulated.months_billed >= 2 * parameters.trend_months as has_revenue_trend,
        whole_before.month_number is not null
        or accumulated.month_number - 2 * parameters.trend_months
        < accumulated.first_number as has_whole_window,
        accumulated.months_active >= 2 * parameters.trend_months
        and accumulated.month_number - 2 * parameters.trend_months + 1
        >= feeds.first_month_number
        and accumulated.month_number <= feeds.last_month_number as has_usage_trend
    from accumulated
    cross join parameters
    left join feeds on 1 = 1
    left join accumulated as half_before
        on
            accumulated.customer_id = half_before.customer_id
            and accumulated.month_number - parameters.trend_months
            = half_before.month_number
    left join accumulated as whole_before
        on
            accumulated.customer_id = whole_before.customer_id
            and accumulated.month_number - 2 * parameters.trend_months
            = whole_before.month_number
    left join accumulated as drop_before
        on
            accumulated.customer_id = drop_before.customer_id
            and accumulated.month_number - parameters.churn_drop_months
            = drop_before.month_number

),

changed as (

    select
        customer_id,
        month_number,
        {%- for measure in measures %}
        case
            when has_whole_window and earlier_{{ measure }} > 0
                then {{ share_of('recent_' ~ measure, 'earlier_' ~ measure) }} - 1
        end as change_of_{{ measure }},
        {%- endfor %}
        charged,
        usual,
        revenue,
        mean_revenue,
        has_revenue_trend,
        has_usage_trend
    from windowed

),

final as (

    select
        customer_id,
        month_number,
        mean_revenue,
        case when has_revenue_trend then change_of_revenue end as revenue_trend,
        case
            when mean_revenue > 0
                then greatest(
                    0, least(1, 1 - {{ share_of('revenue', 'mean_revenue') }})
                )
        end as revenue_drop_share,
        case
            when has_usage_trend
                then (
                    coalesce(change_of_voice_minutes, change_of_data_mb)
                    + coalesce(change_of_data_mb, change_of_voice_minutes)
                ) / 2
        end as usage_trend,
        {{ share_of('charged', 'usual') }} - 1 as charge_level
    from changed

)

select * from final
