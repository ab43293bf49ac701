{%- set figures_of_test = [
    'auc', 'auc_unseen_customers', 'average_precision', 'top_decile_lift',
    'brier', 'calibration_in_the_large', 'base_rate', 'train_rows', 'train_events',
    'test_rows', 'test_events', 'first_train_number', 'last_train_number',
    'first_test_number', 'last_test_number',
] -%}
with figures as (

    select * from {{ ref('int_churn_models_fitted') }}
    where kind = 'measure'

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

evaluated as (

    select
        {%- for figure in figures_of_test %}
        max(case when name = '{{ figure }}' then value end)
            as {{ figure }},
        {%- endfor %}
        max(case when name = 'is_fitted' then value end) as is_fitted
    from figures
    where fit = 'evaluation'

),

refitted as (

    select
        max(case when name = 'train_rows' then value end) as final_rows,
        max(case when name = 'train_events' then value end) as final_events
    from figures
    where fit = 'final'

),

-- Dated by the month it is fitted for, not by the clock: the same input, the same row.
final as (

    select
        case
            when evaluated.is_fitted = 1 then 'logistic_regression'
            else 'prior_scorecard'
        end as model,
        cast({{ add_months('settings.closing_month', 1) }} as timestamp) as fitted_at,
        evaluated.auc,
        evaluated.auc_unseen_customers,
        evaluated.average_precision,
        evaluated.top_decile_lift,
        evaluated.brier,
        evaluated.calibration_in_the_large,
        evaluated.base_rate,
        cast(evaluated.train_rows as bigint) as train_rows,
        cast(evaluated.train_events as bigint) as train_events,
        cast(evaluated.test_rows as bigint) as test_rows,
        cast(evaluated.test_events as bigint) as test_events,
        cast(refitted.final_rows as bigint) as final_rows,
        cast(refitted.final_events as bigint) as final_events,
        {{ month_of_number('cast(evaluated.first_train_number as integer)') }}
            as first_train_month,
        {{ month_of_number('cast(evaluated.last_train_number as integer)') }}
            as last_train_month,
        {{ month_of_number('cast(evaluated.first_test_number as integer)') }}
            as first_test_month,
        {{ month_of_number('cast(evaluated.last_test_number as integer)') }}
            as last_test_month
    from evaluated
    cross join refitted
    cross join settings

)

select * from final
