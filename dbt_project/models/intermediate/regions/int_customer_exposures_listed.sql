with complaints as (

    select * from {{ ref('int_complaints_clocked') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

clocked as (

    select
        customer_id,
        {{ month_number('opened_month') }} as opened_number,
        case
            when is_open then {{ open_month_number() }}
            else {{ month_number('resolved_at') }}
        end as resolved_number,
        coalesce(respond_breached, false) or coalesce(resolve_breached, false)
            as is_breached
    from complaints
    where kind in ('complaint', 'fault')

),

-- A breach weighs on the month of its complaint even if that was resolved within it.
final as (

    select distinct
        clocked.customer_id,
        months.month,
        months.month_number
    from clocked
    inner join months
        on
            clocked.opened_number <= months.month_number
            and (
                clocked.resolved_number > months.month_number
                or (clocked.is_breached and clocked.opened_number = months.month_number)
            )

)

select * from final
