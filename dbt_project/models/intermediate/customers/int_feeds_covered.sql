select
    cast(null as varchar) as feed,
    cast(null as date) as first_month,
    cast(null as date) as last_month,
    cast(null as bigint) as first_month_number,
    cast(null as bigint) as last_month_number
where false
