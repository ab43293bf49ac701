{#-
    A key is declared in the contract and proven by the test `primary_key`. DuckDB would
    build an index for each while it writes the table, which costs more than the table;
    so keys are documentation there. `not null` and checks are enforced as they stand.
-#}
{% macro duckdb__get_table_columns_and_constraints() -%}
    {%- set enforced = model['constraints']
        | rejectattr('type', 'in', ['primary_key', 'foreign_key']) | list -%}
    {%- set columns = adapter.render_raw_columns_constraints(raw_columns=model['columns']) -%}
    {%- set rules = adapter.render_raw_model_constraints(raw_constraints=enforced) -%}
    ({{ (columns + rules) | join(', ') }})
{%- endmacro %}
