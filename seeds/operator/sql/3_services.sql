-- What the customers hold: accounts, contracts and subscriptions over their whole life.

create table holders as
select
    people.k * 10 + accounts.number as account_number,
    people.k,
    accounts.number as which,
    numbered('A', people.k * 10 + accounts.number, 9) as account_id,
    people.customer_id,
    case when accounts.number = 1 then people.currency else 'CNY' end as currency,
    people.is_prepaid,
    people.is_org,
    people.leave_reason,
    people.started_on,
    people.leaves,
    people.left_on,
    people.returns,
    people.is_historic,
    people.parent,
    people.spend,
    bits('account', people.k * 10 + accounts.number) as account_bits,
    -- how the bills are paid
    case
        when draw('payer', people.k) < 0.60 then 'automatic'
        when draw('payer', people.k) < 0.85 then 'punctual'
        when draw('payer', people.k) < 0.945 then 'careless'
        when draw('payer', people.k) < 0.983 then 'slow'
        when draw('payer', people.k) < 0.995 then 'bad'
        else 'defaulting'
    end as payer
from people
cross join range(1, 3) as accounts (number)
where
    not people.is_prospect
    and (accounts.number = 1 or people.has_second_account);

create table account_versions as
with methods as (
    select
        *,
        case
            when
                is_prepaid
                then pick(['wallet', 'cash', 'card'], pow(part(account_bits, 0), 1.5))
            when
                payer = 'automatic'
                then pick(['direct_debit', 'card'], part(account_bits, 0))
            when
                is_org
                then pick(['bank_transfer', 'cheque'], pow(part(account_bits, 0), 2.5))
            else pick(
                    ['wallet', 'bank_transfer', 'cash', 'card'], part(account_bits, 0)
                )
        end as first_method,
        greatest(month_index(started_on) + 1, 0)
        + months_until(part(account_bits, 1), 0.008)
            as method_changes,
        -- a second account now and then passes to the head of the group
        case
            when which = 2 and parent is not null
                then greatest(month_index(started_on) + 1, 0)
                    + months_until(part(account_bits, 2), 0.05)
        end as passes
    from holders
),

moments as (
    select
        *,
        office_hour(started_on, part(account_bits, 3)) as occurred_at
    from methods
    union all
    select
        *,
        office_hour(month_start(method_changes) + 6, part(account_bits, 3))
    from methods where method_changes < leaves
    union all
    select
        *,
        office_hour(month_start(passes), part(account_bits, 3))
    from methods where passes < leaves
    union all
    select
        *,
        office_hour(left_on + 40, part(account_bits, 3))
    from methods where returns is null and part(account_bits, 2) < 0.8
)

select
    greatest(month_index(occurred_at), 0) as delivered,
    account_id,
    case
        when occurred_at >= office_hour(month_start(passes), part(account_bits, 3))
            and passes < leaves
            then numbered('C', parent, 8)
        else customer_id
    end as customer_id,
    currency,
    case when is_prepaid then 'prepaid' else 'postpaid' end as payment_mode,
    case
        when occurred_at
            < office_hour(month_start(method_changes) + 6, part(account_bits, 3))
            or method_changes >= leaves
            then first_method
        when is_org then 'bank_transfer'
        else 'wallet'
    end as payment_method,
    case
        when is_org then cast(ceil(spend / 1000) * 3000 as decimal(18, 2))
        when not is_prepaid then cast(500 as decimal(18, 2))
    end as credit_limit,
    started_on as opened_on,
    case when occurred_at >= office_hour(left_on + 40, part(account_bits, 3))
            and returns is null
            and part(account_bits, 2) < 0.8
            then cast(left_on + 40 as date)
    end as closed_on,
    occurred_at as updated_at
from moments;

-- Contracts follow one another until one is not renewed.
create table agreements as
with signers as (
    select
        *,
        bits('contract', k) as contract_bits,
        pick([12, 24, 24, 36], part(bits('contract', k), 1)) as term,
        months_until(part(bits('contract', k), 2), 0.32) as renewals
    from people
    where
        not is_prospect and not is_historic
        and part(bits('contract', k), 0)
        < case when is_org then 0.7 when is_prepaid then 0 else 0.28 end
),

