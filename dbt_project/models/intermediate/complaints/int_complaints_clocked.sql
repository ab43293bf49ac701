with complaints as (

    select * from {{ ref('int_complaints_dated') }}

),

tiers as (

    select * from {{ ref('int_customer_tiers_decided') }}

),

service_levels as (

    select * from {{ ref('service_levels') }}

),

parameters as (

    {{ named_parameters(['regulatory_days', 'repeat_days']) }}

),

-- The customer is served by the class it had reached when the month began.
classified as (

    select
        complaints.*,
        complaints.kind in ('complaint', 'fault') as is_clocked,
        coalesce(tiers.tier_code, 'none') as tier_code,
        coalesce(tiers.service_class, 'standard') as service_class
    from complaints
    left join tiers
        on
            complaints.customer_id = tiers.customer_id
            and {{ month_number('complaints.opened_at') }} - 1 = tiers.month_number

),

-- A class without hours of its own is served in the hours of class standard.
limited as (

    select
        classified.*,
        case
            when class_levels.service_class is not null
                then class_levels.respond_hours
            else standard_levels.respond_hours
        end as respond_limit_hours,
        case
            when class_levels.service_class is not null
                then class_levels.resolve_hours
            else standard_levels.resolve_hours
        end as resolve_limit_hours
    from classified
    left join service_levels as class_levels
        on
            classified.service_class = class_levels.service_class
            and classified.severity = class_levels.severity
    left join service_levels as standard_levels
        on
            standard_levels.service_class = 'standard'
            and classified.severity = standard_levels.severity

),

-- A resolution answers what was never acknowledged; what is open runs to the end.
timed as (

    select
        limited.*,
        coalesce(limited.acknowledged_at, limited.resolved_at) is null
            as awaits_response,
        {{ elapsed_microseconds(
            'limited.opened_at',
            'coalesce(limited.acknowledged_at, limited.resolved_at, limited.closes_at)',
            'limited.timezone',
        ) }} as respond_microseconds,
        {{ elapsed_microseconds(
            'limited.opened_at',
            'coalesce(limited.resolved_at, limited.closes_at)',
            'limited.timezone',
        ) }} as resolve_microseconds
    from limited

),

repeats as (

    select distinct complaints.complaint_id
    from complaints
    inner join complaints as earlier
        on
            complaints.customer_id = earlier.customer_id
            and complaints.category = earlier.category
            and complaints.opened_at > earlier.opened_at
            and complaints.opened_at >= earlier.resolved_at
    cross join parameters
    where
        complaints.kind in ('complaint', 'fault')
        and earlier.kind in ('complaint', 'fault')
        and {{ elapsed_microseconds(
            'earlier.resolved_at', 'complaints.opened_at', 'complaints.timezone'
        ) }} <= {{ microseconds_of_hours('parameters.repeat_days * 24') }}

),

final as (

    select
        timed.complaint_id,
        timed.customer_id,
        timed.region_code,
        timed.tier_code,
        timed.service_class,
        timed.kind,
        timed.category,
        timed.severity,
        timed.status,
        timed.reopened_count,
        timed.satisfaction,
        timed.compensation,
        case when timed.is_clocked then timed.respond_limit_hours end
            as respond_limit_hours,
        case when timed.is_clocked then timed.resolve_limit_hours end
            as resolve_limit_hours,
        case
            when timed.is_clocked
                then {{ hours_of_microseconds('timed.respond_microseconds') }}
        end as respond_hours,
        case
            when timed.is_clocked
                then {{ hours_of_microseconds('timed.resolve_microseconds') }}
        end as resolve_hours,
        {{ is_breached(
            'timed.respond_microseconds', 'timed.respond_limit_hours',
            'timed.awaits_response', 'timed.is_clocked',
        ) }} as respond_breached,
        {{ is_breached(
            'timed.resolve_microseconds', 'timed.resolve_limit_hours',
            'timed.is_open', 'timed.is_clocked',
        ) }} as resolve_breached,
        {{ is_breached(
            'timed.resolve_microseconds', 'parameters.regulatory_days * 24',
            'timed.is_open', 'timed.is_clocked',
        ) }} as regulatory_breached,
        case when timed.is_clocked then repeats.complaint_id is not null end
            as is_repeat,
        timed.is_open,
        timed.mediated,
        timed.handed_off,
        timed.closed_loop,
        timed.opened_month,
        timed.opened_at,
        timed.acknowledged_at,
        timed.resolved_at,
        timed.closed_at
    from timed
    cross join parameters
    left join repeats on timed.complaint_id = repeats.complaint_id

)

select * from final
