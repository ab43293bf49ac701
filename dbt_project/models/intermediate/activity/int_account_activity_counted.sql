select
    cast(null as varchar) as account_id,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as product_code,
    cast(null as date) as month,
    cast(null as bigint) as month_number,
    cast(null as bigint) as active_subscriptions
where false
