-- Who the customers are, and when they come, leave and return. `k` numbers them in the
-- order of arrival; everything follows from it, whatever the number of months.

create table arrivals as
with numbered_customers as (
    select
        k,
        case
            when k <= getvariable('base') then -1
            else cast(
                    (k - getvariable('base') - 1) * getvariable('months_to_full')
                    // getvariable('newcomers') as integer
                )
        end as arrival,
        bits('person', k) as person,
        bits('place', k) as place,
        bits('life', k) as life,
        bits('traits', k) as traits
    from range(1, getvariable('total') + 1) as numbers (k)
),

formed as (
    select
        *,
        part(person, 0) < 0.12 as is_org,
        arrival = -1 and part(life, 3) < 0.045 as is_historic
    from numbered_customers
),

ordered as (
    select
        *,
        row_number() over (partition by is_org order by k) as ordinal
    from formed
)

select
    *,
    -- spread evenly over (0, 1), so that a small sample is as concentrated as a large one
    (ordinal * 0.6180339887 + draw('spread', is_org)) % 1 as spread
from ordered;

create table profiles as
with placed as (
    select
        arrivals.*,
        regions.region_number,
        regions.region_code,
        regions.city,
        regions.region_class,
        industries.industry,
        industries.business,
        industries.is_institution,
        designations.designation,
        designations.institution
    from arrivals
    inner join regions
        on part(arrivals.place, 0) >= regions.share_from
            and part(arrivals.place, 0) < regions.share_to
    left join industries
        on arrivals.is_org
            and part(arrivals.place, 1) >= industries.share_from
            and part(arrivals.place, 1) < industries.share_to
    left join designations
        on industries.industry = designations.industry
            and part(arrivals.place, 2) * 100 >= designations.per_cent_from
            and part(arrivals.place, 2) * 100 < designations.per_cent_to
),

spending as (
    select
        *,
        -- what an organisation spends a month, in CNY before tax: a few spend a lot
        case
            when is_org
                then least(490 * (spread + 0.004) / (1.004 - spread), 60000)
                    * case region_class when 1 then 1.15 when 2 then 0.9 else 0.7 end
        end as spend,
        not is_org and part(traits, 0) < 0.26 as is_prepaid,
        not is_historic and part(traits, 1) < case when is_org then 0.06 else 0.006 end
            as is_prospect
    from placed
),

timed as (
    select
        *,
        case
            when
                arrival >= 0
                then month_start(arrival) + cast(floor(part(life, 0) * 26) as integer)
            else getvariable('first_month')
                - cast(40 + floor(5200 * pow(part(life, 0), 1.7)) as integer)
                -- who left up to thirty months ago was there before that
                - case when is_historic then 900 else 0 end
        end as started_on,
        case
            when is_prepaid then 0.024
            when is_org then case when spend > 5000 then 0.004 else 0.009 end
            when spread < 0.5 then 0.013
            else 0.009
        end as chance_of_leaving
    from spending
),

leaving as (
    select
        *,
        case
            when is_historic then -1 - cast(floor(part(life, 2) * 30) as integer)
            else greatest(arrival + 2, 0)
                + months_until(draw('leave', k), chance_of_leaving)
        end as leaves,
        case
            when
                is_org and part(life, 1) >= 0.50 and part(life, 1) < 0.75
                then 'business_closed'
            when part(life, 1) < 0.27 then 'port_out'
            when part(life, 1) < 0.42 then 'non_payment'
            when part(life, 1) < 0.52 then 'relocation'
            when part(life, 1) < 0.60 then 'other'
            else 'voluntary'
        end as leave_reason
    from timed
)

select
    * exclude (person, life, place, traits, started_on),
    person,
    life,
    place,
    traits,
    cast(started_on as date) as started_on,
    cast(month_start(leaves) + cast(floor(part(traits, 2) * 26) as integer) as date)
        as left_on,
    case
        when not is_historic and draw('return', k) < 0.16
            then leaves + 2 + cast(floor(draw('away', k) * 8) as integer)
    end as returns,
    -- stops using the service without leaving
    case
        when draw('dormant', k)
            < case when is_prepaid then 0.3 when is_org then 0.01 else 0.02 end
            then greatest(arrival + 3, 0) + months_until(draw('sleep', k), 0.03)
    end as sleeps,
    case
        when is_org
            and region_code like 'GD%'
            and region_class = 1
            and part(place, 3) < 0.35
            then 'HKD'
        when is_org
            and region_code like 'ZJ%'
            and region_class = 1
            and part(place, 3) < 0.35
            then 'USD'
        else 'CNY'
    end as currency
from leaving;

-- Groups: some organisations head one, others belong to it, directly or through a member.
create table families as
with organisations as (
    select
        k,
        draw('group', k) as share,
        draw('head', k) as head_share,
        arrival = -1 and not is_historic and not is_prospect as is_settled
    from profiles
    where is_org
),

