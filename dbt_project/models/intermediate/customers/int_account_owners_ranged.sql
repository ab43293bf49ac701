select
    cast(null as varchar) as account_id,
    cast(null as varchar) as customer_id,
    cast(null as bigint) as month_from_number,
    cast(null as bigint) as month_to_number
where false
