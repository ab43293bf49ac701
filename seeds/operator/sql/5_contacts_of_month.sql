-- Whom the operator spoke to in the month, and what it offered.

create or replace temp table month_people as
select
    people.*,
    bits('month', people.k * 10000 + getvariable('number')) as month_bits,
    bits('talk', people.k * 10000 + getvariable('number')) as talk_bits,
    not people.is_prospect
    and people.started_on <= getvariable('month_end')
    and (
        people.left_on > getvariable('month_end')
        or people.returns < getvariable('number')
    ) as is_served,
    (draw('says yes', people.k) < 0.72)
    <> (
        people.consent_changes < getvariable('number')
        and people.consent_changes <= people.leaves
    )
        as consents,
    case
        when people.is_managed and people.manager_changes < getvariable('number')
            then people.second_manager
        when people.is_managed then people.first_manager
    end as manager_id,
    greatest(people.leaves - getvariable('number'), 0) as months_left
from people
where people.arrival <= getvariable('number');

-- Half of those a campaign is for are asked; the others are its control group.
insert into treated
select
    month_people.k,
    campaign_plans.campaign_id,
    campaign_plans.objective,
    campaign_plans.starts
from campaign_plans
inner join month_people
    on campaign_plans.starts = getvariable('number')
        and month_people.consents
        and draw('asked', month_people.k * 10000 + campaign_plans.starts) < 0.5
        and case campaign_plans.objective
            when 'upsell'
                then month_people.is_served
                    and not month_people.is_org
                    and not month_people.is_prepaid
                    and month_people.spread > 0.2 and month_people.spread < 0.8
            when 'renewal' then month_people.is_served and month_people.is_org
            when 'retention'
                then month_people.is_served and not month_people.is_org
                    and part(month_people.month_bits, 0) < 0.35
            when 'win_back'
                then not month_people.is_served
                    and month_people.leaves between getvariable('number')
                    - 9 and getvariable('number')
                    - 1
            when 'acquisition' then month_people.is_prospect
                or (month_people.is_served and month_people.is_prepaid)
        end;

create or replace temp table month_contacts as
with care as (
    select
        'V' as series,
        k,
        manager_id,
        null as campaign_id,
        case
            when part(month_bits, 1) < 0.4 then 'visit'
            when part(month_bits, 1) < 0.85 then 'call'
            else 'email'
        end as channel,
        'care' as purpose,
        month_bits as drawn
    from month_people
    where is_org and is_served
        and part(month_bits, 0)
        < case when spend > 5000 then 0.8 when spend > 1000 then 0.45 else 0.15 end
),

-- the seniors of a network see its largest customers now and then
senior_visits as (
    select
        'W',
        k,
        numbered('M', region_number * 10000 + 1, 6),
        null,
        'visit',
        'care',
        talk_bits
    from month_people
    where is_org and is_served and spend > 3000 and part(talk_bits, 0) < 0.12
),

surveys as (
    select
        'S',
        k,
        case when is_org then manager_id end,
        null,
        case when is_org then pick(['call', 'email'], part(talk_bits, 1))
            else pick(['sms', 'app', 'call'], part(talk_bits, 1))
        end,
        'survey',
        talk_bits
    from month_people
    where is_served and part(talk_bits, 2) < case when is_org then 0.06 else 0.022 end
),

counters as (
    select
        'B',
        k,
        null,
        null,
        'counter',
        pick(['care', 'service_notice'], part(talk_bits, 0)),
        talk_bits
    from month_people
    where is_served and not is_org and part(talk_bits, 3) < 0.016
),

notices as (
    select
        'N',
        k,
        null,
        null,
        pick(['sms', 'app'], part(month_bits, 0)),
        'service_notice',
        month_bits
    from month_people
    where is_served and part(month_bits, 3) < 0.012
),

renewals as (
    select
        'R',
        month_people.k,
        month_people.manager_id,
        null,
        case when month_people.is_org then pick(['visit', 'call'], part(talk_bits, 1))
            else pick(['call', 'sms', 'app'], part(talk_bits, 1))
        end,
        'renewal',
        talk_bits
    from month_people
    inner join agreements
        on month_people.k = agreements.k
            and month_index(agreements.ends_on) = getvariable('number') + 1
    where month_people.is_served and part(month_people.talk_bits, 0) < 0.7
),

win_backs as (
    select
        'L',
        k,
        manager_id,
        null,
        case when is_org then 'call' else 'sms' end,
        'win_back',
        talk_bits
    from month_people
    where not is_served and not is_prospect and consents
        and leaves between getvariable('number') - 4 and getvariable('number') - 1
        and part(talk_bits, 0) < 0.15
),

campaigns as (
    select
        'C',
        month_people.k,
        case when month_people.is_org then month_people.manager_id end,
        treated.campaign_id,
        case when
                month_people.is_org
                then pick(['call', 'visit', 'email'], part(talk_bits, 3))
            else pick(['sms', 'app', 'call', 'email'], part(talk_bits, 3))
        end,
        'campaign',
        talk_bits
    from treated
    inner join month_people on treated.k = month_people.k
    where treated.starts = getvariable('number')
),

