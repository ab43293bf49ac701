with source as (

    select * from {{ source('raw_billing', 'charges') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(charge_id as varchar) as charge_id,
        cast(invoice_id as varchar) as invoice_id,
        cast(subscription_id as varchar) as subscription_id,
        cast(product_code as varchar) as product_code,
        cast(charge_type as varchar) as charge_type,
        cast(unit as varchar) as unit,
        cast(amount as decimal(18, 4)) as amount,
        cast(quantity as decimal(18, 4)) as quantity
    from source

)

select * from renamed
