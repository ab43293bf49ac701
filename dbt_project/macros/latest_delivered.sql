{% macro latest_delivered(relation, key) -%}
    {#-
        The rows of an active load; of rows with one key, the one delivered last
        (a correction supersedes, both stay in staging). For a versioned feed the key
        includes the version's instant, so that every version stays.
    -#}
with rows_delivered as (

    select
        delivered.*,
        active_loads.delivery_rank,
        row_number() over (
            partition by {{ key | join(', ') }}
            order by active_loads.delivery_rank desc, delivered.row_number desc
        ) as recency
    from {{ relation }} as delivered
    inner join {{ ref('stg_control__active_loads') }} as active_loads
        on delivered.load_id = active_loads.load_id

)

select * from rows_delivered
where recency = 1
{%- endmacro %}
