{#-
    A name as the published marts may show it: the first character of each word, then
    *** (rulebook 12). A name written without spaces is one word. Null stays null.
-#}
{% macro mask_name(name) -%}
    {{ return(adapter.dispatch('mask_name', 'tierwise')(name)) }}
{%- endmacro %}

{% macro default__mask_name(name) -%}
regexp_replace(trim({{ name }}), '(\\S)\\S*', '$1***')
{%- endmacro %}

{% macro duckdb__mask_name(name) -%}
regexp_replace(trim({{ name }}), '(\S)\S*', '\1***', 'g')
{%- endmacro %}
