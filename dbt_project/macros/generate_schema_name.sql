{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- Schemas carry their own names (marts, audit, …): BI users never see a prefix. -#}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
