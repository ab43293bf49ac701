{#- Rules of invoices that more than one model needs, rulebook 1. -#}

{#- The categories that count, for an `in`: duplicate and trial bills are never revenue. -#}
{% macro counted_categories() -%}
'normal', 'interim', 'last', 'credit_note'
{%- endmacro %}
