with complaints as (

    select * from {{ ref('int_complaints_clocked') }}
    where kind in ('complaint', 'fault')

),

months as (

    select * from {{ ref('int_months_numbered') }}

),

settings as (

    select * from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters(['delivered_complaint_months']) }}

),

numbered as (

    select
        customer_id,
        resolve_hours,
        respond_limit_hours,
        resolve_limit_hours,
        respond_breached,
        respond_breached or resolve_breached as is_breached,
        is_repeat,
        reopened_count,
        handed_off,
        satisfaction,
        opened_at,
        {{ month_number('opened_at') }} as opened_number,
        coalesce({{ month_number('resolved_at') }}, {{ open_month_number() }})
            as resolved_number
    from complaints

),

-- The months whose window reaches back to the opening or to the resolution.
windowed as (

    select
        numbered.*,
        months.month_number,
        cast({{ add_months('months.month', 1) }} as timestamp) as month_ends_at,
        settings.timezone,
        months.month_number >= numbered.opened_number
        and months.month_number
        < numbered.opened_number + parameters.delivered_complaint_months as is_opened,
        months.month_number >= numbered.resolved_number as is_resolved_by_then,
        months.month_number >= numbered.resolved_number
        and months.month_number
        < numbered.resolved_number + parameters.delivered_complaint_months
            as is_resolved
    from numbered
    cross join parameters
    cross join settings
    inner join months
        on
            least(numbered.opened_number, numbered.resolved_number)
            <= months.month_number
            and (
                numbered.opened_number + parameters.delivered_complaint_months
                > months.month_number
                or (
                    numbered.resolved_number <= months.month_number
                    and numbered.resolved_number + parameters.delivered_complaint_months
                    > months.month_number
                )
            )

),

-- What was known at the month's end: a resolution settles it, and hours that had run
-- out by then were not kept, however it ended later.
judged as (

    select
        windowed.*,
        case
            when not windowed.is_opened then null
            when windowed.is_resolved_by_then then not windowed.is_breached
            when
                {{ elapsed_microseconds(
                    'windowed.opened_at', 'windowed.month_ends_at', 'windowed.timezone'
                ) }} > {{ microseconds_of_hours('windowed.resolve_limit_hours') }}
                then false
            when
                windowed.respond_breached
                and {{ elapsed_microseconds(
                    'windowed.opened_at', 'windowed.month_ends_at', 'windowed.timezone'
                ) }} > {{ microseconds_of_hours('windowed.respond_limit_hours') }}
                then false
        end as is_kept
    from windowed

),

final as (

    select
        customer_id,
        month_number,
        count(is_kept) as outcomes,
        sum(case when is_kept then 1 else 0 end) as kept,
        sum(case when is_resolved then 1 else 0 end) as resolved,
        {{ sum_money('case when is_resolved then resolve_hours else 0 end') }}
            as resolve_hours,
        sum(case when is_opened and handed_off then 1 else 0 end) as handed_off,
        sum(case when is_opened and reopened_count > 0 then 1 else 0 end) as reopened,
        sum(case when is_opened and is_repeat then 1 else 0 end) as repeated,
        count(case when is_opened then satisfaction end) as answers,
        sum(case when is_opened then coalesce(satisfaction, 0) else 0 end)
            as satisfaction
    from judged
    group by customer_id, month_number

)

select * from final
