with complaints as (

    select * from {{ ref('int_complaints_clocked') }}

),

final as (

    select
        region_code as local_code,
        opened_month as month,
        count(case when kind = 'complaint' then 1 end) as complaints,
        count(resolve_breached) as resolve_outcomes,
        count(case when resolve_breached then 1 end) as resolve_breaches
    from complaints
    where kind in ('complaint', 'fault')
    group by region_code, opened_month

)

select * from final
