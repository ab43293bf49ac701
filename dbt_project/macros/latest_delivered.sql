{% macro latest_delivered(relation) -%}
    {#-
        The rows of an active load; of rows with one key, the one delivered last
        (a correction supersedes, both stay in staging). For a versioned feed the key
        includes the version's instant, so that every version stays. The loader knows
        the superseded rows: they are few, and keys need not be compared again.
    -#}
with rows_delivered as (

    select
        delivered.*,
        active_loads.delivery_rank
    from {{ relation }} as delivered
    inner join {{ ref('stg_control__active_loads') }} as active_loads
        on delivered.load_id = active_loads.load_id

)

select rows_delivered.*
from rows_delivered
left join {{ ref('stg_control__superseded_rows') }} as superseded_rows
    on
        rows_delivered.load_id = superseded_rows.load_id
        and rows_delivered.row_number = superseded_rows.row_number
where superseded_rows.load_id is null
{%- endmacro %}
