{#- Exact decimal arithmetic: rounding is half away from zero to 4 decimals. -#}

{#- A sum of money that stays DECIMAL(18,4), so that later sums are fast and tie. -#}
{% macro sum_money(expression) -%} cast(sum({{ expression }}) as decimal(18, 4)) {%- endmacro %}

{#-
    A quotient of two numbers, the first of at most 4 decimals and the second of 8, exact
    and rounded to 4. Where both take long to compute, the quotient of doubles can be
    given too; they are then computed only where it cannot tell.
-#}
{% macro divide_money(numerator, denominator, quotient=none) -%}
    {{ return(adapter.dispatch('divide_money', 'tierwise')(numerator, denominator, quotient)) }}
{%- endmacro %}

{% macro default__divide_money(numerator, denominator, quotient) -%}
cast(
    round(
        cast({{ numerator }} as decimal(28, 4))
        / nullif(cast({{ denominator }} as decimal(28, 8)), 0), 4
    ) as decimal(18, 4)
)
{%- endmacro %}

{#-
    Whether a quotient of doubles, rounded to 4 decimals, is that of the exact numbers:
    below 10 million it errs by less than 10^-3 of the last decimal, so it does unless
    it lies within 10^-2 of the middle of two.
-#}
{% macro duckdb_rounds_safely(quotient) -%}
abs({{ quotient }}) < 10000000
and abs(abs({{ quotient }}) * 10000 % 1 - 0.5) > 0.01
{%- endmacro %}

{#-
    DuckDB divides decimals as floats; whole numbers of 10^-4 and 10^-8 stay exact, and
    cost a hundred times as much. So they are for where the float cannot tell.
-#}
{% macro duckdb__divide_money(numerator, denominator, quotient) -%}
    {%- set quotient = quotient or (
        '(cast(' ~ numerator ~ ' as double) / nullif(cast(' ~ denominator ~ ' as double), 0))'
    ) -%}
    {%- set units -%} cast(cast({{ numerator }} as decimal(38, 4)) * 10000 as hugeint) {%- endset -%}
    {%- set parts -%} cast(cast({{ denominator }} as decimal(38, 8)) * 100000000 as hugeint) {%- endset -%}
case
    when {{ duckdb_rounds_safely(quotient) }} then cast({{ quotient }} as decimal(18, 4))
    else cast(
        cast(
            sign({{ units }}) * sign({{ parts }})
            * ((2 * 100000000 * abs({{ units }}) + abs({{ parts }})) // nullif(2 * abs({{ parts }}), 0))
            as decimal(38, 0)
        ) * 0.0001 as decimal(18, 4)
    )
end
{%- endmacro %}

{#-
    amount x rate(currency) / rate(reporting), rulebook 0. Both rates are CNY per unit of
    one month; the same currency needs no rate; a missing rate gives null.
-#}
{% macro convert_money(amount, currency, rate, to_currency, to_rate) -%}
    {{ return(adapter.dispatch('convert_money', 'tierwise')(amount, currency, rate, to_currency, to_rate)) }}
{%- endmacro %}

{% macro default__convert_money(amount, currency, rate, to_currency, to_rate) -%}
case
    when {{ currency }} = {{ to_currency }} then cast({{ amount }} as decimal(18, 4))
    else cast(
        round(
            cast({{ amount }} as decimal(18, 4)) * cast({{ rate }} as decimal(18, 8))
            / cast({{ to_rate }} as decimal(18, 8)), 4
        ) as decimal(18, 4)
    )
end
{%- endmacro %}

{% macro duckdb__convert_money(amount, currency, rate, to_currency, to_rate) -%}
    {%- set quotient -%}
    (
        cast({{ amount }} as double) * cast({{ rate }} as double)
        / cast({{ to_rate }} as double)
    )
    {%- endset -%}
    {%- set units -%} cast(cast({{ amount }} as decimal(38, 4)) * 10000 as hugeint) {%- endset -%}
    {%- set price -%} cast(cast({{ rate }} as decimal(38, 8)) * 100000000 as hugeint) {%- endset -%}
    {%- set base -%} cast(cast({{ to_rate }} as decimal(38, 8)) * 100000000 as hugeint) {%- endset -%}
case
    when {{ currency }} = {{ to_currency }} then cast({{ amount }} as decimal(18, 4))
    when {{ duckdb_rounds_safely(quotient) }} then cast({{ quotient }} as decimal(18, 4))
    else cast(
        cast(
            sign({{ units }})
            * ((2 * abs({{ units }}) * {{ price }} + {{ base }}) // (2 * {{ base }}))
            as decimal(38, 0)
        ) * 0.0001 as decimal(18, 4)
    )
end
{%- endmacro %}