follow_ups as (
    select
        'F',
        k,
        manager_id,
        null,
        'call',
        'complaint_follow_up',
        drawn
    from month_complaints
    where kind = 'complaint' and part(drawn, 2) < 0.4
),

all_contacts as (
    select * from care
    union all select * from senior_visits
    union all select * from surveys
    union all select * from counters
    union all select * from notices
    union all select * from renewals
    union all select * from win_backs
    union all select * from campaigns
    union all select * from follow_ups
),

hours as (
    select
        *,
        bits('contact ' || series, k * 10000 + getvariable('number')) as contact_bits
    from all_contacts
),

outcomes as (
    select
        *,
        case
            when
                part(contact_bits, 0) < 0.18 and channel not in ('visit', 'counter')
                then 'no_answer'
            when purpose in ('campaign', 'renewal', 'win_back')
                and part(contact_bits, 1) < 0.22
                then 'accepted'
            when purpose in ('campaign', 'renewal', 'win_back')
                and part(contact_bits, 1) < 0.45
                then 'declined'
            else 'reached'
        end as outcome
    from hours
)

select
    numbered(series, getvariable('number'), 3)
    || numbered('-', outcomes.k, 8) as contact_id,
    numbered('C', outcomes.k, 8) as customer_id,
    outcomes.manager_id,
    outcomes.campaign_id,
    outcomes.channel,
    outcomes.purpose,
    office_hour(
        getvariable('month') + (case when purpose = 'campaign' then 4 else 0 end)
        + cast(floor(part(contact_bits, 2) * 22) as integer), part(contact_bits, 3)
    ) as contacted_at,
    outcomes.outcome,
    case
        when purpose = 'survey' and outcome = 'reached'
            then 1 + cast(floor(4.999 * pow(
                    part(drawn, 0),
                    case
                        when
                            people.leaves - getvariable('number') between 0 and 3
                            then 1.1
                        else 0.4
                    end
                )) as integer)
    end as score,
    cast(case channel
        when 'visit' then 80 + floor(part(contact_bits, 0) * 12) * 10
        when 'call' then 6
        when 'counter' then 9
        when 'sms' then 0.05
        else 0.02
    end as decimal(18, 2)) as cost
from outcomes
inner join people on outcomes.k = people.k;

insert into proposal_versions
with offered as (
    select
        k,
        spend,
        bits('offer', k * 10000 + getvariable('number')) as offer_bits,
        bits('price', k * 10000 + getvariable('number')) as price_bits
    from month_people
    where is_org and (is_served or is_prospect) and part(talk_bits, 3) < 0.035
),

priced as (
    select
        *,
        numbered('O', getvariable('number'), 3) || numbered('-', k, 8) as proposal_id,
        numbered('C', k, 8) as customer_id,
        pick(
            [
                'LL_DIA',
                'LL_VPN',
                'CLD_HOST',
                'ICT_MGD',
                'MOB_BIZ',
                'IOT_SIM',
                'FV_TRUNK'
            ],
            part(offer_bits, 0)
        ) as product_code,
        round(greatest(spend * (0.2 + 0.5 * part(offer_bits, 1)), 80) / 10)
        * 10 as price,
        pick([0.05, 0.10, 0.15, 0.20, 0.30], part(offer_bits, 2)) as discount_rate,
        pick([0.10, 0.15, 0.20], part(offer_bits, 3)) as discount_limit,
        cast(
            getvariable('month')
            + cast(floor(part(price_bits, 0) * 26) as integer) as date
        ) as proposed_on,
        case
            when part(price_bits, 1) < 0.38 then 'won'
            when part(price_bits, 1) < 0.70 then 'lost'
            when part(price_bits, 1) < 0.82 then 'withdrawn'
        end as result,
        18 + cast(floor(part(price_bits, 2) * 50) as integer) as days
    from offered
),

versions as (
    select
        *,
        false as is_decided
    from priced
    union all
    select
        *,
        true
    from priced where result is not null
)

select
    month_index(cast(proposed_on + case when is_decided then days else 0 end as date)),
    proposal_id,
    customer_id,
    product_code,
    price,
    -- one in fifteen is offered below its cost
    round(
        price
        * case
            when part(price_bits, 3) < 0.07 then 1.08 else
                0.45 + 0.35 * part(price_bits, 3)
        end,
        2
    ),
    round(price * 2),
    round(price * (1.2 + part(price_bits, 3))),
    pick([12, 24, 36], part(offer_bits, 1)),
    discount_rate,
    discount_limit,
    case when is_decided then result else 'open' end,
    proposed_on,
    case when is_decided then cast(proposed_on + days as date) end,
    office_hour(
        proposed_on + case when is_decided then days else 0 end, part(offer_bits, 3)
    )
from versions;
