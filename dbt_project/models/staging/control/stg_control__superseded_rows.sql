with source as (

    select * from {{ source('control', 'superseded_rows') }}

),

renamed as (

    select
        cast(load_id as varchar) as load_id,
        cast(row_number as bigint) as row_number
    from source

)

select * from renamed
