with source as (

    select * from {{ source('control', 'active_loads') }}

),

renamed as (

    select
        cast(load_id as varchar) as load_id,
        cast(feed as varchar) as feed,
        cast(delivery_rank as bigint) as delivery_rank
    from source

)

select * from renamed
