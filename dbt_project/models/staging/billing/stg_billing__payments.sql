with source as (

    select * from {{ source('raw_billing', 'payments') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(payment_id as varchar) as payment_id,
        cast(account_id as varchar) as account_id,
        cast(invoice_id as varchar) as invoice_id,
        cast(payment_method as varchar) as payment_method,
        cast(amount as decimal(18, 2)) as amount,
        cast(paid_on as date) as paid_on
    from source

)

select * from renamed
