{#- Months and days, the same on every engine. A month is the date of its first day. -#}

{% macro month_of(day) -%} cast(date_trunc('month', {{ day }}) as date) {%- endmacro %}

{#- Months since year 0: neighbours differ by 1, so windows can be framed by range. -#}
{% macro month_number(day) -%}
(extract(year from {{ day }}) * 12 + extract(month from {{ day }}) - 1)
{%- endmacro %}

{% macro add_months(day, months) -%}
    {{ return(adapter.dispatch('add_months', 'tierwise')(day, months)) }}
{%- endmacro %}

{% macro default__add_months(day, months) -%}
cast(add_months({{ day }}, {{ months }}) as date)
{%- endmacro %}

{% macro duckdb__add_months(day, months) -%}
cast({{ day }} + to_months(cast({{ months }} as integer)) as date)
{%- endmacro %}

{% macro month_end(month) -%}
    {{ return(adapter.dispatch('month_end', 'tierwise')(month)) }}
{%- endmacro %}

{% macro default__month_end(month) -%} last_day({{ month }}) {%- endmacro %}

{#- Whole days from one date to a later one. -#}
{% macro days_between(from_day, to_day) -%}
    {{ return(adapter.dispatch('days_between', 'tierwise')(from_day, to_day)) }}
{%- endmacro %}

{% macro default__days_between(from_day, to_day) -%}
datediff({{ to_day }}, {{ from_day }})
{%- endmacro %}

{% macro duckdb__days_between(from_day, to_day) -%}
date_diff('day', {{ from_day }}, {{ to_day }})
{%- endmacro %}

{#- Rows of integers from first to last, both included, as column `number`. -#}
{% macro number_series(first, last) -%}
    {{ return(adapter.dispatch('number_series', 'tierwise')(first, last)) }}
{%- endmacro %}

{% macro default__number_series(first, last) -%}
select explode(sequence({{ first }}, {{ last }})) as number
{%- endmacro %}

{% macro duckdb__number_series(first, last) -%}
select unnest(generate_series({{ first }}, {{ last }})) as number
{%- endmacro %}

{#- A whole number of days after a date. -#}
{% macro add_days(day, days) -%}
    {{ return(adapter.dispatch('add_days', 'tierwise')(day, days)) }}
{%- endmacro %}

{% macro default__add_days(day, days) -%} date_add({{ day }}, {{ days }}) {%- endmacro %}

{% macro duckdb__add_days(day, days) -%} ({{ day }} + {{ days }}) {%- endmacro %}
