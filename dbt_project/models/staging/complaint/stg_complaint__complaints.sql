with source as (

    select * from {{ source('raw_complaint', 'complaints') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(complaint_id as varchar) as complaint_id,
        cast(customer_id as varchar) as customer_id,
        cast(subscription_id as varchar) as subscription_id,
        cast(kind as varchar) as kind,
        cast(category as varchar) as category,
        cast(severity as varchar) as severity,
        cast(channel as varchar) as channel,
        cast(description as varchar) as description,
        cast(first_owner as varchar) as first_owner,
        cast(status as varchar) as status,
        cast(owner_changes as bigint) as owner_changes,
        cast(reopened_count as bigint) as reopened_count,
        cast(satisfaction as bigint) as satisfaction,
        cast(compensation as decimal(18, 2)) as compensation,
        cast(mediated as boolean) as mediated,
        cast(opened_at as timestamp) as opened_at,
        cast(acknowledged_at as timestamp) as acknowledged_at,
        cast(resolved_at as timestamp) as resolved_at,
        cast(closed_at as timestamp) as closed_at,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
