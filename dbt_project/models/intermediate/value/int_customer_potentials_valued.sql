with spine as (

    select * from {{ ref('int_customer_months_spined') }}

),

margins as (

    select * from {{ ref('int_customer_margins_measured') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue_averaged') }}

),

risks as (

    select * from {{ ref('int_customer_churn_scored') }}

),

windows as (

    {{ named_parameters([
        'margin_mean_months',
        'trend_months',
        'trend_minimum_months',
        'value_horizon_months',
        'churn_horizon_months',
    ]) }}

),

bounds as (

    {{ named_parameters(
        ['trend_min', 'trend_max', 'discount_rate_year'], type='double'
    ) }}

),

-- A margin enters the sum in its month and leaves it when the window has passed.
movements as (

    select
        customer_id,
        month_number,
        margin as margin_change,
        true as is_month
    from margins
    union all
    select
        margins.customer_id,
        margins.month_number + windows.margin_mean_months as month_number,
        cast(-margins.margin as decimal(18, 4)) as margin_change,
        false as is_month
    from margins
    cross join windows

),

accumulated as (

    select
        customer_id,
        month_number,
        is_month,
        cast(
            sum(margin_change) over (
                partition by customer_id
                order by month_number
                range between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as window_margin
    from movements

),

averaged as (

    select
        spine.customer_id,
        spine.month,
        spine.month_number,
        spine.is_ranked,
        risks.churn_probability,
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
    left join risks
        on
            spine.customer_id = risks.customer_id
            and spine.month_number = risks.month_number

),

trended as (

    select
        averaged.*,
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
        end
        * power(
            1 - cast(averaged.churn_probability as double),
            1.0 / windows.churn_horizon_months
        )
        / power(1 + bounds.discount_rate_year, 1.0 / 12) as monthly_factor
    from averaged
    cross join windows
    cross join bounds

),

-- The sum of q + q^2 + … + q^n in closed form. Near q = 1 that form loses its digits;
-- the first terms of its series in q - 1 keep more of them than money has.
annuities as (

    select
        trended.customer_id,
        trended.month,
        trended.month_number,
        trended.is_ranked,
        trended.churn_probability,
        trended.mean_margin,
        case
            when abs(trended.monthly_factor - 1) > 0.0001
                then
                    trended.monthly_factor
                    * (1 - power(trended.monthly_factor, windows.value_horizon_months))
                    / (1 - trended.monthly_factor)
            else
                windows.value_horizon_months * (
                    1
                    + (windows.value_horizon_months + 1)
                    / 2.0 * (trended.monthly_factor - 1) * (
                        1
                        + (windows.value_horizon_months - 1)
                        / 3.0 * (trended.monthly_factor - 1) * (
                            1
                            + (windows.value_horizon_months - 2)
                            / 4.0 * (trended.monthly_factor - 1)
                        )
                    )
                )
        end as annuity
    from trended
    cross join windows

),

-- Worth what it will bring while it stays: nothing once it is gone, unknown while the
-- probability to leave is.
final as (

    select
        customer_id,
        month,
        month_number,
        mean_margin,
        case
            when not is_ranked then cast(0 as decimal(18, 4))
            when churn_probability is not null
                then cast(
                    round(
                        cast(greatest(coalesce(mean_margin, 0), 0) as double)
                        * annuity,
                        4
                    ) as decimal(18, 4)
                )
        end as potential_value
    from annuities

)

select * from final
