{#- Ranges of months are kept as month numbers: from inclusive, to exclusive. -#}

{#- Where a range starts that holds before everything known. -#}
{% macro first_month_number() -%} 0 {%- endmacro %}

{#- Where a range ends that still goes on. -#}
{% macro open_month_number() -%} 999999 {%- endmacro %}

{#- The month with a number: the inverse of month_number. -#}
{% macro month_of_number(number) -%}
{{ add_months("date '1900-01-01'", number ~ ' - ' ~ (1900 * 12)) }}
{%- endmacro %}
