-- The bills of the month with their charges, and the payments they will bring.

create or replace temp table month_services as
select
    services.*,
    bits('use', services.service_number * 10000 + getvariable('number')) as use_bits,
    bits('extra', services.service_number * 10000 + getvariable('number'))
        as extra_bits,
    greatest(services.activated_on, getvariable('month')) as from_day,
    least(
        coalesce(services.deactivated_on - 1, getvariable('month_end')),
        getvariable('month_end')
    ) as to_day,
    coalesce(services.sleeps <= getvariable('number'), false) as is_asleep,
    -- who is about to leave uses less and less
    case
        when services.deactivated_on = services.left_on
            and services.leaves - getvariable('number') between 0 and 3
            then 0.5 + 0.13 * (services.leaves - getvariable('number'))
        else 1.0
    end as fading,
    1 + 0.08 * cos(2 * pi() * (getvariable('number') % 12 - 1) / 12) as season
from services
where
    services.activated_on <= getvariable('month_end')
    and (services.deactivated_on is null or services.deactivated_on > getvariable('month'));

create or replace temp table month_uplift as
select
    k,
    max(case objective when 'upsell' then 1.25 else 1.08 end) as uplift
from treated
where starts < getvariable('number') and starts >= getvariable('number') - 6
group by k;

create or replace temp table month_usage as
select
    subscription_id,
    getvariable('month') as usage_month,
    cast(round(case
        when is_asleep then 0
        when product_code in ('MOB_PRE', 'MOB_4G', 'MOB_5G')
            then 130
                * exp(0.7 * normal(service_bits))
                * (0.7 + 0.6 * part(use_bits, 0))
                * fading
        when product_code = 'FV_LINE' then 90 * (0.4 + 1.2 * part(use_bits, 0)) * fading
        when product_code = 'MOB_BIZ'
            then fee * 2.2 * (0.7 + 0.6 * part(use_bits, 0)) * fading
        when product_code = 'FV_TRUNK'
            then fee * 4.5 * (0.7 + 0.6 * part(use_bits, 0)) * fading
        else 0
    end) as decimal(18, 2)) as voice_minutes,
    cast(round(case
        when is_asleep then 0
        when product_code = 'MOB_PRE' then 3000 * exp(0.8 * normal(service_bits))
        when product_code = 'MOB_4G' then 11000 * exp(0.7 * normal(service_bits))
        when product_code = 'MOB_5G' then 24000 * exp(0.7 * normal(service_bits))
        when
            product_code in ('BB_HOME', 'BB_GIGA')
            then 260000 * exp(0.6 * normal(service_bits))
        when product_code in ('BB_BIZ', 'LL_DIA') then 500 * fee
        when product_code = 'MOB_BIZ' then 160 * fee
        when product_code = 'IOT_SIM' then 9 * fee
        else 0
    end * (0.7 + 0.6 * part(use_bits, 1)) * season * fading) as decimal(18, 2))
        as data_mb,
    case
        when is_asleep then 0
        when product_code like 'MOB%'
            then cast(floor(24 * pow(part(use_bits, 2), 2) * fading) as integer)
        else 0
    end as sms_count,
    case
        when is_asleep then 0
        else least(
                cast(to_day - from_day + 1 as integer),
                cast(
                    ceil(
                        (to_day - from_day + 1)
                        * fading
                        * (1 - 0.5 * pow(part(use_bits, 3), 4))
                    ) as integer
                )
            )
    end as active_days
from month_services
where product_code not in ('ICT_MGD', 'ICT_MSG', 'CLD_HOST', 'LL_VPN');

create or replace temp table month_quality as
select
    subscription_id,
    getvariable('month') as quality_month,
    cast(1 - 0.012 * pow(part(extra_bits, 0), 2) * worse as decimal(9, 6))
        as access_rate,
    cast(case
        when product_code like 'MOB%' or product_code like 'FV%'
            then round(0.008 * pow(part(extra_bits, 1), 2) * worse, 4)
        else 0
    end as decimal(9, 6)) as drop_rate,
    cast(case
        when
            part(extra_bits, 2) < 0.06 * worse
            then floor(part(extra_bits, 3) * 300 * worse)
        else 0
    end as decimal(18, 2)) as outage_minutes
from (
    select
        *,
        -- those who leave had the worse network more often
        case when leaves - getvariable('number') between 0 and 4 then 1.8 else 1.0 end
            as worse
    from month_services
    where product_code not in ('ICT_MGD', 'ICT_MSG', 'CLD_HOST')
);