first_terms as (
    select
        *,
        case
            -- those who were there before stand anywhere in their term
            when arrival = -1
                then cast(greatest(
                        started_on,
                        month_start(
                            -cast(floor(part(contract_bits, 3) * term) as integer)
                        )
                    ) as date)
            else started_on
        end as first_start
    from signers
),

terms as (
    select
        first_terms.*,
        series.number as sequence,
        cast(
            first_start + to_months(cast(term * series.number as integer)) as date
        ) as planned_on
    from first_terms
    cross join range(0, 40) as series (number)
    where series.number <= renewals and series.number <= getvariable('months') / 12 + 4
),

dated as (
    select
        *,
        -- some renew weeks after the end
        cast(planned_on + case
            when sequence > 0 and draw('late renewal', k * 100 + sequence) < 0.25
                then cast(floor(draw('delay', k * 100 + sequence) * 55) as integer)
            else 0
        end as date) as starts_on,
        bits('terms', k * 100 + sequence) as term_bits
    from terms
),

priced as (
    select
        *,
        case
            when
                is_org
                then pick(
                        [0.05, 0.08, 0.10, 0.15, 0.20, 0.25],
                        pow(part(term_bits, 0), 1.6)
                    )
            else pick([0.05, 0.10], part(term_bits, 0))
        end as discount_rate
    from dated
)

select
    k,
    numbered('K', k * 100 + sequence, 10) as contract_id,
    customer_id,
    cast(case
        when sequence = 0 then starts_on
        else starts_on - cast(floor(part(term_bits, 1) * 20) as integer)
    end as date) as signed_on,
    starts_on,
    cast(starts_on + to_months(cast(term as integer)) as date) - 1 as ends_on,
    case
        when is_org then cast(floor(spend * 0.7 / 10) * 10 as decimal(18, 2))
        else cast(59 as decimal(18, 2))
    end as monthly_commitment,
    discount_rate,
    case
        when discount_rate <= 0.05 then 0.08
        when discount_rate <= 0.10 then 0.10
        when discount_rate <= 0.15 then 0.15
        when part(term_bits, 2) < 0.1 then 0.15
        else 0.30
    end as discount_limit,
    case
        when discount_rate <= 0.05 then 'manager'
        when discount_rate <= 0.10 then 'local'
        when discount_rate <= 0.15 then 'province'
        else 'group'
    end as approval_level,
    part(term_bits, 3) as hour,
    is_org
from priced
where starts_on < left_on;

create table contract_versions as
select
    greatest(month_index(signed_on), 0) as delivered,
    *,
    office_hour(signed_on, hour) as updated_at
from agreements;

-- The basket of each customer: product, plan and monthly fee before tax, in CNY.
create table baskets as
with individuals as (
    select
        *,
        bits('basket', k) as basket_bits,
        draw('plan', k) as plan_share
    from people
    where not is_org and not is_prospect
),

organisations as (
    select
        *,
        bits('needs', k) as need_bits,
        bits('more needs', k) as more_bits
    from people
    where is_org and not is_prospect
),

