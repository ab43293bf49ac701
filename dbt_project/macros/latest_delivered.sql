{% macro latest_delivered(relation, key) -%}
    {#-
        The rows of an active load; of rows with one key, the one delivered last
        (a correction supersedes, both stay in staging). For a versioned feed the key
        includes the version's instant, so that every version stays.
        Only keys and places are sorted: whole rows would fill the memory, and next to
        none of them is superseded. A CTE read twice would be kept whole, with columns
        that nobody asks for; so what is read twice is named twice.
    -#}
with places as (

    select
        delivered.load_id,
        delivered.row_number,
        row_number() over (
            partition by {{ key | join(', ') }}
            order by active_loads.delivery_rank desc, delivered.row_number desc
        ) as recency
    from {{ relation }} as delivered
    inner join {{ ref('stg_control__active_loads') }} as active_loads
        on delivered.load_id = active_loads.load_id

),

superseded as (

    select
        load_id,
        row_number
    from places
    where recency > 1

)

select
    delivered.*,
    active_loads.delivery_rank
from {{ relation }} as delivered
inner join {{ ref('stg_control__active_loads') }} as active_loads
    on delivered.load_id = active_loads.load_id
left join superseded
    on
        delivered.load_id = superseded.load_id
        and delivered.row_number = superseded.row_number
where superseded.load_id is null
{%- endmacro %}
