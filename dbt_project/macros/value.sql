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

{#- A mean of shares (at most 6 decimals) over a whole number, exact, to 6 decimals. -#}
{% macro mean_share(total, row_count) -%}
cast({{ mean_money('100 * ' ~ total, row_count) }} * 0.01 as decimal(18, 6))
{%- endmacro %}

{#-
    Where a value lies between index 0 and index 100, 0 to 100; null where it is not
    measured. All three are whole millionths; a negative span counts downwards.
-#}
{% macro linear_index(value, value_at_0, span) -%}
case
    when ({{ value }} - {{ value_at_0 }}) * sign({{ span }}) <= 0 then 0
    when abs({{ value }} - {{ value_at_0 }}) >= abs({{ span }}) then 100
    else {{ percent_of(
        'abs(' ~ value ~ ' - ' ~ value_at_0 ~ ')', 'abs(' ~ span ~ ')'
    ) }}
end
{%- endmacro %}

{#- The mean of those columns that are measured; null if none is. -#}
{% macro mean_of_measured(names, suffix='') -%}
    {%- set total = [] -%}
    {%- set measured = [] -%}
    {%- for name in names -%}
        {%- do total.append('coalesce(' ~ name ~ suffix ~ ', 0)') -%}
        {%- do measured.append(
            'case when ' ~ name ~ suffix ~ ' is null then 0 else 1 end'
        ) -%}
    {%- endfor -%}
{{ mean_money('(' ~ total | join(' + ') ~ ')', '(' ~ measured | join(' + ') ~ ')') }}
{%- endmacro %}

{#-
    A probability (at most 6 decimals) times money: exact, rounded half away from zero to
    4 decimals. Null where either is.
-#}
{% macro chance_of_money(probability, money) -%}
    {{ return(adapter.dispatch('chance_of_money', 'tierwise')(probability, money)) }}
{%- endmacro %}

{% macro default__chance_of_money(probability, money) -%}
cast(
    round(
        cast({{ probability }} as decimal(38, 6))
        * cast({{ money }} as decimal(18, 4)), 4
    ) as decimal(18, 4)
)
{%- endmacro %}

{#- DuckDB multiplies wide decimals slowly: they are for where the float cannot tell. -#}
{% macro duckdb__chance_of_money(probability, money) -%}
    {%- set product -%}
    (
        cast({{ probability }} as double)
        * cast(cast({{ money }} as decimal(18, 4)) as double)
    )
    {%- endset -%}
case
    when {{ duckdb_rounds_safely(product) }} then cast({{ product }} as decimal(18, 4))
    else {{ tierwise.default__chance_of_money(probability, money) }}
end
{%- endmacro %}

{#-
    100 x (sum of weight x layer) / (sum of the weights), each layer a place of places, as
    one quotient over the common denominator: exact to its last digit. These are its
    parts, of whole numbers cast to a type; a place may have decimals.
-#}
{% macro weighted_points(type, place_type) -%}
    {%- set terms = [] -%}
    {%- for weight, place, others in [
        ('current_weight', 'current_place', ['potential_places', 'social_places']),
        ('potential_weight', 'potential_place', ['current_places', 'social_places']),
        ('social_weight', 'social_score', ['current_places', 'potential_places']),
    ] -%}
        {%- do terms.append(
            product_of([weight] + others, type) ~ ' * ' ~ product_of([place], place_type)
        ) -%}
    {%- endfor -%}
(100 * ({{ terms | join(' + ') }}))
{%- endmacro %}

{% macro weighted_places(type) -%}
(
    cast(current_weight + potential_weight + social_weight as {{ type }})
    * {{ product_of(['current_places', 'potential_places', 'social_places'], type) }}
)
{%- endmacro %}

{% macro product_of(columns, type) -%}
    {%- for column in columns -%}
cast({{ column }} as {{ type }}) {{- ' * ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#-
    What `margins` of so many months sum to, at each: a margin enters the sum in its month and
    leaves it when the window has passed. `months` is a column of the one row of `windows`.
-#}
{% macro margins_summed_over(windows, months) -%}
select
    customer_id,
    month_number,
    is_month,
    cast(
        sum(margin_change) over (
            partition by customer_id
            order by month_number
            range between unbounded preceding and current row
        ) as decimal(18, 4)
    ) as window_margin
from (
    select
        customer_id,
        month_number,
        margin as margin_change,
        true as is_month
    from margins
    union all
    select
        margins.customer_id,
        margins.month_number + {{ windows }}.{{ months }} as month_number,
        cast(-margins.margin as decimal(18, 4)) as margin_change,
        false as is_month
    from margins
    cross join {{ windows }}
) as movements
{%- endmacro %}
