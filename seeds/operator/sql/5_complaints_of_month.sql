-- Complaints opened in the month, each with the versions its life will bring.

create or replace temp table month_complaints as
with callers as (
    select
        people.k,
        people.is_org,
        people.spend,
        people.region_number,
        case
            when people.is_managed and people.manager_changes < getvariable('number')
                then people.second_manager
            when people.is_managed then people.first_manager
        end as manager_id,
        bits('complaint', people.k * 10000 + getvariable('number')) as drawn,
        people.leaves - getvariable('number') between 0 and 3 as is_leaving
    from people
    where
        not people.is_prospect
        and people.started_on < getvariable('month')
        and people.left_on > getvariable('month_end')
        and not coalesce(people.sleeps <= getvariable('number'), false)
),

opened as (
    select
        *,
        bits('case', k * 10000 + getvariable('number')) as case_bits,
        bits('clock', k * 10000 + getvariable('number')) as clock_bits,
        bits('end', k * 10000 + getvariable('number')) as end_bits
    from callers
    where part(drawn, 0) < case
            when is_leaving then 0.12
            when is_org then 0.05
            else 0.026
        end
)

select
    *,
    numbered('Q', getvariable('number'), 3) || numbered('-', k, 8) as complaint_id,
    case
        when part(case_bits, 0) < 0.52 then 'complaint'
        when part(case_bits, 0) < 0.80 then 'fault'
        when part(case_bits, 0) < 0.95 then 'enquiry'
        else 'suggestion'
    end as kind,
    pick([
        'billing', 'billing', 'billing', 'network_quality', 'network_quality',
        'network_quality',
        'service_attitude',
        'contract',
        'provisioning',
        'fraud',
        'privacy',
        'other'
    ], part(case_bits, 1)) as category,
    case
        when
            part(case_bits, 2) < case when is_org then 0.12 else 0.03 end
            then 'critical'
        when part(case_bits, 2) < 0.35 then 'major'
        else 'minor'
    end as severity,
    case
        when part(case_bits, 3) < 0.52 then 'hotline'
        when part(case_bits, 3) < 0.64 then 'counter'
        when part(case_bits, 3) < 0.86 and not is_org then 'app'
        when part(case_bits, 3) < 0.86 then 'manager'
        when part(case_bits, 3) < 0.97 then 'web'
        else 'regulator'
    end as channel
from opened;

insert into complaint_versions
with timed as (
    select
        *,
        cast(getvariable('month') as timestamp)
        + to_minutes(cast(floor(part(drawn, 1) * 28 * 1440) as integer)) as opened_at,
        -- how quickly each is taken up and resolved, in hours
        case severity when 'critical' then 0.6 when 'major' then 2.5 else 7 end
        * case when is_org then 0.6 else 1.0 end
        * exp(0.8 * normal(clock_bits)) as hours_to_answer,
        case severity when 'critical' then 6 when 'major' then 26 else 70 end
        * case when is_org then 0.7 else 1.0 end
        * exp(1.1 * normal(bits('resolve', k * 10000 + getvariable('number'))))
            as hours_to_resolve,
        part(end_bits, 0) < 0.05 and kind in ('complaint', 'fault') as is_reopened,
        part(end_bits, 1) < 0.035 as is_never_resolved,
        part(end_bits, 1) >= 0.035 and part(end_bits, 1) < 0.06 as is_never_answered,
        part(end_bits, 2) < 0.04 as is_never_closed,
        part(end_bits, 3) < 0.015
        or channel = 'regulator' and part(end_bits, 3) < 0.3 as is_mediated
    from month_complaints
),

staged as (
    select
        *,
        cast(date_trunc('minute', opened_at) as timestamp) as opened,
        date_trunc(
            'minute',
            opened_at + to_minutes(cast(ceil(hours_to_answer * 60) as integer))
        ) as answered,
        date_trunc('minute', opened_at + to_minutes(
            cast(ceil((hours_to_answer + hours_to_resolve) * 60) as integer)
        )) as resolved
    from timed
),

stages as (
    select
        *,
        'open' as stage,
        opened as occurred_at
    from staged
    union all
    select
        *,
        'acknowledged',
        answered
    from staged where not is_never_answered
    union all
    select
        *,
        'resolved',
        resolved
    from staged where not is_never_resolved
    union all
    select
        *,
        'reopened',
        resolved + interval 26 hour
    from staged
    where is_reopened and not is_never_resolved
    union all
    select
        *,
        'resolved again',
        resolved + interval 70 hour
    from staged
    where is_reopened and not is_never_resolved and part(clock_bits, 0) < 0.8
    union all
    select
        *,
        'closed',
        resolved + interval 96 hour
    from staged
    where not is_never_resolved and not is_never_closed
        and (not is_reopened or part(clock_bits, 0) < 0.8)
)

select
    month_index(cast(occurred_at as date)),
    complaint_id,
    numbered('C', k, 8),
    case when category in ('network_quality', 'provisioning') and kind = 'fault'
            then (
                select min(services.subscription_id)
                from services
                where services.k = stages.k
                    and services.activated_on <= cast(stages.opened as date)
                    and (
                        services.deactivated_on is null
                        or services.deactivated_on > cast(stages.opened as date)
                    )
            )
    end,
    kind,
    category,
    severity,
    channel,
    case category
        when 'billing' then 'Disputes an amount on the bill.'
        when 'network_quality' then 'Reports weak or interrupted service.'
        when 'service_attitude' then 'Was not treated politely.'
        when 'contract' then 'Questions a term of the contract.'
        when 'provisioning' then 'Waits for an installation or a change.'
        when 'fraud' then 'Reports a charge nobody ordered.'
        when 'privacy' then 'Asks why the number was passed on.'
        else 'Other matter.'
    end,
    opened,
    coalesce(
        manager_id,
        numbered(
            'desk-', region_number * 10 + cast(floor(part(drawn, 3) * 6) as integer), 3
        )
    ),
    case
        when stage = 'open' then 0 else
            cast(floor(pow(part(clock_bits, 1), 3) * 3.2) as integer)
    end,
    case when stage <> 'open' and not is_never_answered then answered end,
    case
        when
            stage in ('resolved again', 'closed') and is_reopened
            then resolved + interval 70 hour
        when stage in ('resolved', 'closed') then resolved
    end,
    case when stage = 'closed' then resolved + interval 96 hour end,
    case when stage in ('reopened', 'resolved again')
            or (stage = 'closed' and is_reopened)
            then 1
        else 0
    end,
    is_mediated and stage not in ('open', 'acknowledged'),
    case
        when stage in ('resolved', 'resolved again', 'closed')
            and part(clock_bits, 2) < 0.6
            then greatest(1, least(5, cast(
                    round(
                        4.6
                        - ln(1 + hours_to_resolve / 20)
                        + (part(clock_bits, 3) - 0.5) * 2.2
                    )
                    as integer
                )))
    end,
    case
        when stage in ('resolved', 'resolved again', 'closed') and kind = 'complaint'
            and part(end_bits, 2) > 0.75
            then cast(
                    floor(10 + part(end_bits, 3) * 90)
                    * case when is_org then 5 else 1 end as decimal(18, 2)
                )
        else 0
    end,
    case stage
        when 'reopened' then 'open' when 'resolved again' then 'resolved' else stage
    end,
    occurred_at
from stages;