create or replace temp table month_lines as
with terms as (
    select
        month_services.* exclude (fee),
        coalesce(month_uplift.uplift, 1.0) as uplift,
        -- a plan changed in the month is billed at the new fee
        case
            when plan_changes > month_index(activated_on)
                and plan_changes <= getvariable('number')
                then round(fee * plan_factor, 2)
            else fee
        end as fee,
        (to_day - from_day + 1) / day(getvariable('month_end')) as share_of_month,
        holders.payer,
        holders.currency
    from month_services
    inner join holders on month_services.account_number = holders.account_number
    left join month_uplift on month_services.k = month_uplift.k
),

discounts as (
    select
        k,
        max(discount_rate) as discount_rate
    from agreements
    where starts_on <= getvariable('month_end') and ends_on >= getvariable('month')
    group by k
),

billed as (
    select
        terms.*,
        discounts.discount_rate,
        case
            when is_asleep and is_prepaid then 0 else
                round(
                    fee
                    * share_of_month
                    * case when usage_share > 0.8 then 0.1 else 1 end,
                    2
                )
        end
            as recurring
    from terms
    left join discounts on terms.k = discounts.k
),

lines as (
    select
        *,
        'recurring' as charge_type,
        recurring as amount,
        1.0 as quantity,
        'month' as unit
    from billed
    where recurring > 0
    union all
    select
        *,
        'usage',
        round(
            (usage_level * exp(0.5 * normal(service_bits)) + usage_share * fee)
            * share_of_month
            * season
            * fading
            * uplift
            * (0.6 + 0.8 * part(use_bits, 0)),
            2
        ),
        round(10 + 300 * part(use_bits, 1)),
        case
            when product_code like 'FV%' then 'minute' when
                product_code = 'ICT_MSG'
                then 'message'
            else 'MB'
        end
    from billed
    where not is_asleep
        and (
            usage_share > 0
            or (
                usage_level > 0
                and part(use_bits, 2) < case when is_prepaid then 0.97 else 0.5 end
            )
        )
    union all
    select
        *,
        'discount',
        -round(recurring * discount_rate, 2),
        null,
        null
    from billed
    where discount_rate is not null and recurring > 0 and not is_prepaid
        and part(service_bits, 3) < 0.9
    union all
    select
        *,
        'one_off',
        case
            when product_code like 'BB%' then 100.0
            when product_code like 'LL%' then round(fee * 0.8 / 10) * 10
            when
                product_code like 'ICT%' or product_code like 'CLD%'
                then round(fee * 1.5 / 10) * 10
            else 10.0
        end,
        1.0,
        'installation'
    from billed
    where activated_on >= getvariable('month')
    union all
    select
        *,
        'one_off',
        round(fee * (0.5 + 2 * part(extra_bits, 1)) / 10) * 10,
        1.0,
        'project'
    from billed
    where product_code = 'ICT_MGD' and part(extra_bits, 0) < 0.12
    union all
    select
        *,
        'adjustment',
        -round(recurring * (0.05 + 0.4 * part(extra_bits, 2)), 2),
        null,
        null
    from billed
    where recurring > 5 and part(extra_bits, 3) < 0.006
    union all
    select
        *,
        'penalty',
        greatest(round(fee * 0.015, 2), 0.5),
        null,
        null
    from billed
    where payer in ('slow', 'bad', 'defaulting')
        and not is_prepaid
        and part(extra_bits, 1) < 0.3
        and fee > 0
    union all
    select
        *,
        'third_party',
        pick([6.0, 10.0, 12.0, 15.0, 20.0], part(extra_bits, 0)),
        1.0,
        'subscription'
    from billed
    where not is_org
        and product_code like 'MOB%'
        and not is_asleep
        and part(extra_bits, 2) < 0.04
)

select
    account_number,
    subscription_id,
    product_code,
    charge_type,
    cast(amount as decimal(18, 4)) as amount,
    cast(quantity as decimal(18, 4)) as quantity,
    unit,
    case charge_type
        when 'recurring' then 1 when 'usage' then 2 when 'discount' then 3 when
            'one_off'
            then 4
        when 'adjustment' then 5 when 'penalty' then 6 else 7
    end as place
from lines
where amount <> 0;

-- The accounts billed in the month, with the special bills some of them get.
create or replace temp table month_accounts as
select
    holders.*,
    bits('bill', holders.account_number * 10000 + getvariable('number')) as bill_bits,
    bits('special', holders.account_number * 10000 + getvariable('number'))
        as special_bits,
    sums.net
from holders
inner join (
    select
        account_number,
        sum(amount) as net
    from month_lines
    group by account_number
) as sums on holders.account_number = sums.account_number;

create or replace temp table month_bill_lines as
with regular as (
    select
        account_number,
        '' as suffix,
        month_lines.* exclude (account_number)
    from month_lines
),

