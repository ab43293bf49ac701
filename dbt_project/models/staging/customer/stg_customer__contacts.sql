with source as (

    select * from {{ source('raw_customer', 'contacts') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(contact_id as varchar) as contact_id,
        cast(customer_id as varchar) as customer_id,
        cast(manager_id as varchar) as manager_id,
        cast(campaign_id as varchar) as campaign_id,
        cast(channel as varchar) as channel,
        cast(purpose as varchar) as purpose,
        cast(outcome as varchar) as outcome,
        cast(score as bigint) as score,
        cast(cost as decimal(18, 2)) as cost,
        cast(contacted_at as timestamp) as contacted_at
    from source

)

select * from renamed
