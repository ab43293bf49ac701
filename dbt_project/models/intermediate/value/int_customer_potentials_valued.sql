{{ config(materialized='view') }}
with layers as (

    select * from {{ ref('int_customer_layers_measured') }}

),

risks as (

    select * from {{ ref('int_customer_churn_scored') }}

),

windows as (

    {{ named_parameters(['value_horizon_months', 'churn_horizon_months']) }}

),

rates as (

    {{ named_parameters(['discount_rate_year'], type='double') }}

),

trended as (

    select
        layers.customer_id,
        layers.month,
        layers.month_number,
        layers.is_ranked,
        risks.churn_probability,
        layers.mean_margin,
        layers.margin,
        layers.social_score,
        layers.current_place,
        layers.current_places,
        layers.monthly_trend
        * power(
            1 - cast(risks.churn_probability as double),
            1.0 / windows.churn_horizon_months
        )
        / power(1 + rates.discount_rate_year, 1.0 / 12) as monthly_factor
    from layers
    cross join windows
    cross join rates
    left join risks
        on
            layers.customer_id = risks.customer_id
            and layers.month_number = risks.month_number

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
        trended.margin,
        trended.social_score,
        trended.current_place,
        trended.current_places,
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
        margin,
        social_score,
        current_place,
        current_places,
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
        end as potential_value,
        is_ranked
    from annuities

)

select * from final
