with source as (

    select * from {{ source('raw_billing', 'invoices') }}

),

renamed as (

    select
        _load_id as load_id,
        _row_number as row_number,
        cast(invoice_id as varchar) as invoice_id,
        cast(account_id as varchar) as account_id,
        cast(category as varchar) as category,
        cast(currency as varchar) as currency,
        cast(total_amount as decimal(18, 2)) as total_amount,
        cast(tax_amount as decimal(18, 2)) as tax_amount,
        cast(billing_month as date) as billing_month,
        cast(issued_on as date) as issued_on,
        cast(due_on as date) as due_on
    from source

)

select * from renamed
