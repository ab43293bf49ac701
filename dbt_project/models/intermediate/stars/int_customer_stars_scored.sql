{{ config(materialized='by_month', tells_late=true) }}
{#- The metrics of each dimension, rulebook 7. -#}
{%- set dimensions = {
    'consumption': ['avg_revenue_3m', 'voice_minutes', 'data_mb', 'top_up_amount'],
    'credit': ['on_time_ratio_12m', 'longest_delay_days'],
    'satisfaction': ['complaints_12m', 'open_complaints', 'mean_satisfaction'],
    'loyalty': ['tenure_months', 'plan_changes_12m', 'active_days'],
} -%}
-- Columns made in loops: the linter sees the loop's own breaks as wrong indents.
-- noqa: disable=LT02
with metrics as (

    select * from {{ ref('int_customer_star_metrics_measured') }}
    where {{ is_needed('month_number') }}

),

-- Points are whole millionths, so that quotients of their sums are exact.
placed_bands as (

    select
        dimension,
        metric,
        lower_bound,
        cast(points * 1000000 as bigint) as points,
        label,
        row_number() over (
            partition by dimension, metric order by lower_bound
        ) as place
    from {{ ref('star_bands') }}

),

placed_levels as (

    select
        stars,
        lower_bound,
        row_number() over (order by lower_bound) as place
    from {{ ref('star_levels') }}

),

bands as (

    select
        {%- for dimension, names in dimensions.items() %}
        {%- set is_dimension = "dimension = '" ~ dimension ~ "' and metric = " %}
        {%- for metric in names %}
        coalesce(
            max(case when {{ is_dimension }}'{{ metric }}' then points end), 0
        ) as {{ metric }}_maximum,
        {{- bands_in_a_row(is_dimension ~ "'" ~ metric ~ "'", metric, 'points')
            | indent(8) }},
        {%- endfor %}
        {{- bands_in_a_row(is_dimension ~ "'total'", dimension, 'label')
            | indent(8) }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from placed_bands

),

levels as (

    select
        {{- bands_in_a_row('true', 'level', 'stars') | indent(8) }}
    from placed_levels

),

-- Whole numbers: a weight is in millionths too.
weights as (

    select
        {%- for dimension in dimensions %}
        cast(
            max(case when dimension = '{{ dimension }}' then weight end) * 1000000
            as bigint
        ) as {{ dimension }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('star_weights') }}

),

-- What lies below every band earns nothing, what is not measured cannot earn anything.
earned as (

    select
        metrics.customer_id,
        metrics.month,
        metrics.month_number,
        metrics.active_since_number,
        {%- for dimension, names in dimensions.items() %}
        {% for metric in names -%}
        {{ '+ ' if not loop.first }}coalesce(
            {{ band_reached('metrics.' ~ metric, metric) | indent(12) }}, 0
        )
        {% endfor -%}
        as {{ dimension }}_earned,
        {% for metric in names -%}
        {{ '+ ' if not loop.first -}}
        case
            when metrics.{{ metric }} is null then 0 else bands.{{ metric }}_maximum
        end
        {% endfor -%}
        as {{ dimension }}_maximum{{ ',' if not loop.last }}
        {%- endfor %}
    from metrics
    cross join bands

),

points as (

    select
        customer_id,
        month,
        month_number,
        active_since_number,
        {%- for dimension in dimensions %}
        {{ percent_of(dimension ~ '_earned', dimension ~ '_maximum') | indent(8) }}
            as {{ dimension }}_points{{ ',' if not loop.last }}
        {%- endfor %}
    from earned

),

weighed as (

    select
        points.*,
        {% for dimension in dimensions -%}
        {{ '+ ' if not loop.first -}}
        coalesce(points.{{ dimension }}_points, 0) * weights.{{ dimension }}
        {% endfor -%}
        as weighed_points,
        {% for dimension in dimensions -%}
        {{ '+ ' if not loop.first -}}
        case
            when points.{{ dimension }}_points is null then 0
            else weights.{{ dimension }}
        end
        {% endfor -%}
        as weight_total
    from points
    cross join weights

),

scored as (

    select
        *,
        {{ mean_money('weighed_points', 'weight_total') }} as star_points
    from weighed

),

final as (

    select
        scored.customer_id,
        scored.month,
        scored.month_number,
        scored.active_since_number,
        {%- for dimension in dimensions %}
        scored.{{ dimension }}_points,
        {%- endfor %}
        {%- for dimension in dimensions %}
        {{ band_reached('scored.' ~ dimension ~ '_points', dimension) | indent(8) }}
            as {{ dimension }}_label,
        {%- endfor %}
        scored.star_points,
        {{ band_reached('scored.star_points', 'level', 'levels') | indent(8) }}
            as rated_stars,
        nullif(
            concat_ws(
                ',',
                {%- for dimension in dimensions %}
                case
                    when scored.{{ dimension }}_points is null then '{{ dimension }}'
                end{{ ',' if not loop.last }}
                {%- endfor %}
            ),
            ''
        ) as star_coverage
    from scored
    cross join bands
    cross join levels

)

select * from final
