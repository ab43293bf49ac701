{{ config(materialized='by_month', tells_churn=true) }}
{%- set features = churn_features() -%}
{%- set places = 32 -%}
{%- set heights_per_unit = 1000000000000 -%}
{%- set terms = ['contributions.intercept'] -%}
{%- set evaluated_terms = ['evaluated_fits.intercept'] -%}
{%- for feature, _, _ in features -%}
{%- do terms.append('contributions.' ~ feature) -%}
{%- do evaluated_terms.append(contribution('measured', feature, 'evaluated_fits')) -%}
{%- endfor -%}
with measured as (

    select * from {{ ref('int_customer_churn_features_measured') }}
    where {{ is_needed('month_number') }}

),

figures as (

    select * from {{ ref('int_churn_models_fitted') }}

),

-- One row per fit: what each feature adds for each of its units off the average, which
-- side of it raises the risk, and how a height is counted: not where that has no words.
fits as (

    select
        fit,
        {%- for feature, low, high in features %}
        max(case when name = '{{ feature }}' then value / scale end)
            as {{ feature }}_weight,
        max(case when name = '{{ feature }}' then centre end) as {{ feature }}_centre,
        max(case when name = '{{ feature }}' then lower_bound end)
            as {{ feature }}_lower,
        max(case when name = '{{ feature }}' then upper_bound end)
            as {{ feature }}_upper,
        max(
            case
                when name <> '{{ feature }}' then 0
                when value < 0 then {{ heights_per_unit if low else 0 }}
                else {{ heights_per_unit if high else 0 }}
            end
        ) as {{ feature }}_heights,
        min(
            case when name = '{{ feature }}' and value < 0 then -1 else 1 end
        ) as {{ feature }}_side,
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

contributions as (

    select
        measured.customer_id,
        measured.month,
        measured.month_number,
        measured.left_within_3m,
        {%- for feature, _, _ in features %}
        {{ contribution('measured', feature, 'fits') }} as {{ feature }},
        {%- endfor %}
        case
            when
                measured.month_number >= tested_months.first_number
                and measured.month_number <= tested_months.last_number
                then {{ probability_of(evaluated_terms) }}
        end as evaluated_probability,
        fits.intercept
    from measured
    inner join fits on fits.fit = 'final'
    inner join fits as evaluated_fits on evaluated_fits.fit = 'evaluation'
    cross join tested_months

),

-- What raises the score, as whole numbers that tell the place of the feature too: of
-- the same height the earlier feature comes first, and no two are equal.
scored as (

    select
        contributions.customer_id,
        contributions.month,
        contributions.month_number,
        contributions.left_within_3m,
        {%- for feature, _, _ in features %}
        cast(
            contributions.{{ feature }} * fits.{{ feature }}_heights as bigint
        ) * {{ places }} + {{ places - loop.index }} as {{ feature }},
        {%- endfor %}
        {{ probability_of(terms) }} as churn_probability,
        contributions.evaluated_probability
    from contributions
    inner join fits on fits.fit = 'final'

),

first_named as (

    select
        scored.*,
        greatest(
            {%- for feature, _, _ in features %}
            {{ feature }}{{ ',' if not loop.last }}
            {%- endfor %}
        ) as height_1
    from scored

),

second_named as (

    select
        first_named.*,
        greatest(
            {%- for feature, _, _ in features %}
            first_named.{{ feature }}
            * cast(first_named.{{ feature }} < first_named.height_1 as bigint)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ) as height_2
    from first_named

),

third_named as (

    select
        second_named.*,
        greatest(
            {%- for feature, _, _ in features %}
            second_named.{{ feature }}
            * cast(second_named.{{ feature }} < second_named.height_2 as bigint)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ) as height_3
    from second_named

),

final as (

    select
        third_named.customer_id,
        third_named.month,
        third_named.month_number,
        cast(third_named.churn_probability as decimal(9, 6)) as churn_probability,
        {%- for rank in [1, 2, 3] %}
        case
            when third_named.height_{{ rank }} >= {{ places }}
                then
                    case {{ places }} - third_named.height_{{ rank }} % {{ places }}
                        {%- for feature, _, _ in features %}
                        when {{ loop.index }}
                            then {{ loop.index }} * fits.{{ feature }}_side
                        {%- endfor %}
                    end
        end as reason_{{ rank }},
        {%- endfor %}
        cast(third_named.evaluated_probability as decimal(9, 6))
            as evaluated_probability,
        third_named.left_within_3m
    from third_named
    inner join fits on fits.fit = 'final'

)

select * from final
