{{ config(materialized='by_month', tells_churn=true) }}
with risks as (

    select * from {{ ref('int_customer_churn_scored') }}
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
        {%- for rank in [1, 2, 3] %}
        case risks.reason_{{ rank }}
            {%- for _, low, high in churn_features() %}
            {%- if low %}
            when {{ -loop.index }} then '{{ low }}'
            {%- endif %}
            {%- if high %}
            when {{ loop.index }} then '{{ high }}'
            {%- endif %}
            {%- endfor %}
        end as reason_{{ rank }},
        {%- endfor %}
        models.model,
        risks.left_within_3m
    from risks
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
