{{ config(materialized='by_month', tells_late=true) }}
with spine as (

    select * from {{ ref('int_customer_months_spined') }}
    where {{ is_needed('month_number') }}

),

margins as (

    select * from {{ ref('int_customer_margins_measured') }}
    where {{ is_needed('month_number', parameter_value('margin_mean_months')) }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}
    where {{ is_needed('month_number', parameter_value('trend_months')) }}

),

windows as (

    {{ named_parameters([
        'margin_mean_months', 'trend_months', 'trend_minimum_months',
    ]) }}

),

bounds as (

    {{ named_parameters(['trend_min', 'trend_max'], type='double') }}

),

accumulated as (

    {{ margins_summed_over('windows', 'margin_mean_months') }}

),

averaged as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        {{ average_revenue(
            'accumulated.window_margin',
            'revenue.months_existing',
            'windows.margin_mean_months',
        ) }} as mean_margin,
        case
            when revenue.months_existing >= windows.trend_minimum_months
                then revenue.avg_revenue_3m
        end as recent_revenue,
        revenue_before.avg_revenue_3m as earlier_revenue
    from spine
    cross join windows
    inner join accumulated
        on
            spine.customer_id = accumulated.customer_id
            and spine.month_number = accumulated.month_number
            and accumulated.is_month
    left join revenue
        on
            spine.customer_id = revenue.customer_id
            and spine.month_number = revenue.month_number
    left join revenue as revenue_before
        on
            spine.customer_id = revenue_before.customer_id
            and spine.month_number - windows.trend_months = revenue_before.month_number

),

final as (

    select
        averaged.customer_id,
        averaged.month,
        averaged.month_number,
        averaged.mean_margin,
        case
            when averaged.recent_revenue > 0 and averaged.earlier_revenue > 0
                then least(
                    greatest(
                        power(
                            {{ share_of(
                                'averaged.recent_revenue', 'averaged.earlier_revenue'
                            ) }},
                            1.0 / windows.trend_months
                        ),
                        bounds.trend_min
                    ),
                    bounds.trend_max
                )
            else 1
        end as monthly_trend
    from averaged
    cross join windows
    cross join bounds

)

select * from final
