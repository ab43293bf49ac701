{#-
    Time that really passed. Feeds carry local business time; an hour that the clocks
    skip or repeat (daylight saving) is not skipped or repeated in a customer's wait.
-#}

{#- Microseconds from one local time to another, both in the same time zone. -#}
{% macro elapsed_microseconds(from_at, to_at, timezone) -%}
    {{ return(adapter.dispatch('elapsed_microseconds', 'tierwise')(from_at, to_at, timezone)) }}
{%- endmacro %}

{% macro default__elapsed_microseconds(from_at, to_at, timezone) -%}
(
    unix_micros(to_utc_timestamp({{ to_at }}, {{ timezone }}))
    - unix_micros(to_utc_timestamp({{ from_at }}, {{ timezone }}))
)
{%- endmacro %}

{% macro duckdb__elapsed_microseconds(from_at, to_at, timezone) -%}
(
    epoch_us({{ to_at }} at time zone {{ timezone }})
    - epoch_us({{ from_at }} at time zone {{ timezone }})
)
{%- endmacro %}

{#- A number of hours, whole or not, in microseconds: exact, so a second over is over. -#}
{% macro microseconds_of_hours(hours) -%}
(cast({{ hours }} as decimal(18, 6)) * 3600000000)
{%- endmacro %}

{#- Microseconds as hours, rounded half away from zero to 4 decimals (0.36 seconds). -#}
{% macro hours_of_microseconds(microseconds) -%}
cast(
    cast(
        sign({{ microseconds }})
        * floor((abs({{ microseconds }}) + 180000) / 360000)
        as decimal(18, 0)
    ) * 0.0001 as decimal(18, 4)
)
{%- endmacro %}

{#-
    Whether a clock ran over its hours. While it runs within them nobody can say (null),
    nor where no hours apply.
-#}
{% macro is_breached(microseconds, limit_hours, is_running, is_clocked) -%}
case
    when not {{ is_clocked }} then null
    when {{ microseconds }} > {{ microseconds_of_hours(limit_hours) }} then true
    when {{ is_running }} or {{ limit_hours }} is null then null
    else false
end
{%- endmacro %}
