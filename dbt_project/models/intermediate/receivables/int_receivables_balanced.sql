select
    cast(null as varchar) as currency,
    cast(null as date) as month,
    cast(null as decimal(18, 4)) as billed_amount,
    cast(null as decimal(18, 4)) as paid_amount,
    cast(null as decimal(18, 4)) as outstanding_amount,
    cast(null as decimal(18, 4)) as credit_on_account
where false
