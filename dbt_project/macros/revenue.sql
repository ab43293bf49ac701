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
    A sum of whole numbers comes as 128 bits, whose division is slow, and fits 64.
-#}
{% macro duckdb__mean_money(total, row_count) -%}
    {%- set money -%} cast({{ total }} as decimal(18, 4)) {%- endset -%}
    {%- set units -%} (
        cast({{ money }} - {{ money }} % 1 as bigint) * 10000
        + cast({{ money }} % 1 * 10000 as bigint)
    ) {%- endset -%}
    {%- set parts -%} cast({{ row_count }} as bigint) {%- endset -%}
cast(
    cast(
        sign({{ units }})
        * ((2 * abs({{ units }}) + {{ parts }}) // nullif(2 * {{ parts }}, 0))
        as decimal(18, 0)
    ) * 0.0001 as decimal(18, 4)
)
{%- endmacro %}

{#- A ratio of two exact sums as a double; null where nothing is there to share. -#}
{% macro share_of(part, whole) -%}
cast({{ part }} as double) / nullif(cast({{ whole }} as double), 0)
{%- endmacro %}

{#-
    100 x part / whole of two whole numbers from 0 up, as DECIMAL(18,4), exact, rounded
    half up; null over 0. The part stays below 4 x 10^12.
-#}
{% macro percent_of(part, whole) -%}
    {{ return(adapter.dispatch('percent_of', 'tierwise')(part, whole)) }}
{%- endmacro %}

{% macro default__percent_of(part, whole) -%}
cast(
    round(cast({{ part }} as decimal(20, 0)) * 100 / nullif({{ whole }}, 0), 4)
    as decimal(18, 4)
)
{%- endmacro %}

{% macro duckdb__percent_of(part, whole) -%}
cast(
    cast(
        (2000000 * ({{ part }}) + {{ whole }}) // nullif(2 * ({{ whole }}), 0)
        as decimal(18, 0)
    ) * 0.0001 as decimal(18, 4)
)
{%- endmacro %}

{#- A number of at most 6 decimals in whole millionths. -#}
{% macro millionths(number) -%}
cast(round(cast({{ number }} as double) * 1000000) as bigint)
{%- endmacro %}

{#- part / whole of two amounts from 0 up, cut (not rounded) to 6 decimals. -#}
{% macro cut_ratio(part, whole) -%}
    {{ return(adapter.dispatch('cut_ratio', 'tierwise')(part, whole)) }}
{%- endmacro %}

{% macro default__cut_ratio(part, whole) -%}
cast(
    floor(cast({{ part }} as decimal(28, 4)) * 1000000 / nullif({{ whole }}, 0))
    * 0.000001 as decimal(18, 6)
)
{%- endmacro %}

{#-
    Division of 128-bit numbers is slow, so it is for where a float cannot tell: near a
    whole number of millionths. Below 10^9 of them a float errs by less than 10^-6.
-#}
{% macro duckdb__cut_ratio(part, whole) -%}
    {%- set millionths -%}
    (cast({{ part }} as double) * 1000000 / nullif(cast({{ whole }} as double), 0))
    {%- endset -%}
case
    when
        {{ millionths }} between 0 and 1000000000
        and abs({{ millionths }} - round({{ millionths }})) > 0.001
        then cast(
            cast(floor({{ millionths }}) as decimal(18, 0)) * 0.000001 as decimal(18, 6)
        )
    else cast(
        cast(
            cast(cast({{ part }} as decimal(38, 4)) * 10000 as hugeint) * 1000000
            // nullif(cast(cast({{ whole }} as decimal(38, 4)) * 10000 as hugeint), 0)
            as decimal(18, 0)
        ) * 0.000001 as decimal(18, 6)
    )
end
{%- endmacro %}
