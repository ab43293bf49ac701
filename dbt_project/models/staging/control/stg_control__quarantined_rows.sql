with source as (

    select * from {{ source('control', 'quarantined_rows') }}

),

renamed as (

    select
        cast(load_id as varchar) as load_id,
        cast(row_number as bigint) as row_number,
        cast(feed as varchar) as feed,
        cast(reasons as varchar) as reasons,
        cast(row_json as varchar) as row_json
    from source

)

select * from renamed
