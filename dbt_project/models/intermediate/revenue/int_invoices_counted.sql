select
    cast(null as varchar) as invoice_id,
    cast(null as varchar) as account_id,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as payment_mode,
    cast(null as varchar) as category,
    cast(null as varchar) as currency,
    cast(null as date) as billing_month,
    cast(null as bigint) as billing_month_number,
    cast(null as date) as issued_on,
    cast(null as date) as due_on,
    cast(null as decimal(18, 2)) as total_amount,
    cast(null as decimal(18, 2)) as tax_amount,
    cast(null as decimal(18, 4)) as billed_amount
where false
