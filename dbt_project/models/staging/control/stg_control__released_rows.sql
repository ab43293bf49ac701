with source as (

    select * from {{ source('control', 'released_rows') }}

),

renamed as (

    select
        cast(load_id as varchar) as load_id,
        cast(row_number as bigint) as row_number,
        cast(origin_load_id as varchar) as origin_load_id,
        cast(origin_row_number as bigint) as origin_row_number,
        cast(outcome as varchar) as outcome
    from source

)

select * from renamed