heads as (
    select
        list(k order by k) filter (where share < 0.08 and is_settled) as heads,
        list(k order by k) filter (
            where share >= 0.08 and share < 0.18 and is_settled
        ) as members
    from organisations
)

select
    organisations.k,
    case
        when organisations.share >= 0.08 and organisations.share < 0.22
            then pick(heads.heads, organisations.head_share)
        when organisations.share >= 0.22 and organisations.share < 0.27
            then pick(heads.members, organisations.head_share)
    end as parent
from organisations
cross join heads
where organisations.share < 0.27;

create table roots as
select
    families.k,
    families.parent,
    coalesce(grandparents.parent, families.parent, families.k) as root
from families
left join families as grandparents on families.parent = grandparents.k;

-- When the attributes of a customer change: at most once each.
create table people as
with changes as (
    select
        profiles.*,
        roots.parent,
        coalesce(roots.root, profiles.k) as root,
        profiles.is_org or profiles.spread > 0.97 as is_managed,
        coalesce(
            profiles.spend > 1200 and draw('second account', profiles.k) < 0.4, false
        )
            as has_second_account,
        greatest(arrival + 1, 0) + months_until(draw('new manager', profiles.k), 0.012)
            as manager_changes,
        greatest(arrival + 1, 0)
        + months_until(draw('move', profiles.k), 0.0012) as moves,
        draw('destination', profiles.k) as destination,
        greatest(arrival + 1, 0) + months_until(draw('consent', profiles.k), 0.006)
            as consent_changes,
        case
            when profiles.is_org
                then greatest(arrival + 1, 0)
                    + months_until(draw('rival', profiles.k), 0.003)
        end as rival_appears
    from profiles
    left join roots on profiles.k = roots.k
)

select
    changes.*,
    numbered('C', changes.k, 8) as customer_id,
    moved.region_number as new_region_number,
    moved.region_code as new_region_code,
    pick(getvariable('rivals'), draw('which rival', changes.k)) as rival,
    numbered('M', changes.region_number * 10000 + 1 + cast(
        floor(draw('manager', changes.k) * managed.managers) as integer
    ), 6) as first_manager,
    numbered('M', changes.region_number * 10000 + 1 + cast(
        floor(draw('other manager', changes.k) * managed.managers) as integer
    ), 6) as second_manager
from changes
inner join regions as managed on changes.region_number = managed.region_number
inner join regions as moved
    on changes.destination >= moved.share_from
        and changes.destination < moved.share_to;

-- The versions of a customer row: one when it is registered, one at each change.
create table customer_moments as
select
    k,
    'registered' as happening,
    office_hour(started_on, part(life, 3)) as occurred_at
from people
union all
select
    k,
    'manager',
    office_hour(month_start(manager_changes) + 4, part(traits, 3))
from people where is_managed and (manager_changes <= leaves)
union all
select
    k,
    'moved',
    office_hour(month_start(moves) + 11, part(traits, 3))
from people where not is_org and moves < leaves
union all
select
    k,
    'consent',
    office_hour(month_start(consent_changes) + 17, part(traits, 3))
from people where consent_changes <= leaves
union all
select
    k,
    'rival',
    office_hour(month_start(rival_appears) + 8, part(traits, 3))
from people where rival_appears <= leaves
union all
select
    k,
    'won away',
    office_hour(left_on + 2, part(traits, 3))
from people where leave_reason = 'port_out' and not is_prospect
union all
select
    k,
    'won back',
    office_hour(month_start(returns) + 20, part(traits, 3))
from people where returns is not null and leave_reason = 'port_out' and not is_prospect;

create table customer_versions as
with stated as (
    select
        customer_moments.occurred_at,
        people.*,
        customer_moments.occurred_at
        >= office_hour(month_start(manager_changes) + 4, part(traits, 3))
            as has_new_manager,
        not is_org
        and customer_moments.occurred_at
        >= office_hour(month_start(moves) + 11, part(traits, 3))
        and moves < leaves as has_moved,
        customer_moments.occurred_at
        >= office_hour(month_start(consent_changes) + 17, part(traits, 3))
            as has_new_consent,
        (
            customer_moments.occurred_at
            >= office_hour(month_start(rival_appears) + 8, part(traits, 3))
            and rival_appears <= leaves
        ) or (
            leave_reason = 'port_out' and not is_prospect
            and customer_moments.occurred_at
            >= office_hour(left_on + 2, part(traits, 3))
            and (
                returns is null
                or customer_moments.occurred_at
                < office_hour(month_start(returns) + 20, part(traits, 3))
            )
        ) as has_rival
    from customer_moments
    inner join people on customer_moments.k = people.k
),

named as (
    select
        *,
        bits('name', k) as name_bits,
        bits('brand', root) as brand_bits,
        bits('contact', k) as contact_bits,
        part(bits('sex', k), 0) < 0.5 as is_female
    from stated
),

