{{ config(materialized='by_month', month='month_number') }}
with complaint_versions as (

    select * from {{ ref('int_complaints_deduplicated') }}

),

service_levels as (

    select * from {{ ref('service_levels') }}
    where service_class = 'standard'

),

months as (

    select
        month_number,
        cast({{ add_months('month', 1) }} as timestamp) as ends_at
    from {{ ref('int_months_numbered') }}

),

settings as (

    select timezone from {{ ref('stg_control__run_settings') }}

),

parameters as (

    {{ named_parameters([
        'churn_complaints_short_months',
        'churn_complaints_long_months',
    ]) }}

),

complaints_known as (

    {{ known_ranges('complaint_versions', 'complaint_id') }}

),

-- Open again after a resolution is not resolved; closed without one ended when closed.
numbered as (

    select
        customer_id,
        kind,
        severity,
        satisfaction,
        opened_at,
        coalesce(acknowledged_at, resolved_at, closed_at) as responded_at,
        case
            when status in ('resolved', 'closed') then coalesce(resolved_at, closed_at)
        end as resolved_at,
        {{ month_number('opened_at') }} as opened_number,
        month_from_number,
        month_to_number
    from complaints_known

),

-- A clock that has not stopped runs to the month's end: the least skips what is null.
-- A complaint is followed for the long window, and while it is open.
followed as (

    select
        numbered.*,
        months.month_number,
        months.ends_at,
        settings.timezone,
        months.month_number
        < numbered.opened_number + parameters.churn_complaints_short_months as is_short,
        months.month_number
        < numbered.opened_number + parameters.churn_complaints_long_months as is_long,
        numbered.resolved_at is null
        or numbered.resolved_at >= months.ends_at as is_open
    from numbered
    cross join parameters
    cross join settings
    inner join months
        on
            numbered.month_from_number <= months.month_number
            and numbered.month_to_number > months.month_number
            and numbered.opened_number <= months.month_number
    where
        months.month_number
        < numbered.opened_number + parameters.churn_complaints_long_months
        or numbered.resolved_at is null
        or numbered.resolved_at >= months.ends_at

),

clocked as (

    select
        followed.*,
        followed.kind = 'complaint' as is_complaint,
        followed.kind in ('complaint', 'fault') and (
            {{ elapsed_microseconds(
                'followed.opened_at',
                'least(followed.responded_at, followed.ends_at)',
                'followed.timezone',
            ) }} > {{ microseconds_of_hours('service_levels.respond_hours') }}
            or {{ elapsed_microseconds(
                'followed.opened_at',
                'least(followed.resolved_at, followed.ends_at)',
                'followed.timezone',
            ) }} > {{ microseconds_of_hours('service_levels.resolve_hours') }}
        ) as is_breached
    from followed
    left join service_levels on followed.severity = service_levels.severity

),

final as (

    select
        customer_id,
        month_number,
        sum(case when is_complaint and is_short then 1 else 0 end) as complaints_3m,
        sum(case when is_complaint and is_long then 1 else 0 end) as complaints_12m,
        sum(case when is_complaint and is_open then 1 else 0 end) as open_complaints,
        sum(case when is_breached and is_long then 1 else 0 end) as breaches_12m,
        {{ share_of(
            'sum(case when is_long then satisfaction end)',
            'count(case when is_long then satisfaction end)',
        ) }} as mean_satisfaction
    from clocked
    group by customer_id, month_number

)

select * from final
