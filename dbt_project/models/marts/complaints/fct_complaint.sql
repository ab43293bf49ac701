with complaints as (

    select * from {{ ref('int_complaints_clocked') }}

),

final as (

    select
        complaint_id,
        customer_id,
        region_code,
        tier_code,
        service_class,
        kind,
        category,
        severity,
        status,
        reopened_count,
        satisfaction,
        compensation,
        respond_limit_hours,
        resolve_limit_hours,
        respond_hours,
        resolve_hours,
        respond_breached,
        resolve_breached,
        regulatory_breached,
        is_repeat,
        is_open,
        mediated,
        handed_off,
        closed_loop,
        opened_month,
        opened_at,
        acknowledged_at,
        resolved_at,
        closed_at
    from complaints

)

select * from final
