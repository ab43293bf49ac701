with source as (

    select * from {{ source('raw_customer', 'managers') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(manager_id as varchar) as manager_id,
        cast(manager_name as varchar) as manager_name,
        cast(region_code as varchar) as region_code,
        cast(team as varchar) as team,
        cast(grade as varchar) as grade,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
