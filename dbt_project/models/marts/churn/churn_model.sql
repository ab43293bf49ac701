{%- set shares = [
    'auc', 'auc_unseen_customers', 'average_precision', 'top_decile_lift', 'brier',
    'calibration_in_the_large', 'base_rate',
] -%}
{%- set counts = ['train_rows', 'train_events', 'test_rows', 'test_events'] -%}
{%- set months = ['first_train', 'last_train', 'first_test', 'last_test'] -%}
with measures as (

    select
        fit,
        name,
        value
    from {{ ref('int_churn_models_fitted') }}
    where kind = 'measure'

),

settings as (

    select cast({{ add_months('closing_month', 1) }} as timestamp) as fitted_at
    from {{ ref('stg_control__run_settings') }}

),

evaluated as (

    select
        max(case when name = 'is_fitted' then value end) as is_fitted,
        {%- for name in shares %}
        max(case when name = '{{ name }}' then value end) as {{ name }},
        {%- endfor %}
        {%- for name in counts %}
        cast(max(case when name = '{{ name }}' then value end) as bigint) as {{ name }},
        {%- endfor %}
        {%- for name in months %}
        cast(max(case when name = '{{ name }}_number' then value end) as integer)
            as {{ name }}_number{{ ',' if not loop.last }}
        {%- endfor %}
    from measures
    where fit = 'evaluation'

),

refitted as (

    select
        cast(max(case when name = 'train_rows' then value end) as bigint) as final_rows,
        cast(max(case when name = 'train_events' then value end) as bigint)
            as final_events
    from measures
    where fit = 'final'

),

final as (

    select
        case
            when evaluated.is_fitted = 1 then 'logistic_regression'
            else 'prior_scorecard'
        end as model,
        settings.fitted_at,
        {%- for name in shares + counts %}
        evaluated.{{ name }},
        {%- endfor %}
        refitted.final_rows,
        refitted.final_events,
        {%- for name in months %}
        {{ month_of_number('evaluated.' ~ name ~ '_number') }} as {{ name }}_month
        {{- ',' if not loop.last }}
        {%- endfor %}
    from evaluated
    cross join refitted
    cross join settings

)

select * from final
