{#-
    The settlement of an increment. Movements of the months before the first changed one
    are final and stay; what comes after begins with what these months left open.
-#}

{#-
    The day from which on money is settled anew, as text of SQL; none where the settlement
    begins with the first bill.
-#}
{% macro settlement_begin() -%}
    {%- if
        not execute
        or flags.WHICH not in ('build', 'run', 'retry')
        or model.config.materialized == 'unit'
        or flags.FULL_REFRESH
        or is_missing('int_settlements_allocated')
        or is_missing('int_invoices_settled')
    -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set found = run_query(
        'select ' ~ month_number('changed_since') ~ ' from '
        ~ source('control', 'run_settings')
    ).columns[0].values()[0] -%}
    {{ return(none if found is none else "date '" ~ first_day(found | int) ~ "'") }}
{%- endmacro %}

{#- A model as the last run built it: read by what comes before it in this run. -#}
{% macro built_before(name) -%}
    {{- graph.nodes['model.tierwise.' ~ name].relation_name if graph.nodes -}}
{%- endmacro %}

{% macro is_missing(name) -%}
    {%- set node = graph.nodes['model.tierwise.' ~ name] -%}
    {{ return(adapter.get_relation(node.database, node.schema, node.alias) is none) }}
{%- endmacro %}
