select
    cast(null as varchar) as customer_id,
    cast(null as date) as month,
    cast(null as bigint) as month_number,
    cast(null as boolean) as is_important,
    cast(null as boolean) as is_high_value,
    cast(null as boolean) as is_group,
    cast(null as boolean) as is_strategic,
    cast(null as boolean) as is_premier,
    cast(null as varchar) as key_kinds,
    cast(null as varchar) as segment
where false
