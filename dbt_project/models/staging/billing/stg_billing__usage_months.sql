with source as (

    select * from {{ source('raw_billing', 'usage') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(subscription_id as varchar) as subscription_id,
        cast(usage_month as date) as usage_month,
        cast(sms_count as bigint) as sms_count,
        cast(active_days as bigint) as active_days,
        cast(voice_minutes as decimal(18, 2)) as voice_minutes,
        cast(data_mb as decimal(18, 2)) as data_mb
    from source

)

select * from renamed
