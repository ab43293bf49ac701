{#- Measures of value, rulebook 5. -#}

{#-
    The median of a DECIMAL(18,4) within a group, exact: an even number of rows has two
    middle ones, and their mean is rounded half away from zero to 4 decimals.
-#}
{% macro median_money(expression) -%}
{{ mean_money(
    'cast(percentile_disc(0.5) within group (order by ' ~ expression
    ~ ') as decimal(18, 4)) + cast(percentile_disc(0.5) within group (order by '
    ~ expression ~ ' desc) as decimal(18, 4))',
    2
) }}
{%- endmacro %}

{#-
    A probability (at most 6 decimals) times money: exact, rounded half away from zero to
    4 decimals. Null where either is.
-#}
{% macro chance_of_money(probability, money) -%}
cast(
    round(
        cast({{ probability }} as decimal(38, 6))
        * cast({{ money }} as decimal(18, 4)), 4
    ) as decimal(18, 4)
)
{%- endmacro %}
