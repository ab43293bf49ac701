select
    cast(null as varchar) as customer_id,
    cast(null as date) as month,
    cast(null as bigint) as month_number,
    cast(null as decimal(18, 4)) as margin,
    cast(null as decimal(18, 4)) as current_value,
    cast(null as decimal(18, 4)) as value_score
where false