wanted as (
    select
        k,
        1 as item,
        1 as lines,
        case
            when is_prepaid then 'MOB_PRE' when plan_share < 0.45 then 'MOB_4G' else
                'MOB_5G'
        end
            as product_code,
        cast(case
            when is_prepaid then pick([9, 19, 19, 29], plan_share)
            when plan_share < 0.45 then pick([39, 59, 59, 79], plan_share / 0.45)
            else pick(
                    [99, 99, 129, 129, 159, 199, 299],
                    pow((plan_share - 0.45) / 0.55, 1.5)
                )
        end as double) as list_price,
        null as weight
    from individuals
    union all
    select
        k,
        2,
        1,
        case when part(basket_bits, 1) < 0.3 then 'BB_GIGA' else 'BB_HOME' end,
        case
            when part(basket_bits, 1) < 0.3 then 99 else
                pick([50, 59, 69], part(basket_bits, 2))
        end,
        null
    from individuals
    where not is_prepaid and part(basket_bits, 0) < 0.42
    union all
    select
        k,
        3,
        1,
        'FV_LINE',
        18,
        null
    from individuals
    where not is_prepaid and part(basket_bits, 0) < 0.09
    union all
    select
        k,
        4,
        1,
        'MOB_4G',
        29,
        null
    from individuals
    where not is_prepaid and part(basket_bits, 3) < 0.16
    union all
    select
        k,
        10,
        1,
        'BB_BIZ',
        null,
        1.5
    from organisations
    union all
    select
        k,
        11,
        least(8, 1 + cast(floor(spend / 1500) as integer)),
        'MOB_BIZ',
        null,
        2
    from organisations
    union all
    select
        k,
        12,
        1,
        'FV_TRUNK',
        null,
        1
    from organisations
    where spend > 400 and part(need_bits, 0) < 0.65
    union all
    select
        k,
        13,
        least(4, 1 + cast(floor(spend / 9000) as integer)),
        'LL_DIA',
        null,
        3
    from organisations
    where spend > 1500 and part(need_bits, 1) < 0.7
    union all
    select
        k,
        14,
        least(4, 1 + cast(floor(spend / 9000) as integer)),
        'LL_VPN',
        null,
        3
    from organisations
    where spend > 6000 and part(need_bits, 2) < 0.6
    union all
    select
        k,
        15,
        1,
        'CLD_HOST',
        null,
        2
    from organisations
    where spend > 900 and part(need_bits, 3) < 0.45
    union all
    select
        k,
        16,
        1,
        'ICT_MGD',
        null,
        3
    from organisations
    where spend > 4000 and part(more_bits, 0) < 0.5
    union all
    select
        k,
        17,
        1,
        'ICT_MSG',
        null,
        0.8
    from organisations
    where spend > 500 and part(more_bits, 1) < 0.35
    union all
    select
        k,
        18,
        1,
        'IOT_SIM',
        null,
        1
    from organisations
    where spend > 1200 and part(more_bits, 2) < 0.3
),

weighed as (
    select
        *,
        sum(weight * (0.6 + 0.8 * draw('weight', k * 100 + item)))
            over (partition by k)
            as all_weights,
        weight * (0.6 + 0.8 * draw('weight', k * 100 + item)) as own_weight
    from wanted
)

select
    weighed.k,
    weighed.item,
    weighed.lines,
    weighed.product_code,
    case
        when people.is_org
            then greatest(
                    people.spend
                    * weighed.own_weight
                    / weighed.all_weights
                    / weighed.lines,
                    12
                )
        -- list prices of consumers include the tax of 6 %
        else weighed.list_price / 1.06
    end as fee
from weighed
inner join people on weighed.k = people.k;

create table services as
with lines as (
    select
        baskets.k,
        baskets.item,
        baskets.product_code,
        baskets.k * 1000 + baskets.item * 10 + numbers.line as service_number,
        baskets.fee,
        false as is_return
    from baskets
    cross join range(0, 9) as numbers (line)
    where numbers.line < baskets.lines
    union all
    select
        people.k,
        90,
        baskets.product_code,
        people.k * 1000 + 900,
        baskets.fee,
        true
    from people
    inner join baskets on people.k = baskets.k and baskets.item in (1, 11)
    where people.returns is not null and not people.is_historic
),

drawn as (
    select
        lines.*,
        bits('service', lines.service_number) as service_bits,
        people.* exclude (k),
        case
            when people.has_second_account and lines.item in (13, 14, 15, 16) then 2
            else 1
        end as which
    from lines
    inner join people on lines.k = people.k
),

dated as (
    select
        *,
        case
            when is_return then month_start(returns) + 14
            -- part of the basket is bought later
            when item not in (1, 10) and part(service_bits, 0) < 0.35
                then month_start(
                        greatest(arrival + 1, 0)
                        + months_until(part(service_bits, 1), 0.035)
                    ) + 9
            when arrival = -1 and item not in (1, 10)
                then greatest(
                        started_on,
                        getvariable('first_month')
                        - cast(30 + floor(part(service_bits, 1) * 2000) as integer)
                    )
            else started_on
        end as begins,
        case
            when is_return then null
            when item not in (1, 10)
                and greatest(arrival + 2, 1)
                + months_until(part(service_bits, 2), 0.004)
                < leaves
                then month_start(
                        greatest(arrival + 2, 1)
                        + months_until(part(service_bits, 2), 0.004)
                    ) + 19
            else left_on
        end as ends,
        case
            when product_code like 'MOB%'
                then greatest(arrival + 2, 0)
                    + months_until(part(service_bits, 3), 0.018)
        end as plan_changes,
        case currency when 'HKD' then 0.92 when 'USD' then 7.18 else 1.0 end as unit
    from drawn
)

