{#- Revenue windows and ratios, rulebook 3: written once, used by every model. -#}

{#-
    avg_revenue_k: the revenue of the window's months over the number of those months
    that exist for the customer, counted from its start (see months_existing of
    int_customer_revenue_averaged). Null where none exists: a mean over no month.
-#}
{% macro average_revenue(window_revenue, months_existing, window_months) -%}
case
    when {{ months_existing }} > 0
        then {{ mean_money(
            window_revenue,
            'least(' ~ months_existing ~ ', ' ~ window_months ~ ')'
        ) }}
end
{%- endmacro %}

{#-
    A DECIMAL(18,4) over a whole number, exact, rounded half away from zero to 4
    decimals; null over 0. What divide_money does for any divisor, at a hundredth of its
    cost.
-#}
{% macro mean_money(total, row_count) -%}
    {{ return(adapter.dispatch('mean_money', 'tierwise')(total, row_count)) }}
{%- endmacro %}

{% macro default__mean_money(total, row_count) -%}
{{ divide_money(total, row_count) }}
{%- endmacro %}

{#-
    In whole units of 10^-4, counted as a bigint: twice 10^18 of them fit one. Whole
    money and its fraction are taken apart, or the multiplication itself would overflow.
-#}
{% macro duckdb__mean_money(total, row_count) -%}
    {%- set money -%} cast({{ total }} as decimal(18, 4)) {%- endset -%}
    {%- set units -%} (
        cast({{ money }} - {{ money }} % 1 as bigint) * 10000
        + cast({{ money }} % 1 * 10000 as bigint)
    ) {%- endset -%}
cast(
    cast(
        sign({{ units }})
        * ((2 * abs({{ units }}) + {{ row_count }}) // nullif(2 * {{ row_count }}, 0))
        as decimal(18, 0)
    ) * 0.0001 as decimal(18, 4)
)
{%- endmacro %}

{#- A ratio of two exact sums as a double; null where nothing is there to share. -#}
{% macro share_of(part, whole) -%}
cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0)
{%- endmacro %}
