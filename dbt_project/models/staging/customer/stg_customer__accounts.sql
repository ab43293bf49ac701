with source as (

    select * from {{ source('raw_customer', 'accounts') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(account_id as varchar) as account_id,
        cast(customer_id as varchar) as customer_id,
        cast(currency as varchar) as currency,
        cast(payment_mode as varchar) as payment_mode,
        cast(payment_method as varchar) as payment_method,
        cast(credit_limit as decimal(18, 2)) as credit_limit,
        cast(opened_on as date) as opened_on,
        cast(closed_on as date) as closed_on,
        cast(updated_at as timestamp) as updated_at
    from source

)

select * from renamed
