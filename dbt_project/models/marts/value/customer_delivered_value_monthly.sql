{{ config(materialized='by_month', tells_late=true) }}
{#- The measures of each component, rulebook 5: what is received, and what it costs. -#}
{%- set benefits = {
    'product': ['access_rate', 'drop_rate', 'outage_minutes'],
    'service': ['service_level_kept_share'],
    'personnel': ['manager_contacts_3m', 'survey_score'],
    'image': ['mean_satisfaction'],
} -%}
{%- set costs = {
    'monetary': ['price_to_family_median'],
    'time': ['mean_resolve_hours'],
    'effort': ['counter_contacts_3m', 'handed_off_12m'],
    'psychic': ['reopened_12m', 'repeated_12m'],
} -%}
{%- set components = dict(benefits, **costs) -%}
-- Columns made in loops: the linter sees the loop's own breaks as wrong indents.
-- noqa: disable=LT02
with metrics as (

    select * from {{ ref('int_customer_delivered_metrics_measured') }}
    where {{ is_needed('month') }}

),

index_ends as (

    select
        {%- for component, names in components.items() %}
        {%- set outer_loop = loop %}
        {%- for metric in names %}
        {%- set is_metric -%}
            component = '{{ component }}' and metric = '{{ metric }}'
        {%- endset %}
        {{ millionths('max(case when ' ~ is_metric ~ ' then value_at_0 end)') }}
            as {{ metric }}_at_0,
        {{ millionths(
            'max(case when ' ~ is_metric ~ ' then value_at_100 - value_at_0 end)'
        ) }} as {{ metric }}_span
        {{- ',' if not (outer_loop.last and loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('delivered_value_indices') }}

),

-- Whole millionths, so that quotients are exact.
metrics_scaled as (

    select
        customer_id,
        month,
        {%- for component, names in components.items() %}
        {%- set outer_loop = loop %}
        {%- for metric in names %}
        {{ millionths(metric) }} as {{ metric }}
        {{- ',' if not (outer_loop.last and loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from metrics

),

metric_indices as (

    select
        metrics_scaled.customer_id,
        metrics_scaled.month,
        {%- for component, names in components.items() %}
        {%- set outer_loop = loop %}
        {%- for metric in names %}
        {{ linear_index(
            'metrics_scaled.' ~ metric,
            'index_ends.' ~ metric ~ '_at_0',
            'index_ends.' ~ metric ~ '_span'
        ) }} as {{ metric }}{{ ',' if not (outer_loop.last and loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from metrics_scaled
    cross join index_ends

),

component_indices as (

    select
        customer_id,
        month,
        {%- for component, names in components.items() %}
        {{ mean_of_measured(names) }} as {{ component }}_index
        {{- ',' if not loop.last }}
        {%- endfor %}
    from metric_indices

),

sides as (

    select
        *,
        {%- for side, names in {'benefit': benefits, 'cost': costs}.items() %}
        {{ mean_of_measured(names, '_index') }} as mean_{{ side }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from component_indices

),

final as (

    select
        customer_id,
        month,
        {%- for component in components %}
        {{ component }}_index,
        {%- endfor %}
        cast(mean_benefit - mean_cost as decimal(18, 4)) as delivered_value,
        nullif(
            concat_ws(
                ',',
                {%- for component in components %}
                case when {{ component }}_index is null then '{{ component }}' end
                {{- ',' if not loop.last }}
                {%- endfor %}
            ),
            ''
        ) as coverage
    from sides

)

select * from final
