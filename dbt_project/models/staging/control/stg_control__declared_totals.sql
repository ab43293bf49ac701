with source as (

    select * from {{ source('control', 'declared_totals') }}

),

renamed as (

    select
        cast(load_id as varchar) as load_id,
        cast(feed as varchar) as feed,
        cast(measure as varchar) as measure,
        cast(declared as decimal(38, 9)) as declared_total,
        cast(loaded as decimal(38, 9)) as loaded_total,
        cast(quarantined as decimal(38, 9)) as quarantined_total,
        cast(duplicate as decimal(38, 9)) as duplicate_total
    from source

)

select * from renamed
