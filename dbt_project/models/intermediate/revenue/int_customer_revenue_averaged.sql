select
    cast(null as varchar) as customer_id,
    cast(null as date) as month,
    cast(null as bigint) as month_number,
    cast(null as decimal(18, 4)) as revenue,
    cast(null as decimal(18, 4)) as billed_amount,
    cast(null as decimal(18, 4)) as avg_revenue_3m,
    cast(null as decimal(18, 4)) as avg_revenue_6m
where false
