{{ config(materialized='by_month', tells_churn=true) }}
{%- set features = churn_features() -%}
with measured as (

    select * from {{ ref('int_customer_churn_features_measured') }}
    where {{ is_needed('month_number') }}

),

figures as (

    select * from {{ ref('int_churn_models_fitted') }}

),

-- One row per fit: what each feature adds for each of its units off the average.
fits as (

    select
        fit,
        {%- for feature, _, _ in features %}
        max(case when name = '{{ feature }}' then value / scale end)
            as {{ feature }}_weight,
        max(case when name = '{{ feature }}' then centre end) as {{ feature }}_centre,
        max(case when name = '{{ feature }}' then lower_bound end)
            as {{ feature }}_lower,
        max(case when name = '{{ feature }}' then upper_bound end)
            as {{ feature }}_upper,
        {%- endfor %}
        max(case when name = 'intercept' then value end) as intercept
    from figures
    where kind = 'coefficient'
    group by fit

),

tested_months as (

    select
        max(case when name = 'first_test_number' then value end) as first_number,
        max(case when name = 'last_test_number' then value end) as last_number
    from figures
    where fit = 'evaluation' and kind = 'measure'

),

{%- for fit in ['final', 'evaluation'] %}

{{ fit }}_contributions as (

    select
        measured.customer_id,
        measured.month,
        measured.month_number,
        {%- for feature, _, _ in features %}
        case
            when measured.{{ feature }} is null then 0
            else fits.{{ feature }}_weight * (
                least(
                    greatest(measured.{{ feature }}, fits.{{ feature }}_lower),
                    fits.{{ feature }}_upper
                ) - fits.{{ feature }}_centre
            )
        end as {{ feature }},
        {%- endfor %}
        -- Whether the side that raises the risk has words.
        {%- for feature, low, high in features %}
        case
            when fits.{{ feature }}_weight < 0 then {{ 'true' if low else 'false' }}
            else {{ 'true' if high else 'false' }}
        end as {{ feature }}_is_told,
        {%- endfor %}
        fits.intercept
    from measured
    inner join fits on fits.fit = '{{ fit }}'
    {%- if fit == 'evaluation' %}
    inner join tested_months
        on
            measured.month_number >= tested_months.first_number
            and measured.month_number <= tested_months.last_number
    {%- endif %}

),
{%- endfor %}

evaluated as (

    select
        customer_id,
        month_number,
        1 / (
            1 + exp(
                -(
                    intercept
                    {%- for feature, _, _ in features %}
                    + {{ feature }}
                    {%- endfor %}
                )
            )
        ) as probability
    from evaluation_contributions

),

{%- for rank in [1, 2, 3] %}
{%- set before = 'final_contributions' if rank == 1 else 'named_' ~ (rank - 1) %}

-- What raises the score most, after those already named.
highest_{{ rank }} as (

    select
        {{ before }}.*,
        greatest(
            0
            {%- for feature, _, _ in features -%}
            ,
            case
                when
                    {{ feature }}_is_told
                    {%- for earlier in range(1, rank) %}
                    and coalesce(feature_{{ earlier }}, '') <> '{{ feature }}'
                    {%- endfor %}
                    then {{ feature }}
                else 0
            end
            {%- endfor %}
        ) as highest_{{ rank }}
    from {{ before }}

),

named_{{ rank }} as (

    select
        highest_{{ rank }}.*,
        case
            when highest_{{ rank }} = 0 then null
            {%- for feature, _, _ in features %}
            when
                {{ feature }} = highest_{{ rank }}
                and {{ feature }}_is_told
                {%- for earlier in range(1, rank) %}
                and feature_{{ earlier }} <> '{{ feature }}'
                {%- endfor %}
                then '{{ feature }}'
            {%- endfor %}
        end as feature_{{ rank }}
    from highest_{{ rank }}

),
{%- endfor %}

final as (

    select
        named_3.customer_id,
        named_3.month,
        named_3.month_number,
        cast(
            1 / (
                1 + exp(
                    -(
                        named_3.intercept
                        {%- for feature, _, _ in features %}
                        + named_3.{{ feature }}
                        {%- endfor %}
                    )
                )
            ) as decimal(9, 6)
        ) as churn_probability,
        {%- for rank in [1, 2, 3] %}
        case
            {%- for feature, low, high in features %}
            when named_3.feature_{{ rank }} = '{{ feature }}'
                then
                    case
                        when fits.{{ feature }}_weight < 0 then '{{ low or high }}'
                        else '{{ high or low }}'
                    end
            {%- endfor %}
        end as reason_{{ rank }},
        {%- endfor %}
        cast(evaluated.probability as decimal(9, 6)) as evaluated_probability
    from named_3
    inner join fits on fits.fit = 'final'
    left join evaluated
        on
            named_3.customer_id = evaluated.customer_id
            and named_3.month_number = evaluated.month_number

)

select * from final