interim as (
    select
        account_number,
        '-I',
        null as subscription_id,
        'ICT_MGD' as product_code,
        'one_off' as charge_type,
        cast(round(spend * (0.2 + part(special_bits, 1)) / 10) * 10 as decimal(18, 4))
            as amount,
        cast(1 as decimal(18, 4)) as quantity,
        'project' as unit,
        4 as place
    from month_accounts
    where is_org and spend > 800 and part(special_bits, 0) < 0.02
),

credits as (
    select
        account_number,
        '-C',
        subscription_id,
        product_code,
        'adjustment',
        cast(-round(amount * share, 2) as decimal(18, 4)),
        null,
        null,
        5
    from (
        select
            month_lines.*,
            0.1 + 0.5 * part(month_accounts.special_bits, 1) as share,
            row_number() over (
                partition by month_lines.account_number
                order by month_lines.amount desc, month_lines.subscription_id
            ) as position
        from month_lines
        inner join
            month_accounts
            on month_lines.account_number = month_accounts.account_number
        where part(month_accounts.special_bits, 2) < 0.006
            and not month_accounts.is_prepaid
            and month_lines.charge_type in ('recurring', 'usage')
    )
    where position = 1 and amount > 1
),

duplicates as (
    select
        account_number,
        '-D',
        month_lines.* exclude (account_number)
    from month_lines
    inner join month_accounts using (account_number)
    where part(special_bits, 3) < 0.003
),

trials as (
    select
        account_number,
        '-T',
        null,
        'CLD_HOST',
        'recurring',
        cast(100 + floor(part(special_bits, 1) * 9) * 50 as decimal(18, 4)),
        cast(1 as decimal(18, 4)),
        'month',
        1
    from month_accounts
    where is_org and part(special_bits, 3) > 0.993
)

select * from regular
union all select * from interim
union all select * from credits
union all
select
    account_number,
    '-D',
    subscription_id,
    product_code,
    charge_type,
    amount,
    quantity,
    unit,
    place
from duplicates
union all select * from trials;

create or replace temp table month_invoices as
with sums as (
    select
        account_number,
        suffix,
        sum(amount) as net
    from month_bill_lines
    group by account_number, suffix
),

dated as (
    select
        month_accounts.*,
        sums.suffix,
        sums.net as bill_net,
        strftime(getvariable('month'), 'B%Y%m-')
        || month_accounts.account_id
        || sums.suffix
            as invoice_id,
        case sums.suffix
            when '-I' then 'interim'
            when '-C' then 'credit_note'
            when '-D' then 'duplicate'
            when '-T' then 'trial'
            when '' then case
                    when returns is null and left_on >= getvariable('month')
                        and left_on <= getvariable('month_end') + 1 then 'last'
                    else 'normal'
                end
        end as category,
        -- the billing day closes the month two to four days before its end
        getvariable('month') + case sums.suffix
            when '-I' then 11
            when '-D' then 27
            else 24 + cast(floor(part(account_bits, 0) * 3) as integer)
        end as issued
    from sums
    inner join month_accounts on sums.account_number = month_accounts.account_number
)

select
    *,
    cast(issued as date) as issued_on,
    cast(
        case
            when is_prepaid then issued when is_org then issued + 30 else issued + 20
        end as date
    )
        as due_on,
    cast(bill_net + round(bill_net * 0.06, 2) as decimal(18, 2)) as total_amount,
    cast(round(bill_net * 0.06, 2) as decimal(18, 2)) as tax_amount,
    -- the details of a few consumers' bills were lost
    not is_org and suffix = '' and part(bill_bits, 3) < 0.003 as is_unitemised
from dated;

create or replace temp table month_charges as
select
    month_invoices.invoice_id || '-' || lpad(cast(row_number() over (
        partition by month_invoices.invoice_id
        order by
            month_bill_lines.subscription_id,
            month_bill_lines.place,
            month_bill_lines.amount
    ) as varchar), 2, '0') as charge_id,
    month_invoices.invoice_id,
    month_bill_lines.subscription_id,
    month_bill_lines.product_code,
    month_bill_lines.charge_type,
    month_bill_lines.amount,
    month_bill_lines.quantity,
    month_bill_lines.unit
from month_bill_lines
inner join month_invoices
    on month_bill_lines.account_number = month_invoices.account_number
        and month_bill_lines.suffix = month_invoices.suffix
where not month_invoices.is_unitemised;

insert into payments_made
with owed as (
    select
        *,
        -- who leaves without paying stops two months before
        leave_reason = 'non_payment' and returns is null
        and leaves - getvariable('number') between 0 and 2 as is_abandoned,
        bits('pay', invoice_id) as pay_bits
    from month_invoices
    where category in ('normal', 'interim', 'last')
        and not is_prepaid
        and total_amount > 0
),

