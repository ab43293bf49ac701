with source as (

    select * from {{ source('raw_customer', 'campaigns') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(campaign_id as varchar) as campaign_id,
        cast(campaign_name as varchar) as campaign_name,
        cast(objective as varchar) as objective,
        cast(fixed_cost as decimal(18, 2)) as fixed_cost,
        cast(starts_on as date) as starts_on,
        cast(ends_on as date) as ends_on,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
