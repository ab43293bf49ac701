{{ config(materialized='by_month', tells_churn=true) }}
with risks as (

    select * from {{ ref('int_customer_churn_scored') }}
    where {{ is_needed('month_number') }}

),

measured as (

    select
        customer_id,
        month_number,
        left_within_3m
    from {{ ref('int_customer_churn_features_measured') }}
    where {{ is_needed('month_number') }}

),

models as (

    select model from {{ ref('churn_model') }}

),

bands as (

    select
        risk_band,
        lower_bound,
        lead(lower_bound) over (order by lower_bound) as upper_bound
    from {{ ref('risk_bands') }}

),

final as (

    select
        risks.customer_id,
        risks.month,
        risks.churn_probability,
        bands.risk_band,
        risks.reason_1,
        risks.reason_2,
        risks.reason_3,
        models.model,
        measured.left_within_3m
    from risks
    inner join measured
        on
            risks.customer_id = measured.customer_id
            and risks.month_number = measured.month_number
    inner join bands
        on
            risks.churn_probability >= bands.lower_bound
            and (
                bands.upper_bound is null
                or risks.churn_probability < bands.upper_bound
            )
    cross join models

)

select * from final
