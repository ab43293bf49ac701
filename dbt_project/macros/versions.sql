{#- Histories of versioned feeds, rulebook 0. Both take a CTE or a relation. -#}

{#- The version with the greatest updated_at of each key. -#}
{% macro latest_version(relation, key) -%}
select * from (
    select
        versions.*,
        row_number() over (
            partition by {{ key }} order by updated_at desc
        ) as version_recency
    from {{ relation }} as versions
) as ordered_versions
where version_recency = 1
{%- endmacro %}

{#-
    The version that counts in each month: the latest with updated_at up to its end,
    else the earliest known. Adds month_from_number (inclusive) and month_to_number
    (exclusive). The earliest version also stands for every month before it, so it
    starts at 0 even when a second version follows within its own month.
-#}
{% macro version_ranges(relation, key) -%}
select
    counted_versions.*,
    lead(month_from_number, 1, {{ open_month_number() }}) over (
        partition by {{ key }} order by month_from_number
    ) as month_to_number
from (
    select
        started_versions.*,
        row_number() over (
            partition by {{ key }}, month_from_number order by updated_at desc
        ) as recency_in_month
    from (
        select
            versions.*,
            case
                when lag(updated_at) over (
                    partition by {{ key }} order by updated_at
                ) is null then {{ first_month_number() }}
                else {{ month_number('updated_at') }}
            end as month_from_number
        from {{ relation }} as versions
    ) as started_versions
) as counted_versions
where recency_in_month = 1
{%- endmacro %}

{#-
    What was known at each month's end, strictly: a version holds from the month of its
    updated_at (the last of several in one month) and nothing stands before the first.
    Adds month_from_number (inclusive) and month_to_number (exclusive).
-#}
{% macro known_ranges(relation, key) -%}
select
    dated_versions.*,
    lead(month_from_number, 1, {{ open_month_number() }}) over (
        partition by {{ key }} order by month_from_number
    ) as month_to_number
from (
    select
        versions.*,
        {{ month_number('updated_at') }} as month_from_number,
        row_number() over (
            partition by {{ key }}, {{ month_of('updated_at') }}
            order by updated_at desc
        ) as recency_in_month
    from {{ relation }} as versions
) as dated_versions
where recency_in_month = 1
{%- endmacro %}
