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
        tells_churn    whether it tells of the churn model's scores, or of what they enter:
                       every run fits the model anew, so all months are built
        in_parts       false for a model that reads all of history for any of its months
        key            of a model whose rows change long after their month: all rows of a
                       key are built anew where one of them is of a changed month
        takes          columns taken over as they stand `from` a model that changes in
                       other months too, by a `key` that both have: in the months that
                       stay they are brought up to date, row by row, where they differ

    Where the months to be built are more than the engine's memory holds at once, which
    the loader says too, they are built in parts, some months at a time. The months that
    the next deliveries are likely to change are a part of their own: they then lie
    together, and neither their readers nor what replaces them touch the others.
-#}

{#- Number of the first month to build anew; none where the whole table has to be. -#}
{% macro first_rebuilt_month() -%}
    {%- if
        not execute
        or flags.WHICH not in ('build', 'run', 'retry')
        or model.config.materialized != 'by_month'
        or load_cached_relation(this) is none
    -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return(first_changed_month(config)) }}
{%- endmacro %}

{#- The same of a table that stands, by the configuration of its model. -#}
{% macro first_changed_month(of) -%}
    {%- if
        flags.FULL_REFRESH
        or of.get('tells_churn')
        or (of.get('tells_tiers') and value_is_judged())
    -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set since = 'late_changed_since' if of.get('tells_late') else 'changed_since' -%}
    {%- set found = run_query(
        'select ' ~ month_number(since) ~ ' from ' ~ source('control', 'run_settings')
    ).columns[0].values()[0] -%}
    {{ return(none if found is none else found | int - months_before(of.get('months_before'))) }}
{%- endmacro %}

{#-
    A condition on the rows of a table that a run can have written: all where it builds
    everything, or where the table is not one of months that carry their rows' key.
-#}
{% macro can_be_new(relation, key) -%}
    {%- set node = graph.nodes['model.tierwise.' ~ relation.identifier] if execute -%}
    {%- set month = node.config.get('month', 'month') if node -%}
    {%- if
        not node
        or flags.WHICH != 'build'
        or node.config.materialized != 'by_month'
        or node.config.get('key')
        or month not in key
    -%} true
    {%- else -%} {{ months_between(month, first_changed_month(node.config), none) }}
    {%- endif -%}
{%- endmacro %}

{% macro months_before(name) -%}
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
    The months to build, as pairs of the numbers of the first month and of the one after
    the last; none where a part has no such bound.
-#}
{% macro build_parts() -%}
    {%- set first = first_rebuilt_month() -%}
    {%- if
        not execute
        or flags.WHICH not in ('build', 'run', 'retry')
        or model.config.materialized != 'by_month'
        or not config.get('in_parts', true)
    -%}
        {{ return([(first, none)]) }}
    {%- endif -%}
    {%- set row = run_query(
        'select ' ~ month_number('first_month') ~ ', ' ~ month_number('closing_month')
        ~ ', months_at_once, recent_months from ' ~ source('control', 'run_settings')
    ).rows[0] -%}
    {%- set begin = row[0] | int if first is none else first -%}
    {%- set end = [row[1] | int + 1, begin + 1] | max -%}
    {%- set recent = end - row[3] | int if first is none and row[3] else end -%}
    {%- set stretches = [(begin, recent), (recent, end)] if begin < recent < end
        else [(begin, end)] -%}
    {%- set starts = [] -%}
    {%- for stretch_begin, stretch_end in stretches -%}
        {%- set months = stretch_end - stretch_begin -%}
        {%- set count = 1 if row[2] is none else (months / row[2] | int) | round(0, 'ceil') | int -%}
        {%- set size = (months / count) | round(0, 'ceil') | int -%}
        {%- do starts.extend(range(stretch_begin, stretch_end, size)) -%}
    {%- endfor -%}
    {%- set parts = [] -%}
    {%- for start in starts -%}
        {%- do parts.append((
            first if loop.first else start,
            none if loop.last else starts[loop.index],
        )) -%}
    {%- endfor -%}
    {{ return(parts) }}
{%- endmacro %}

{#-
    A condition on a column of the month, or of the month's number, of something a model
    reads: only what the months to be built reach back to, which may be an expression.
    True where the whole table is built at once. Where it is built in parts, the bounds
    stand as words in brackets that the materialization replaces.
-#}
{% macro is_needed(column, months_back=0) -%}
    {%- set parts = build_parts() -%}
    {%- set first = parts[0][0] -%}
    {%- set is_number = is_month_number(column) or months_back is string -%}
    {%- if parts | length > 1 -%}
        {%- if is_number -%}
            ({{ column }} >= [[first_number]] - {{ months_back }} and {{ column }} < [[end_number]])
        {%- else -%}
            (
                {{ column }} >= {{ add_months("date '[[first_month]]'", -months_back) }}
                and {{ column }} < date '[[end_month]]'
            )
        {%- endif -%}
    {%- elif first is none -%} true
    {%- elif months_back is string -%} {{ column }} >= {{ first }} - {{ months_back }}
    {%- else -%} {{ months_between(column, first - months_back, none) }}
    {%- endif -%}
{%- endmacro %}

{#- The same on a range of months, whose end is exclusive and null where it goes on. -#}
{% macro is_range_needed(from_number, to_number) -%}
    {%- set parts = build_parts() -%}
    {%- set first = parts[0][0] -%}
    {%- if parts | length > 1 -%}
        (
            {{ from_number }} < [[end_number]]
            and ({{ to_number }} is null or {{ to_number }} > [[first_number]])
        )
    {%- elif first is none -%} true
    {%- else -%} ({{ to_number }} is null or {{ to_number }} > {{ first }})
    {%- endif -%}
{%- endmacro %}

{#-
    Of a model with a key: a condition on what makes its rows. They are built anew where a
    condition on them says so, or where they were of a changed month when last built.
-#}
{% macro is_replaced(condition) -%}
    {%- set first = first_rebuilt_month() -%}
    {%- set key = config.get('key') -%}
    {%- if first is none -%} true
    {%- else -%}
        (
            {{ condition }}
            or {{ key }} in (
                select {{ key }} from {{ this }}
                where {{ months_between(config.get('month'), first, none) }}
            )
        )
    {%- endif -%}
{%- endmacro %}

{% macro is_month_number(column) -%} {{ return(column.rstrip(')').endswith('_number')) }} {%- endmacro %}

{% macro months_between(column, first, end) -%}
    {%- set is_number = is_month_number(column) -%}
    {%- if first is none and end is none -%} true {%- endif -%}
    {%- if first is not none -%}
        {{ column }} >= {{ first if is_number else "date '" ~ first_day(first) ~ "'" }}
    {%- endif -%}
    {{ ' and ' if first is not none and end is not none }}
    {%- if end is not none -%}
        {{ column }} < {{ end if is_number else "date '" ~ first_day(end) ~ "'" }}
    {%- endif -%}
{%- endmacro %}

{% macro first_day(number) -%} {{ '%04d-%02d-01' % (number // 12, number % 12 + 1) }} {%- endmacro %}

{#- What a model selects of one part of its months, no others. -#}
{% macro select_part(sql, first, end) -%}
    {%- set lowest = 12 if first is none else first -%}
    {%- set highest = 12 * 9999 if end is none else end -%}
    {%- set bounded = (
        sql | replace('[[first_number]]', lowest) | replace('[[end_number]]', highest)
        | replace('[[first_month]]', first_day(lowest)) | replace('[[end_month]]', first_day(highest))
    ) -%}
    select * from ({{ bounded }}) as part
    where {{ months_between(config.get('month', 'month'), first, end) }}
{%- endmacro %}

{#-
    Bring columns taken from another model up to date in the months before one. Which rows
    these months have depends on nothing that moves, so no row comes or goes; one that the
    other model no longer has loses what was taken.
-#}
{% macro update_taken(target, takes, end) -%}
    {{ return(adapter.dispatch('update_taken', 'tierwise')(target, takes, end)) }}
{%- endmacro %}

{% macro default__update_taken(target, takes, end) -%}
    merge into {{ target }} as built
    using ({{ rows_to_update(target, takes, end) }}) as taken
    on {{ are_equal(takes['key'], 'built', 'taken') }}
    when matched then update set
        {%- for column in takes['columns'] %}
        {{ column }} = taken.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
{%- endmacro %}

{% macro duckdb__update_taken(target, takes, end) -%}
    update {{ target }} as built
    set
        {%- for column in takes['columns'] %}
        {{ column }} = taken.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ({{ rows_to_update(target, takes, end) }}) as taken
    where {{ are_equal(takes['key'], 'built', 'taken') }}
{%- endmacro %}

{% macro rows_to_update(target, takes, end) -%}
    select
        {%- for column in takes['key'] %}
        built.{{ column }},
        {%- endfor %}
        {%- for column in takes['columns'] %}
        latest.{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ target }} as built
    left join {{ ref(takes['from']) }} as latest
        on {{ are_equal(takes['key'], 'built', 'latest') }}
    where
        {{ months_between('built.' ~ config.get('month', 'month'), none, end) }}
        and (
            {%- for column in takes['columns'] %}
            {{ 'or ' if not loop.first }}built.{{ column }} is distinct from latest.{{ column }}
            {%- endfor %}
        )
{%- endmacro %}

{% macro are_equal(columns, one, other) -%}
    {%- for column in columns -%}
        {{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% materialization by_month, adapter='duckdb' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set parts = build_parts() -%}
    {%- set first = parts[0][0] -%}
    {%- set is_replacing = first is not none and config.get('key') is not none -%}
    {%- set replacing = this.identifier ~ '__replacing' -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if first is none %}
        {{ drop_relation_if_exists(load_cached_relation(this)) }}
    {% elif is_replacing %}
        {% call statement('select') -%}
            create or replace temporary table {{ replacing }} as {{ compiled_code }}
        {%- endcall %}
        {% call statement('delete') -%}
            delete from {{ target }}
            where {{ config.get('key') }} in (
                select {{ config.get('key') }} from {{ target }}
                where {{ months_between(config.get('month'), first, none) }}
                union all
                select {{ config.get('key') }} from {{ replacing }}
            )
        {%- endcall %}
        {% call statement('main') -%}
            insert into {{ target }} by name select * from {{ replacing }}
        {%- endcall %}
        {% call statement('drop') -%} drop table {{ replacing }} {%- endcall %}
    {% else %}
        {% if config.get('takes') %}
            {% call statement('update_taken') -%}
                {{ update_taken(target, config.get('takes'), first) }}
            {%- endcall %}
        {% endif %}
        {% call statement('delete') -%}
            delete from {{ target }}
            where {{ months_between(config.get('month', 'month'), first, none) }}
        {%- endcall %}
    {% endif %}
    {% for part_first, part_end in ([] if is_replacing else parts) %}
        {%- set part = select_part(compiled_code, part_first, part_end) -%}
        {% call statement('main') -%}
            {% if loop.first and first is none %}
                {{- create_table_as(False, target, part) }}
            {% else %}
                insert into {{ target }} by name {{ part }}
            {% endif %}
        {%- endcall %}
    {% endfor %}
    {% do persist_docs(target, model) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
