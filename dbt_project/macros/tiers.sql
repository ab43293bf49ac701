{#- Rules of tiers that more than one model needs. -#}

{#- Whether a value reaches a band's bound; unknown values reach nothing. -#}
{% macro reaches_bound(value, comparator, bound) -%}
case
    when {{ comparator }} = 'gt' then {{ value }} > {{ bound }}
    else {{ value }} >= {{ bound }}
end
{%- endmacro %}

{#- A region class or legal form to join on: customers of a region without a class match. -#}
{% macro class_key(column) -%} coalesce({{ column }}, '') {%- endmacro %}