written as (
    select
        *,
        pick(getvariable('surnames'), pow(part(name_bits, 0), 1.6)) as surname,
        pick(
            case
                when is_female then getvariable('female_names') else
                    getvariable('male_names')
            end,
            part(name_bits, 1)
        ) as given_name,
        pick(getvariable('brands'), part(brand_bits, 0))
        || lower(pick(getvariable('brands'), part(brand_bits, 1))) as brand
    from named
)

select
    greatest(month_index(occurred_at), 0) as delivered,
    customer_id,
    case
        when not is_org then surname || ' ' || given_name
        when designation is not null
            then city || ' ' || institution
                || ' No. ' || cast(1 + ordinal % 40 as varchar)
        when is_institution then city || ' ' || brand || ' ' || business
        when
            parent is not null
            then brand || ' ' || business || ' (' || city || ') Co., Ltd'
        else city || ' ' || brand || ' ' || business || ' Co., Ltd'
    end as customer_name,
    case when is_org then 'organisation' else 'individual' end as legal_form,
    industry,
    case when has_moved then new_region_code else region_code end as region_code,
    numbered('C', parent, 8) as parent_customer_id,
    coalesce(designation, 'none') as designation,
    is_org and (spend > 15000 or (spend > 3000 and draw('strategic', k) < 0.08))
        as strategic_flag,
    -- a head whose members are all yet to come has no group to buy for
    (
        is_org and root <> k
        or root in (
            select families.parent
            from families
            inner join profiles on families.k = profiles.k
            where profiles.arrival = -1
        )
    )
    and draw('agreement', root) < 0.3 as group_agreement,
    -- a code with digits of no office and a wrong check character
    case
        when
            is_org
            then '91000000MA' || lpad(cast(k % 10000000 as varchar), 7, '0') || 'X'
        else '000000'
            || cast(
                1950 + cast(floor(part(contact_bits, 0) * 55) as integer) as varchar
            )
            || '0000' || lpad(cast(k % 1000 as varchar), 3, '0') || 'Y'
    end as registration_number,
    case
        when not is_org then 1950 + cast(floor(part(contact_bits, 0) * 55) as integer)
    end as birth_year,
    case
        when not is_org and part(contact_bits, 1) < 0.004 then 'other'
        when not is_org and is_female then 'female'
        when not is_org then 'male'
    end as gender,
    case
        when not is_org and part(contact_bits, 2) < 0.8
            then pick(getvariable('occupations'), part(contact_bits, 3))
    end as occupation,
    case when is_org then surname || ' ' || given_name end as contact_name,
    -- 100 begins no mobile number
    '100' || lpad(cast(k % 100000000 as varchar), 8, '0') as contact_phone,
    case
        when is_org or part(contact_bits, 2) < 0.4
            then lower(surname)
                || '.'
                || lower(given_name)
                || cast(k as varchar)
                || '@example.com'
    end as contact_email,
    'No. ' || cast(1 + cast(floor(part(contact_bits, 1) * 900) as integer) as varchar)
    || ' Example Road, ' || city as address,
    case
        when not is_managed then null
        when has_new_manager then second_manager
        else first_manager
    end as manager_id,
    (draw('says yes', k) < 0.72) <> has_new_consent as marketing_consent,
    draw('shares', k) < 0.2 as third_party_consent,
    case when has_rival then rival end as competitor,
    started_on as registered_on,
    occurred_at as updated_at
from written;

create table manager_versions as
with posts as (
    select
        regions.region_number,
        regions.region_code,
        posts.number as post,
        regions.region_number * 10000 + posts.number as number,
        bits('post', regions.region_number * 10000 + posts.number) as post_bits
    from regions
    cross join range(1, getvariable('most_managers') + 1) as posts (number)
    where posts.number <= regions.managers
),

graded as (
    select
        *,
        case
            when post % 6 = 1 then 'senior'
            when post % 3 = 0 then 'junior'
            else 'account_manager'
        end as grade,
        months_until(part(post_bits, 2), 0.03) as promoted
    from posts
),

moments as (
    select
        *,
        false as is_promotion
    from graded
    union all
    select
        *,
        true
    from graded where grade = 'junior'
)

select
    case when is_promotion then promoted else 0 end as delivered,
    numbered('M', number, 6) as manager_id,
    pick(getvariable('surnames'), part(post_bits, 0)) || ' '
    || pick(
        list_concat(getvariable('male_names'), getvariable('female_names')),
        part(post_bits, 1)
    ) as manager_name,
    region_code,
    pick(getvariable('teams'), part(post_bits, 3)) as team,
    case when is_promotion then 'account_manager' else grade end as grade,
    case
        when is_promotion then office_hour(month_start(promoted), 0.1)
        else office_hour(cast(getvariable('first_month') - 200 as date), 0.2)
    end as updated_at
from moments;
