with source as (

    select * from {{ source('raw_billing', 'service_quality') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(subscription_id as varchar) as subscription_id,
        cast(quality_month as date) as quality_month,
        cast(access_rate as decimal(9, 6)) as access_rate,
        cast(drop_rate as decimal(9, 6)) as drop_rate,
        cast(outage_minutes as decimal(18, 2)) as outage_minutes
    from source

)

select * from renamed