select
    service_number,
    k,
    is_org,
    is_prepaid,
    product_code,
    numbered('S', service_number, 11) as subscription_id,
    numbered('A', k * 10 + which, 9) as account_id,
    k * 10 + which as account_number,
    cast(begins as date) as activated_on,
    cast(ends as date) as deactivated_on,
    case
        when ends is null then null
        when ends = left_on then leave_reason
        else 'voluntary'
    end as deactivation_reason,
    plan_changes,
    -- a better plan more often than a cheaper one
    case when draw('direction', service_number) < 0.62 then 1.25 else 0.8 end
        as plan_factor,
    round(fee / case when which = 1 then unit else 1.0 end, 2) as fee,
    case product_code
        when 'MOB_PRE' then 22.0
        when 'MOB_4G' then 14.0
        when 'MOB_5G' then 18.0
        when 'FV_LINE' then 9.0
        else 0.0
    end as usage_level,
    case product_code
        when 'MOB_BIZ' then 0.18
        when 'FV_TRUNK' then 0.45
        when 'ICT_MSG' then 0.9
        when 'IOT_SIM' then 0.12
        when 'CLD_HOST' then 0.22
        else 0.0
    end as usage_share,
    leaves,
    left_on,
    sleeps,
    spread,
    service_bits
from dated
where begins < coalesce(ends, date '9999-01-01') and (not is_return or ends is null);

create temp table subscription_moments as
select
    *,
    office_hour(activated_on, part(service_bits, 0)) as occurred_at
from services
union all
select
    *,
    office_hour(month_start(plan_changes), part(service_bits, 0))
from services
where plan_changes > month_index(activated_on)
    and (deactivated_on is null or month_start(plan_changes) < deactivated_on)
union all
select
    services.*,
    contract_versions.updated_at + interval 5 minute
from services
inner join contract_versions on services.k = contract_versions.k
where contract_versions.signed_on > services.activated_on
    and (
        services.deactivated_on is null
        or contract_versions.signed_on < services.deactivated_on
    )
union all
select
    *,
    office_hour(deactivated_on, 0.9)
from services
where deactivated_on is not null;

create table subscription_versions as
with bound as (
    select
        moments.service_number,
        moments.occurred_at,
        max(case
            -- one line in ten stands outside the contract
            when
                contract_versions.updated_at <= moments.occurred_at
                and part(moments.service_bits, 3) < 0.9
                then contract_versions.contract_id
        end) as contract_id
    from subscription_moments as moments
    left join contract_versions on moments.k = contract_versions.k
    group by all
)

select distinct
    greatest(month_index(moments.occurred_at), 0) as delivered,
    moments.subscription_id,
    moments.account_id,
    moments.product_code,
    moments.product_code || '-' || case
        when moments.occurred_at
            < office_hour(
                month_start(moments.plan_changes), part(moments.service_bits, 0)
            )
            or moments.plan_changes is null
            or moments.plan_changes <= month_index(moments.activated_on)
            then 'A'
        when moments.plan_factor > 1 then 'PLUS'
        else 'LITE'
    end as plan_code,
    case
        when moments.product_code like 'MOB%' or moments.product_code like 'FV%'
            then '100'
                || lpad(cast(moments.service_number % 100000000 as varchar), 8, '0')
    end as service_number,
    bound.contract_id,
    moments.activated_on,
    case when moments.occurred_at >= office_hour(moments.deactivated_on, 0.9)
            then moments.deactivated_on
    end as deactivated_on,
    case when moments.occurred_at >= office_hour(moments.deactivated_on, 0.9)
            then moments.deactivation_reason
    end as deactivation_reason,
    moments.occurred_at as updated_at
from subscription_moments as moments
inner join bound
    on moments.service_number = bound.service_number
        and moments.occurred_at = bound.occurred_at;
