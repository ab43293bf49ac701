with source as (

    select * from {{ source('raw_customer', 'contracts') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(contract_id as varchar) as contract_id,
        cast(customer_id as varchar) as customer_id,
        cast(approval_level as varchar) as approval_level,
        cast(monthly_commitment as decimal(18, 2)) as monthly_commitment,
        cast(discount_rate as decimal(9, 6)) as discount_rate,
        cast(discount_limit as decimal(9, 6)) as discount_limit,
        cast(signed_on as date) as signed_on,
        cast(starts_on as date) as starts_on,
        cast(ends_on as date) as ends_on,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
