select
    cast(null as varchar) as charge_id,
    cast(null as varchar) as invoice_id,
    cast(null as varchar) as account_id,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as subscription_id,
    cast(null as varchar) as product_code,
    cast(null as varchar) as charge_type,
    cast(null as date) as month,
    cast(null as bigint) as month_number,
    cast(null as decimal(18, 4)) as revenue,
    cast(null as decimal(18, 4)) as recurring_revenue,
    cast(null as decimal(18, 4)) as usage_revenue,
    cast(null as decimal(18, 4)) as one_off_revenue,
    cast(null as decimal(18, 4)) as discount,
    cast(null as decimal(18, 4)) as adjustment,
    cast(null as decimal(18, 4)) as unitemised_revenue
where false
