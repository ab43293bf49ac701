select
    cast(null as varchar) as complaint_id,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as kind,
    cast(null as varchar) as category,
    cast(null as varchar) as region_code,
    cast(null as date) as opened_month,
    cast(null as timestamp) as opened_at,
    cast(null as timestamp) as resolved_at,
    cast(null as boolean) as is_open,
    cast(null as boolean) as respond_breached,
    cast(null as boolean) as resolve_breached
where false
