{#- Rules of stars, rulebook 7. -#}

{#-
    How many bands a metric may have. The bands of all metrics are laid out in one row, so
    that every customer-month is compared with them in place; the check of the reference
    tables refuses more.
-#}
{% macro most_bands() -%} {{ return(12) }} {%- endmacro %}

{#- The bands of a ladder in one row: for each place its lower bound and its value. -#}
{% macro bands_in_a_row(is_ladder, name, value) -%}
{%- for place in range(1, most_bands() + 1) %}
max(case when {{ is_ladder }} and place = {{ place }} then lower_bound end)
    as {{ name }}_bound_{{ place }},
max(case when {{ is_ladder }} and place = {{ place }} then {{ value }} end)
    as {{ name }}_value_{{ place }}
{{- ',' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- The value of the highest band that a measure reaches; null below all. -#}
{% macro band_reached(measure, name, row='bands') -%}
case
    {%- for place in range(most_bands(), 0, -1) %}
    when {{ measure }} >= {{ row }}.{{ name }}_bound_{{ place }}
        then {{ row }}.{{ name }}_value_{{ place }}
    {%- endfor %}
end
{%- endmacro %}

{#-
    Stars and the month they were reached in, as one number that orders both: more stars
    first, of equal stars the earlier month. Month numbers have at most six digits.
-#}
{% macro star_record(stars, month_number) -%}
({{ stars }} * 1000000 - {{ month_number }})
{%- endmacro %}

{#- The stars of a star record. -#}
{% macro stars_of_record(record) -%}
cast(ceil({{ record }} / 1000000.0) as bigint)
{%- endmacro %}

{#- The month number of a star record. -#}
{% macro month_of_record(record) -%}
({{ stars_of_record(record) }} * 1000000 - {{ record }})
{%- endmacro %}
