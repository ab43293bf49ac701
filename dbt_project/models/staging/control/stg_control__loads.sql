with source as (

    select * from {{ source('control', 'loads') }}

),

renamed as (

    select
        cast(load_id as varchar) as load_id,
        cast(run_id as varchar) as run_id,
        cast(feed as varchar) as feed,
        cast(file_name as varchar) as file_name,
        cast(file_sha256 as varchar) as file_sha256,
        cast(file_bytes as bigint) as file_bytes,
        cast(delivered_at as timestamp) as delivered_at,
        cast(loaded_at as timestamp) as loaded_at,
        cast(rows_in_file as bigint) as rows_in_file,
        cast(rows_loaded as bigint) as rows_loaded,
        cast(rows_quarantined as bigint) as rows_quarantined,
        cast(rows_duplicate as bigint) as rows_duplicate,
        cast(status as varchar) as status,
        cast(reason as varchar) as reason,
        cast(months as varchar) as months,
        cast(origin_load_id as varchar) as origin_load_id
    from source

)

select * from renamed
