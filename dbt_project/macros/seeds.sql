{#-
    dbt keeps a copy of each statement under its target folder, at the path of the source
    file. The reference set lies outside the project, under an absolute path, and such a
    copy would land on the seed itself and overwrite it. A seed's statement is its own
    CSV; nothing is lost by not keeping it. Otherwise this is dbt's own macro.
-#}
{% macro noop_statement(name=none, message=none, code=none, rows_affected=none, res=none) -%}
    {%- set sql = caller() -%}
    {%- if name == 'main' and model.resource_type != 'seed' -%}
        {{ write(sql) }}
    {%- endif -%}
    {%- if name is not none -%}
        {{ store_raw_result(
            name, message=message, code=code, rows_affected=rows_affected, agate_table=res
        ) }}
    {%- endif -%}
{%- endmacro %}
