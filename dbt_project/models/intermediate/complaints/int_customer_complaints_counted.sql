with complaint_versions as (

    select * from {{ ref('int_complaints_deduplicated') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

parameters as (

    {{ named_parameters(['complaint_window_months']) }}

),

known_versions as (

    select complaint_versions.*
    from complaint_versions
    inner join customers on complaint_versions.customer_id = customers.customer_id

),

latest as (

    {{ latest_version('known_versions', 'complaint_id') }}

),

-- Open again after a resolution is not resolved; closed without one ended when closed.
numbered as (

    select
        complaint_id,
        customer_id,
        {{ month_number('opened_at') }} as opened_number,
        case
            when status in ('open', 'acknowledged') then {{ open_month_number() }}
            else coalesce(
                {{ month_number('coalesce(resolved_at, closed_at)') }},
                {{ open_month_number() }}
            )
        end as resolved_number
    from latest
    where kind = 'complaint'

),

counted as (

    select
        numbered.customer_id,
        months.month,
        months.month_number,
        sum(
            case
                when
                    months.month_number
                    < numbered.opened_number + parameters.complaint_window_months
                    then 1
                else 0
            end
        ) as complaints_12m,
        sum(
            case when months.month_number < numbered.resolved_number then 1 else 0 end
        ) as open_complaints
    from numbered
    inner join months on numbered.opened_number <= months.month_number
    cross join parameters
    group by numbered.customer_id, months.month, months.month_number

),

final as (

    select
        customer_id,
        month,
        month_number,
        cast(complaints_12m as bigint) as complaints_12m,
        cast(open_complaints as bigint) as open_complaints
    from counted
    where
        complaints_12m > 0
        or open_complaints > 0

)

select * from final
