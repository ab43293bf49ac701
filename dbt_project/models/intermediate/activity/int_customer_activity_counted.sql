select
    cast(null as varchar) as customer_id,
    cast(null as date) as month,
    cast(null as bigint) as month_number,
    cast(null as bigint) as active_subscriptions,
    cast(null as bigint) as active_accounts,
    cast(null as bigint) as products,
    cast(null as bigint) as product_families
where false