delays as (
    select
        *,
        case
            when is_abandoned or payer = 'defaulting' then null
            when payer = 'automatic' then -cast(floor(part(pay_bits, 0) * 3) as integer)
            when payer = 'punctual' then -cast(floor(part(pay_bits, 0) * 16) as integer)
            when payer = 'careless' and part(pay_bits, 1) < 0.16
                then 1 + cast(floor(part(pay_bits, 0) * 24) as integer)
            when payer = 'careless' then -cast(floor(part(pay_bits, 0) * 8) as integer)
            when payer = 'slow' then 12 + cast(floor(part(pay_bits, 0) * 65) as integer)
            when part(pay_bits, 1) < 0.18 then null
            else 60 + cast(floor(part(pay_bits, 0) * 160) as integer)
        end as delay,
        case
            when part(pay_bits, 2) < 0.012 then 'partial'
            when part(pay_bits, 2) < 0.020 then 'over'
            when part(pay_bits, 2) < 0.028 then 'bounced'
            else 'full'
        end as manner,
        is_org and part(account_bits, 3) < 0.12 as is_unnamed
    from owed
),

parts as (
    select
        *,
        1 as sequence,
        0 as later,
        case manner
            when 'partial' then round(total_amount * (0.4 + part(pay_bits, 3) / 2), 2)
            when 'over' then ceil(total_amount / 10) * 10
            else total_amount
        end as paid
    from delays where delay is not null
    union all
    select
        *,
        2,
        4,
        -total_amount
    from delays
    where delay is not null and manner = 'bounced'
    union all
    select
        *,
        3,
        13,
        total_amount
    from delays
    where delay is not null and manner = 'bounced'
    union all
    select
        *,
        2,
        28,
        total_amount - round(total_amount * (0.4 + part(pay_bits, 3) / 2), 2)
    from delays
    where delay is not null and manner = 'partial' and part(pay_bits, 1) < 0.75
),

named as (
    select
        'P' || substr(invoice_id, 2) || '-' || cast(sequence as varchar) as payment_id,
        account_id,
        case when is_unnamed and manner <> 'bounced' then null else invoice_id end
            as invoice_id,
        cast(greatest(due_on + delay, issued_on) + later as date) as paid_on,
        paid,
        case
            when payer = 'automatic' then 'direct_debit'
            when is_org then 'bank_transfer'
            else pick(['wallet', 'bank_transfer', 'card', 'cash'], part(pay_bits, 3))
        end as payment_method
    from parts
    where paid <> 0
),

-- prepaid customers buy in round sums before they use
top_ups as (
    select
        'P' || substr(invoice_id, 2) || '-9',
        account_id,
        null,
        cast(
            getvariable('month')
            + cast(floor(part(bill_bits, 0) * 24) as integer) as date
        ),
        case
            when total_amount <= 10 then 10
            when total_amount <= 20 then 20
            when total_amount <= 30 then 30
            when total_amount <= 50 then 50
            when total_amount <= 100 then 100
            else ceil(total_amount / 100) * 100
        end,
        pick(['wallet', 'cash', 'card'], part(bill_bits, 2))
    from month_invoices
    where is_prepaid and suffix = '' and total_amount > 0 and part(bill_bits, 1) < 0.9
)

select
    month_index(paid_on),
    *
from named
union all
select
    month_index(paid_on),
    *
from top_ups as top_ups (
        payment_id, account_id, invoice_id, paid_on, amount, payment_method
    );

create or replace temp table month_costs as
select
    getvariable('month') as cost_month,
    costs.product_code,
    regions.region_code,
    cast(round(
        costs.per_subscription
        * case regions.region_class when 1 then 0.95 when 2 then 1.0 else 1.12 end
        * (1 - 0.002 * getvariable('number')), 2
    ) as decimal(18, 4)) as cost_per_subscription,
    cast(costs.share_of_revenue as decimal(9, 6)) as cost_share_of_revenue
from (
    values
    ('MOB_PRE', 4.5, 0.22),
    ('MOB_4G', 9.0, 0.24),
    ('MOB_5G', 16.0, 0.26),
    ('MOB_BIZ', 18.0, 0.28),
    ('BB_HOME', 16.0, 0.18),
    ('BB_GIGA', 24.0, 0.20),
    ('BB_BIZ', 35.0, 0.22),
    ('FV_LINE', 7.0, 0.20),
    ('FV_TRUNK', 40.0, 0.30), ('LL_DIA', 180.0, 0.22), ('LL_VPN', 220.0, 0.24),
    ('ICT_MSG', 5.0, 0.62),
    ('ICT_MGD', 90.0, 0.58),
    ('IOT_SIM', 15.0, 0.30),
    ('CLD_HOST', 40.0, 0.42)
) as costs (product_code, per_subscription, share_of_revenue)
cross join regions;
