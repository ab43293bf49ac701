{#-
    Tables built month by month. The loader knows since which month the deliveries can
    have changed anything (run settings); the months before stay as they were built.
    A model says by its configuration how its months hang together:

        month          its column of the month, or of the month's number
        months_before  the parameter that says how many months before a changed one
                       change with it
        tells_late     whether it tells of complaints, campaigns or proposals, as they
                       are known now, in the month in which they began
        tells_tiers    whether it tells of tiers: a policy that judges margin or value
                       score follows whatever moves these, which may be any month
-#}

{#- Number of the first month to build anew; none where the whole table has to be. -#}
{% macro first_rebuilt_month() -%}
    {%- if
        not execute
        or flags.WHICH not in ('build', 'run', 'retry')
        or model.config.materialized != 'by_month'
        or flags.FULL_REFRESH
        or load_cached_relation(this) is none
        or (config.get('tells_tiers') and value_is_judged())
    -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set since = 'late_changed_since' if config.get('tells_late') else 'changed_since' -%}
    {%- set found = run_query(
        'select ' ~ month_number(since) ~ ' from ' ~ source('control', 'run_settings')
    ).columns[0].values()[0] -%}
    {{ return(none if found is none else found | int - months_before()) }}
{%- endmacro %}

{% macro months_before() -%}
    {%- set name = config.get('months_before') -%}
    {{ return(
        0 if name is none
        else run_query(
            'select cast(value as bigint) from ' ~ seeded('parameters')
            ~ " where name = '" ~ name ~ "'"
        ).columns[0].values()[0] | int
    ) }}
{%- endmacro %}

{#- A seed that a model reads through others, and not to build its rows. -#}
{% macro seeded(name) -%}
    {{- graph.nodes['seed.tierwise.' ~ name].relation_name if graph.nodes -}}
{%- endmacro %}

{% macro value_is_judged() -%}
    {{ return(run_query(
        'select count(*) from ' ~ seeded('tier_policies')
        ~ " where metric in ('margin', 'value_score')"
    ).columns[0].values()[0] > 0) }}
{%- endmacro %}

{#-
    A condition on a column of the month, or of the month's number, of something a model
    reads: only what the months to be built reach back to, which may be an expression.
    True where the whole table is built.
-#}
{% macro is_needed(column, months_back=0) -%}
    {%- set first = first_rebuilt_month() -%}
    {%- if first is none -%} true
    {%- elif months_back is string -%} {{ column }} >= {{ first }} - {{ months_back }}
    {%- else -%} {{ month_from(column, first - months_back) }}
    {%- endif -%}
{%- endmacro %}

{% macro month_from(column, number) -%}
    {%- if column.endswith('_number') -%} {{ column }} >= {{ number }}
    {%- else -%} {{ column }} >= date '{{ '%04d-%02d-01' % (number // 12, number % 12 + 1) }}'
    {%- endif -%}
{%- endmacro %}

{% materialization by_month, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set first = first_rebuilt_month() -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if first is none %}
        {{ drop_relation_if_exists(load_cached_relation(this)) }}
        {% call statement('main') -%}
            {{- create_table_as(False, target, compiled_code) }}
        {%- endcall %}
    {% else %}
        {%- set is_rebuilt = month_from(config.get('month', 'month'), first) -%}
        {% call statement('delete') -%}
            delete from {{ target }} where {{ is_rebuilt }}
        {%- endcall %}
        {% call statement('main') -%}
            insert into {{ target }} by name
            select * from ({{ compiled_code }}) as rebuilt where {{ is_rebuilt }}
        {%- endcall %}
    {% endif %}
    {% do persist_docs(target, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
