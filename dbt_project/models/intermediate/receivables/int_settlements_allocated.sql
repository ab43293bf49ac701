select
    cast(null as varchar) as account_id,
    cast(null as varchar) as currency,
    cast(null as varchar) as invoice_id,
    cast(null as varchar) as source_kind,
    cast(null as varchar) as source_id,
    cast(null as date) as settled_on,
    cast(null as date) as undoes_settled_on,
    cast(null as decimal(18, 2)) as amount
where false
