select
    cast(null as varchar) as account_id,
    cast(null as varchar) as currency,
    cast(null as varchar) as payment_mode,
    cast(null as varchar) as payment_method,
    cast(null as date) as opened_on,
    cast(null as date) as closed_on
where false
