with complaint_versions as (

    select * from {{ ref('int_complaints_deduplicated') }}

),

customers as (

    select * from {{ ref('int_customers_latest') }}

),

customer_versions as (

    select * from {{ ref('int_customers_ranged') }}

),

settings as (

    select
        timezone,
        cast({{ add_months('closing_month', 1) }} as timestamp) as closes_at
    from {{ ref('stg_control__run_settings') }}

),

known_versions as (

    select complaint_versions.*
    from complaint_versions
    inner join customers on complaint_versions.customer_id = customers.customer_id

),

latest as (

    {{ latest_version('known_versions', 'complaint_id') }}

),

-- What happens after the closing month has not happened yet. Open again after a
-- resolution is not resolved; closed without one ended when it was closed.
happened as (

    select
        latest.complaint_id,
        latest.customer_id,
        latest.kind,
        latest.category,
        latest.severity,
        latest.status as delivered_status,
        latest.reopened_count,
        latest.satisfaction,
        latest.mediated,
        latest.opened_at,
        settings.closes_at,
        settings.timezone,
        cast(latest.compensation as decimal(18, 4)) as compensation,
        latest.owner_changes > 0 as handed_off,
        latest.first_owner is not null and latest.resolved_at is not null
            as has_owner_and_resolution,
        latest.acknowledged_at is null as lacks_acknowledgement_time,
        case
            when latest.acknowledged_at < settings.closes_at
                then latest.acknowledged_at
        end as acknowledged_at,
        case
            when
                latest.status in ('resolved', 'closed')
                and coalesce(latest.resolved_at, latest.closed_at)
                < settings.closes_at
                then coalesce(latest.resolved_at, latest.closed_at)
        end as resolved_at,
        case
            when
                latest.status = 'closed'
                and latest.closed_at < settings.closes_at
                then latest.closed_at
        end as closed_at,
        latest.status = 'closed' and latest.closed_at >= settings.closes_at
            as is_closed_later
    from latest
    cross join settings
    where latest.opened_at < settings.closes_at

),

-- The status says no more than what has happened by the end of the closing month.
final as (

    select
        happened.complaint_id,
        happened.customer_id,
        customer_versions.region_code,
        happened.kind,
        happened.category,
        happened.severity,
        case
            when happened.resolved_at is not null and happened.is_closed_later
                then 'resolved'
            when happened.resolved_at is not null then happened.delivered_status
            when happened.delivered_status = 'open' then 'open'
            when happened.acknowledged_at is not null then 'acknowledged'
            when
                happened.delivered_status = 'acknowledged'
                and happened.lacks_acknowledgement_time
                then 'acknowledged'
            else 'open'
        end as status,
        happened.reopened_count,
        happened.satisfaction,
        happened.compensation,
        happened.mediated,
        happened.handed_off,
        happened.has_owner_and_resolution
        and happened.acknowledged_at is not null
        and happened.resolved_at is not null
        and happened.closed_at is not null as closed_loop,
        happened.resolved_at is null as is_open,
        {{ month_of('happened.opened_at') }} as opened_month,
        happened.opened_at,
        happened.acknowledged_at,
        happened.resolved_at,
        case when happened.resolved_at is not null then happened.closed_at end
            as closed_at,
        happened.closes_at,
        happened.timezone
    from happened
    inner join customer_versions
        on
            happened.customer_id = customer_versions.customer_id
            and {{ month_number('happened.opened_at') }}
            >= customer_versions.month_from_number
            and {{ month_number('happened.opened_at') }}
            < customer_versions.month_to_number

)

select * from final
