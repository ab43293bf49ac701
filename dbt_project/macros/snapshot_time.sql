{#-
    The instant of a belief is the start of the run that held it, not the moment at which
    dbt happened to write it: the run done again from the same inputs gives the same
    snapshot, row for row. dbt asks for the time in several statements; all get this one.
-#}
{% macro default__snapshot_get_time() -%}
{%- if execute -%}
    {%- set started = run_query(
        "select started_at from " ~ ref('stg_control__run_settings')
    ).columns[0].values()[0] -%}
cast('{{ started }}' as timestamp)
{%- else -%}
current_timestamp
{%- endif -%}
{%- endmacro %}
