-- What a good engineer would write by hand, without a framework: revenue, receivables, tiers and
-- value straight from the landing files, as the rulebook defines them. The main job is measured
-- against it; tests/benchmarks/baseline.py runs it and compares its sums with the marts.
--
-- Needs the variables `landing`, `reference` (a folder with every reference table) and
-- `closing_month`. Results: revenue_monthly, revenue_movement, receivables_monthly,
-- receivables_open, tier_monthly, value_monthly. A month is a number, year * 12 + month - 1.
--
-- It checks nothing and publishes nothing, and it leaves out:
--   * quarantine, corrections delivered later, duplicate keys, unknown references;
--   * control totals, evidence, history of beliefs, every mart beside the four groups;
--   * other reporting currencies than CNY, bills in another currency than their account's;
--   * tier policies of another kind than a threshold on the average revenue;
--   * feeds that are absent or begin later than the bills: all must be there from the start;
--   * of receivables: the credit grade, and by which payment a settled bill was settled; bad debts
--     in foreign currency are converted once a month and bill, not payment by payment, so that
--     they may be 0.0001 off now and then;
--   * of tiers: the receipt beyond metric and rule tier (bounds met and next, the gap);
--   * of value: potential value and value score, which need the model of churn, and coverage.

set preserve_insertion_order = false;

create temp macro month_number(day) as cast(year(day) * 12 + month(day) - 1 as integer);
create temp macro open_month() as 999999;
create temp macro money(amount) as cast(amount as decimal(18, 4));
create temp macro converted(amount, rate) as
    cast(round(cast(amount as decimal(28, 4)) * cast(rate as decimal(10, 8)), 4) as decimal(18, 4));
-- A DECIMAL(18,4) over a whole number, rounded half away from zero.
create temp macro mean_money(total, rows) as cast(
    sign(total) * ((2 * cast(abs(total) * 10000 as bigint) + rows) // (2 * rows)) * 0.0001
    as decimal(18, 4)
);

-- Reference tables and the calendar -----------------------------------------------------------

create temp table parameters as
from read_csv(getvariable('reference') || '/parameters.csv');
create temp macro parameter(wanted) as
    (select cast(value as integer) from parameters where name = wanted);
create temp table products as
from read_csv(
    getvariable('reference') || '/products.csv', types = {'default_margin_share': 'decimal(9,6)'}
);
create temp table regions as
from read_csv(getvariable('reference') || '/regions.csv', types = {'region_class': 'varchar'});
create temp table fx_rates as
select month_number(month) as m, currency, cast(cny_per_unit as decimal(10, 8)) as rate
from read_csv(
    getvariable('reference') || '/fx_rates.csv', types = {'cny_per_unit': 'decimal(18,8)'}
);

-- The register as of each month ----------------------------------------------------------------

create temp macro versions_as_of(relation, key) as table
select
    *,
    lead(month_from, 1, open_month()) over (partition by key_value order by month_from) as month_to
from (
    select
        *,
        key as key_value,
        case
            when lag(updated_at) over (partition by key order by updated_at) is null then 0
            else month_number(updated_at)
        end as month_from
    from query_table(relation)
    qualify
        month_number(updated_at) is distinct from lead(month_number(updated_at))
            over (partition by key order by updated_at)
        or lag(updated_at) over (partition by key order by updated_at) is null
);

create temp table customer_versions as
select
    customer_id, legal_form, industry, region_code, parent_customer_id, designation,
    strategic_flag, updated_at
from read_parquet(getvariable('landing') || '/customers/*.parquet');

create temp table customers as
select
    customer_id,
    max_by(legal_form, updated_at) as legal_form,
    case
        when max_by(legal_form, updated_at) = 'organisation'
            then coalesce(max_by({'value': industry}, updated_at).value, '')
        else ''
    end as peer_industry,
    max_by({'value': parent_customer_id}, updated_at).value as parent_id
from customer_versions
group by customer_id;

create temp table customers_as_of as
select
    customer_id, month_from, month_to, versions.region_code, region_class, designation,
    strategic_flag
from versions_as_of('customer_versions', customer_id) as versions
left join regions on regions.region_code = versions.region_code;

create temp table groups_of as
with recursive climbed as (
    select customer_id, customer_id as group_id, parent_id from customers
    union all
    select climbed.customer_id, climbed.parent_id, parents.parent_id
    from climbed
    inner join customers as parents on climbed.parent_id = parents.customer_id
)
select customer_id, group_id from climbed where parent_id is null;

create temp table account_versions as
select account_id, customer_id, payment_mode, updated_at
from read_csv(
    getvariable('landing') || '/accounts/*.csv',
    header = true,
    columns = {
        'account_id': 'varchar', 'customer_id': 'varchar', 'currency': 'varchar',
        'payment_mode': 'varchar', 'payment_method': 'varchar', 'credit_limit': 'varchar',
        'opened_on': 'varchar', 'closed_on': 'varchar', 'updated_at': 'timestamp'
    }
);

create temp table accounts as
select account_id, arg_max(payment_mode, updated_at) = 'postpaid' as is_postpaid
from account_versions
group by account_id;

create temp table owners as
select account_id, customer_id, month_from, month_to
from versions_as_of('account_versions', account_id);

-- A subscription under each owner of its account. Active counts at a month's end, served on any
-- day of the month.
create temp table held as
select
    account_id,
    owners.customer_id,
    product_code,
    greatest(activated, month_from) as active_from,
    least(deactivated, month_to) as active_to,
    least(served_to, month_to) as served_to,
    greatest(activated, month_from) < least(deactivated, month_to)
    or activated >= month_from and activated < month_to as is_held
from (
    select
        account_id,
        product_code,
        month_number(activated_on) as activated,
        case
            when deactivated_on is null then open_month()
            else greatest(month_number(deactivated_on), month_number(activated_on))
        end as deactivated,
        case
            when deactivated_on is null then open_month()
            when deactivated_on <= activated_on then 0
            when day(deactivated_on) = 1 then month_number(deactivated_on)
            else month_number(deactivated_on) + 1
        end as served_to
    from (
        select
            subscription_id,
            arg_max(account_id, updated_at) as account_id,
            arg_max(product_code, updated_at) as product_code,
            arg_max(activated_on, updated_at) as activated_on,
            max_by({'value': deactivated_on}, updated_at).value as deactivated_on
        from read_parquet(getvariable('landing') || '/subscriptions/*.parquet')
        group by subscription_id
    )
)
inner join owners using (account_id);

-- Bills --------------------------------------------------------------------------------------

create temp table bills as
select
    invoice_id,
    account_id,
    customer_id,
    is_postpaid,
    m,
    nullif(currency, 'CNY') as currency,
    rate,
    total_amount,
    tax_amount,
    case when rate is null then money(total_amount) else converted(total_amount, rate) end
        as billed_amount,
    month_number(issued_on) as issued,
    issued_on,
    due_on
from (
    select *, month_number(billing_month) as m
    from read_csv(
        getvariable('landing') || '/invoices/*.csv.gz',
        header = true,
        columns = {
            'invoice_id': 'varchar', 'account_id': 'varchar', 'billing_month': 'date',
            'category': 'varchar', 'issued_on': 'date', 'due_on': 'date', 'currency': 'varchar',
            'total_amount': 'decimal(18,2)', 'tax_amount': 'decimal(18,2)'
        }
    )
    where
        category in ('normal', 'interim', 'last', 'credit_note')
        and billing_month <= getvariable('closing_month')
) as delivered
inner join accounts using (account_id)
inner join owners using (account_id)
left join fx_rates using (m, currency)
where m >= month_from and m < month_to;

set variable first_month = (select min(m) from bills);
set variable last_month = month_number(getvariable('closing_month'));
create temp table months as
select
    cast(range as integer) as m,
    make_date(range // 12, range % 12 + 1, 1) as month,
    last_day(make_date(range // 12, range % 12 + 1, 1)) as month_end
from range(getvariable('first_month'), getvariable('last_month') + 1);

-- 1. Revenue -----------------------------------------------------------------------------------

create table revenue_monthly as
with lines as (
    select
        account_id, customer_id, product_code, m, charge_type,
        case when rate is null then amount else converted(amount, rate) end as amount,
        0 as active
    from read_parquet(getvariable('landing') || '/charges/*.parquet')
    inner join bills using (invoice_id)
    union all
    select
        account_id, customer_id, 'UNITEMISED', m, 'unitemised',
        case
            when rate is null then money(total_amount - tax_amount)
            else converted(total_amount - tax_amount, rate)
        end,
        0
    from bills
    anti join read_parquet(getvariable('landing') || '/charges/*.parquet') using (invoice_id)
    union all
    select account_id, customer_id, product_code, m, null, 0, active
    from (
        select account_id, customer_id, product_code, active_from, active_to, count(*) as active
        from held
        where active_from < active_to
        group by all
    )
    inner join months on m >= active_from and m < active_to
)
select
    customer_id,
    account_id,
    product_code,
    m,
    money(coalesce(sum(amount) filter (charge_type not in ('penalty', 'third_party')), 0))
        as revenue,
    money(coalesce(sum(amount) filter (charge_type = 'recurring'), 0)) as recurring_revenue,
    money(coalesce(sum(amount) filter (charge_type = 'usage'), 0)) as usage_revenue,
    money(coalesce(sum(amount) filter (charge_type = 'one_off'), 0)) as one_off_revenue,
    money(coalesce(sum(amount) filter (charge_type = 'discount'), 0)) as discount,
    money(coalesce(sum(amount) filter (charge_type = 'adjustment'), 0)) as adjustment,
    money(coalesce(sum(amount) filter (charge_type = 'unitemised'), 0)) as unitemised_revenue,
    cast(sum(active) as integer) as active_subscriptions
from lines
group by customer_id, account_id, product_code, m;

create temp table customer_revenue as
select customer_id, m, revenue
from (
    select customer_id, m, money(sum(revenue)) as revenue from revenue_monthly group by all
)
semi join bills using (customer_id, m);

create table revenue_movement as
with moved as (
    select
        customer_id,
        m,
        money(sum(earned_before)) as revenue_before,
        money(sum(earned)) as revenue
    from (
        select customer_id, m, 0 as earned_before, revenue as earned from customer_revenue
        union all
        select customer_id, m + 1, revenue, 0 from customer_revenue
        where m < getvariable('last_month')
    )
    group by customer_id, m
    having revenue <> 0 or revenue_before <> 0
),

first_earned as (
    select customer_id, min(m) as first_m from customer_revenue where revenue > 0 group by all
)

select
    customer_id,
    m,
    revenue_before,
    revenue,
    case
        when revenue <= 0 and revenue_before <= 0 then 'flat'
        when revenue <= 0 then 'lost'
        when m = first_m then 'new'
        when revenue_before <= 0 then 'returned'
        when revenue > revenue_before then 'expansion'
        when revenue < revenue_before then 'contraction'
        else 'flat'
    end as movement,
    revenue - revenue_before as change
from moved
left join first_earned using (customer_id);

-- 2. Receivables -------------------------------------------------------------------------------

create temp table payments as
select
    payment_id,
    paid.account_id,
    bills.invoice_id,
    paid.amount,
    paid.paid_on,
    month_number(paid.paid_on) as m
from read_csv(
    getvariable('landing') || '/payments/*.csv.gz',
    header = true,
    columns = {
        'payment_id': 'varchar', 'account_id': 'varchar', 'invoice_id': 'varchar',
        'paid_on': 'date', 'amount': 'decimal(18,2)', 'payment_method': 'varchar'
    }
) as paid
left join bills on paid.invoice_id = bills.invoice_id
where paid.paid_on <= last_day(getvariable('closing_month'));

create temp table receivable as
from bills
where issued_on <= last_day(getvariable('closing_month'));

create temp table paid_of_bill as
select
    invoice_id,
    count(*) as payments,
    sum(amount) as amount,
    max(m) as paid
from payments
where invoice_id is not null
group by invoice_id;

-- The few bills with several payments: was more on one than it asks for, at any time?
create temp table overpaid as
select account_id
from paid_of_bill
inner join receivable using (invoice_id)
where payments = 1 and amount > total_amount
union
select account_id
from (
    select
        account_id,
        total_amount,
        sum(amount) over (
            partition by invoice_id
            order by paid_on, amount < 0, payment_id
            rows unbounded preceding
        ) as settled
    from payments
    semi join (from paid_of_bill where payments > 1) using (invoice_id)
    inner join receivable using (invoice_id, account_id)
)
where settled > total_amount;

-- Three kinds of accounts. Where every payment names its bill and no money is left over, bills
-- settle apart from each other. Where none does, the oldest bill is always first. Elsewhere
-- money wanders between bills, and only taking events one by one tells which are open.
create temp table account_kinds as
with billed as (
    select account_id, bool_or(total_amount < 0) as has_credit_note
    from receivable
    group by account_id
),

paid as (
    select
        account_id,
        bool_or(invoice_id is null) as has_unnamed,
        bool_or(invoice_id is not null) as has_named
    from payments
    group by account_id
)

select
    account_id,
    case
        when not coalesce(has_named, false) then 'in order'
        when has_unnamed or has_credit_note or overpaid.account_id is not null then 'one by one'
        else 'apart'
    end as kind
from billed
left join paid using (account_id)
left join overpaid using (account_id);

-- What is open of a bill from a month on, until another month.
create temp table open_items as
with bills_apart as (
    select receivable.*, payments, amount,
        case when paid is not null then greatest(paid, issued) end as paid
    from receivable
    semi join (from account_kinds where kind = 'apart') using (account_id)
    left join paid_of_bill using (invoice_id)
),

balances_in_parts as (
    select
        invoice_id,
        changes.m as month_from,
        lead(changes.m, 1, open_month()) over months_of_bill as month_to,
        any_value(total_amount) - sum(sum(paid_amount)) over months_of_bill as open_amount
    from (
        select invoice_id, issued as m, 0 as paid_amount from bills_apart where payments > 1
        union all
        select invoice_id, greatest(payments.m, issued), payments.amount
        from payments
        inner join bills_apart using (invoice_id)
        where payments > 1
    ) as changes
    inner join bills_apart using (invoice_id)
    group by invoice_id, changes.m
    window months_of_bill as (partition by invoice_id order by changes.m)
)

select
    invoice_id, customer_id, is_postpaid, currency, due_on,
    issued as month_from, coalesce(paid, open_month()) as month_to, total_amount as open_amount
from bills_apart
where payments is null or payments = 1 and paid > issued
union all
select
    invoice_id, customer_id, is_postpaid, currency, due_on,
    paid, open_month(), total_amount - amount
from bills_apart
where payments = 1 and amount < total_amount
union all
select
    invoice_id, customer_id, is_postpaid, currency, due_on,
    month_from, month_to, open_amount
from balances_in_parts
inner join bills_apart using (invoice_id)
where open_amount > 0;

-- In order: bills laid end to end, and how far the money reaches at each month's end.
insert into open_items
with bills_in_order as (
    select
        *,
        sum(total_amount) over (
            partition by account_id order by issued_on, invoice_id rows unbounded preceding
        ) as ends_at
    from receivable
    semi join (from account_kinds where kind = 'in order') using (account_id)
    where total_amount > 0
),

reached as (
    select
        account_id,
        m,
        sum(sum(received)) over account_so_far as money,
        sum(sum(billed)) over account_so_far as billed
    from (
        select account_id, m, amount as received, 0 as billed from payments
        semi join (from account_kinds where kind = 'in order') using (account_id)
        union all
        select
            account_id, issued, greatest(-total_amount, 0), greatest(total_amount, 0)
        from receivable
        semi join (from account_kinds where kind = 'in order') using (account_id)
        union all
        select account_id, m, 0, 0
        from account_kinds, months
        where kind = 'in order'
    )
    group by account_id, m
    window account_so_far as (partition by account_id order by m rows unbounded preceding)
)

select
    invoice_id, customer_id, is_postpaid, currency, due_on,
    reached.m, reached.m + 1, least(total_amount, ends_at - money)
from reached
inner join bills_in_order using (account_id)
where billed > money and ends_at > money and issued <= reached.m;

-- One by one: a bill opens and takes the credit; money settles the bill it names, then the
-- oldest due, and the rest is credit; money paid back opens its bill again. Cents.
create temp table items as
select
    *, row_number() over (partition by account_id order by due_on, invoice_id) as item
from receivable
semi join (from account_kinds where kind = 'one by one') using (account_id);

create temp table events as
select
    account_id,
    row_number() over account_events as number,
    m,
    lead(m, 1, open_month()) over account_events as next_m,
    cents,
    coalesce(item, 0) as item,
    is_bill
from (
    select
        account_id, issued as m, issued_on as day, total_amount <= 0 as place, invoice_id as id,
        abs(cast(total_amount * 100 as bigint)) as cents,
        case when total_amount > 0 then item end as item,
        total_amount > 0 as is_bill
    from items
    union all
    select
        payments.account_id, payments.m, paid_on, 2 + cast(amount < 0 as integer), payment_id,
        cast(amount * 100 as bigint), item, false
    from payments
    semi join (from account_kinds where kind = 'one by one') using (account_id)
    left join items using (invoice_id)
)
window account_events as (partition by account_id order by day, place, id);

insert into open_items
with recursive taken as (
    select
        account_id,
        0 as number,
        0 as m,
        0 as next_m,
        cast(0 as bigint) as credit,
        cast([] as struct(item bigint, cents bigint)[]) as open
    from account_kinds
    where kind = 'one by one'
    union all
    select
        account_id, number, m, next_m,
        kept + greatest(money - coalesce(list_sum([x.cents for x in queue]), 0), 0),
        [x for x in list_transform(
            queue,
            lambda x, place: {
                'item': x.item,
                'cents': x.cents - least(x.cents, greatest(
                    money - coalesce(list_sum([y.cents for y in queue[:place - 1]]), 0), 0
                ))
            }
        ) if x.cents > 0]
    from (
        select
            taken.account_id, events.number, events.m, events.next_m,
            case when is_bill then credit else greatest(cents, 0) end as money,
            case when is_bill then 0 else credit end as kept,
            list_sort([
                {'is_later': x.item <> events.item, 'item': x.item, 'cents': x.cents}
                for x in
                case
                    when is_bill or cents < 0
                        then list_append(open, {'item': events.item, 'cents': abs(cents)})
                    else open
                end
            ]) as queue
        from taken
        inner join events
            on taken.account_id = events.account_id and taken.number + 1 = events.number
    )
)

select
    invoice_id, customer_id, is_postpaid, currency, due_on,
    opened.m, next_m, sum(opened.cents) * 0.01
from (
    select account_id, m, next_m, unnest(open, recursive := true)
    from taken
    where m < next_m
) as opened
inner join items using (account_id, item)
group by all;

-- What every customer owes at each month's end, and how long past due.
create temp table open_at_month_end as
select
    invoice_id,
    customer_id,
    is_postpaid,
    m,
    open_amount,
    currency,
    case when rate is null then money(open_amount) else converted(open_amount, rate) end
        as outstanding,
    greatest(month_end - due_on, 0) as days_past_due
from open_items
inner join months on m >= month_from and m < month_to
left join fx_rates using (m, currency);

create table receivables_monthly as
select
    customer_id,
    m,
    money(sum(outstanding)) as outstanding_amount,
    money(coalesce(sum(outstanding) filter (is_postpaid and days_past_due > 0), 0))
        as overdue_amount,
    max(days_past_due) filter (is_postpaid and days_past_due > 0) as longest_overdue_days
from open_at_month_end
group by customer_id, m;

create temp table buckets as
select bucket, from_days, coalesce(to_days, 999999) as to_days
from read_csv(getvariable('reference') || '/aging_buckets.csv');

create table receivables_open as
select
    invoice_id, customer_id, bucket as aging_bucket, days_past_due, open_amount,
    outstanding as outstanding_reporting
from open_at_month_end
left join buckets on days_past_due between from_days and to_days
where m = getvariable('last_month');

-- Written off once past the age; what is paid of it later comes back in the month it is paid.
create temp table bad_debts as
with changes as (
    select invoice_id, customer_id, currency, m, sum(change) as change
    from (
        select invoice_id, customer_id, currency, m, open_amount as change
        from open_at_month_end
        where is_postpaid and days_past_due > parameter('bad_debt_days')
        union all
        select invoice_id, customer_id, currency, m + 1, -open_amount
        from open_at_month_end
        where
            is_postpaid and days_past_due > parameter('bad_debt_days')
            and m < getvariable('last_month')
    )
    group by all
    having sum(change) <> 0
)

select
    customer_id,
    m,
    money(sum(case when rate is null then money(change) else converted(change, rate) end))
        as bad_debt
from changes
left join fx_rates using (m, currency)
group by customer_id, m;

-- The months of a customer ----------------------------------------------------------------------

create temp table activity as
select
    customer_id,
    m as month_from,
    lead(m, 1, open_month()) over (partition by customer_id order by m) as month_to,
    sum(change) over (partition by customer_id order by m) > 0 as is_active
from (
    select customer_id, m, sum(change) as change
    from (
        select customer_id, active_from as m, 1 as change from held where is_held
        union all
        select customer_id, active_to, -1 from held where is_held
    )
    where m < open_month()
    group by customer_id, m
);

create temp table starts as
select
    customer_id,
    min(activated) as activated,
    min(billed) as billed,
    least(min(activated), min(billed)) as first_active
from (
    select customer_id, active_from as activated, null as billed from held where is_held
    union all
    select customer_id, null, m from bills
)
group by customer_id;

create temp table customer_months as
with stretches as (
    select
        customer_id,
        is_active,
        month_from,
        case
            when is_active then month_to
            else least(month_to, month_from + parameter('row_months_after_leaving') + 1)
        end as month_to
    from activity
    union all
    select customer_id, false, billed, coalesce(activated, open_month())
    from starts
    where activated is null or billed < activated
),

months_in_stretches as materialized (
    select customer_id, m, is_active
    from stretches
    inner join months on m >= month_from and m < month_to
),

-- Money keeps a customer in view however long ago it left.
months_with_money as (
    select customer_id, m from bills
    union all
    select customer_id, m from receivables_monthly
    union all
    select customer_id, m
    from payments
    inner join owners using (account_id)
    where m >= month_from and m < month_to and m >= getvariable('first_month')
),

present as (
    select customer_id, m, is_active as is_ranked from months_in_stretches
    union all
    select distinct customer_id, m, false
    from months_with_money
    anti join months_in_stretches using (customer_id, m)
)

select
    present.customer_id,
    present.m,
    is_ranked,
    region_code,
    region_class,
    designation,
    strategic_flag,
    legal_form,
    peer_industry,
    group_id,
    coalesce(revenue, 0) as revenue,
    mean_money(
        sum(coalesce(revenue, 0)) over (
            partition by present.customer_id order by present.m
            range between 2 preceding and current row
        ),
        greatest(
            least(3, present.m - greatest(first_active, getvariable('first_month')) + 1), 1
        )
    ) as avg_revenue_3m
from present
inner join customers using (customer_id)
inner join groups_of using (customer_id)
inner join customers_as_of as versions
    on
        present.customer_id = versions.customer_id
        and present.m >= versions.month_from
        and present.m < versions.month_to
left join starts on starts.customer_id = present.customer_id
left join customer_revenue
    on customer_revenue.customer_id = present.customer_id and customer_revenue.m = present.m;

-- 3. Tiers -------------------------------------------------------------------------------------

create temp table bands as
from read_csv(
    getvariable('reference') || '/tier_bands.csv',
    types = {'bound': 'decimal(18,6)', 'region_class': 'varchar'}
)
where policy_id = 'house';

create temp table tiers as select distinct tier_rank, tier_code from bands;

create temp table bounds as
select
    region_class,
    list({'bound': bound, 'tier_rank': tier_rank} order by tier_rank) as bounds
from bands
where region_class is not null
group by region_class;

create temp table overrides as
select customer_id, m, arg_max(tier_code, valid_from) as tier_code
from read_csv(getvariable('reference') || '/tier_overrides.csv')
inner join months on valid_from <= month_end and valid_to > month_end
group by customer_id, m;

create table tier_monthly as
with lowest as (select max(tier_rank) as tier_rank from tiers),

ruled as (
    select
        customer_id,
        m,
        avg_revenue_3m,
        coalesce(
            list_filter(bounds, lambda band: avg_revenue_3m >= band.bound)[1].tier_rank,
            lowest.tier_rank
        ) as rule_rank,
        m - row_number() over (partition by customer_id order by m) as stretch
    from customer_months
    cross join lowest
    left join bounds using (region_class)
    where is_ranked
),

-- Up at once, down only when the rule has said so for two months and one more.
graced as (
    select
        *,
        min(rule_rank) over (
            partition by customer_id, stretch order by m
            rows between 2 preceding and current row
        ) as tier_rank
    from ruled
)

select
    customer_id,
    m,
    avg_revenue_3m as metric_value,
    rules.tier_code as rule_tier,
    coalesce(overrides.tier_code, graces.tier_code) as tier_code,
    case
        when overrides.tier_code is not null then 'override'
        when rule_rank <> graced.tier_rank then 'grace'
        else 'rule'
    end as tier_reason
from graced
inner join tiers as rules on rules.tier_rank = rule_rank
inner join tiers as graces on graces.tier_rank = graced.tier_rank
left join overrides using (customer_id, m)
union all
select customer_id, m, null, 'none', 'none', 'inactive'
from customer_months
where not is_ranked;

-- 4. Value -------------------------------------------------------------------------------------

create temp table service_costs as
select
    month_number(cost_month) as m, product_code, region_code, cost_per_subscription,
    cost_share_of_revenue
from read_csv(
    getvariable('landing') || '/service_costs/*.csv.gz',
    header = true,
    columns = {
        'cost_month': 'date', 'product_code': 'varchar', 'region_code': 'varchar',
        'cost_per_subscription': 'decimal(18,4)', 'cost_share_of_revenue': 'decimal(9,6)'
    }
);

create temp table families as
select product_code, product_family, cast(1 - default_margin_share as decimal(9, 6)) as cost_share
from products
union all
select 'UNITEMISED', 'unitemised', cast(1 - value as decimal(9, 6))
from parameters
where name = 'unitemised_margin_share';

create temp table customer_products as
with used as (
    select
        customer_id,
        product_code,
        m,
        money(sum(revenue)) as revenue,
        cast(sum(served) as integer) as served,
        sum(active) > 0 as is_held
    from (
        select
            customer_id, product_code, m, revenue, 0 as served, active_subscriptions as active
        from revenue_monthly
        union all
        select customer_id, product_code, m, 0, served, 0
        from (
            select customer_id, product_code, active_from, served_to, count(*) as served
            from held
            where active_from < served_to
            group by all
        )
        inner join months on m >= active_from and m < served_to
    )
    group by customer_id, product_code, m
)

select
    used.customer_id,
    used.m,
    product_family,
    is_held,
    used.revenue,
    money(
        case
            when cost_per_subscription is null then greatest(used.revenue, 0) * cost_share
            else
                served * cost_per_subscription
                + greatest(used.revenue, 0) * cost_share_of_revenue
        end
    ) as cost_to_serve
from used
inner join customer_months using (customer_id, m)
inner join families using (product_code)
left join service_costs using (m, product_code, region_code);

create temp table relationship_costs as
with contacts as (
    select
        customer_id, campaign_id, month_number(contacted_at) as m, count(*) as contacts,
        sum(coalesce(cost, 0)) as cost
    from read_csv(
        getvariable('landing') || '/contacts/*.csv.gz',
        header = true,
        columns = {
            'contact_id': 'varchar', 'customer_id': 'varchar', 'manager_id': 'varchar',
            'campaign_id': 'varchar', 'channel': 'varchar', 'purpose': 'varchar',
            'contacted_at': 'timestamp', 'outcome': 'varchar', 'score': 'varchar',
            'cost': 'decimal(18,2)'
        }
    )
    group by all
),

campaigns as (
    select
        campaign_id,
        arg_max(fixed_cost, updated_at) as fixed_cost,
        month_number(arg_max(starts_on, updated_at)) as starts,
        month_number(arg_max(ends_on, updated_at)) as ends
    from read_csv(
        getvariable('landing') || '/campaigns/*.csv', types = {'fixed_cost': 'decimal(18,4)'}
    )
    group by campaign_id
),

campaign_contacts as (
    select campaign_id, m, sum(contacts) as contacts
    from contacts
    where campaign_id is not null
    group by campaign_id, m
),

costs as (
    select
        customer_id,
        contacts.m,
        contacts.cost + coalesce(mean_money(
            money(fixed_cost * contacts.contacts),
            (ends - starts + 1) * cast(campaign_contacts.contacts as bigint)
        ), 0) as cost
    from contacts
    left join campaigns
        on
            campaigns.campaign_id = contacts.campaign_id
            and contacts.m between starts and ends
    left join campaign_contacts
        on
            campaign_contacts.campaign_id = contacts.campaign_id
            and campaign_contacts.m = contacts.m
    union all
    select
        arg_max(customer_id, updated_at),
        month_number(arg_max(opened_at, updated_at)),
        arg_max(coalesce(compensation, 0), updated_at)
    from read_csv(
        getvariable('landing') || '/complaints/*.csv.gz',
        types = {
            'opened_at': 'timestamp', 'updated_at': 'timestamp', 'compensation': 'decimal(18,2)',
            'subscription_id': 'varchar', 'satisfaction': 'varchar'
        }
    )
    group by complaint_id
)

select customer_id, m, money(sum(cost)) as relationship_cost
from costs
group by customer_id, m;

-- Headroom: what peers who hold a family that the customer lacks bring with it.
create temp table headrooms as
with peers as (
    select
        customer_id,
        m,
        legal_form,
        peer_industry,
        cast(floor(
            (rank() over (partition by m order by avg_revenue_3m) - 1)
            * parameter('peer_revenue_groups') / count(*) over (partition by m)
        ) as integer) as revenue_group
    from customer_months
    where is_ranked
),

peer_counts as (
    select m, legal_form, peer_industry, revenue_group, count(*) as peers from peers group by all
),

holdings as (
    select
        customer_id, m, legal_form, peer_industry, revenue_group, product_family,
        money(sum(customer_products.revenue - cost_to_serve)) as family_margin
    from customer_products
    inner join peers using (customer_id, m)
    group by all
    having bool_or(is_held)
),

family_values as (
    select
        m, legal_form, peer_industry, revenue_group, product_family,
        count(*) as holders,
        mean_money(
            mean_money(
                quantile_disc(family_margin, 0.5) + quantile_disc(-family_margin, 0.5) * -1, 2
            ) * count(*) * parameter('headroom_months'),
            any_value(peers)
        ) as headroom
    from holdings
    inner join peer_counts using (m, legal_form, peer_industry, revenue_group)
    group by all
    having count(*) >= parameter('peer_minimum')
),

group_values as (
    select
        m, legal_form, peer_industry, revenue_group, count(*) as valued, sum(headroom) as headroom
    from family_values
    group by all
),

held_values as (
    select
        customer_id, m, count(*) as held, count(headroom) as valued,
        sum(coalesce(headroom, 0)) as headroom
    from holdings
    left join family_values using (m, legal_form, peer_industry, revenue_group, product_family)
    group by customer_id, m
)

select
    customer_id,
    m,
    case
        when
            coalesce(held, 0) = (select count(distinct product_family) from products)
            or coalesce(group_values.valued, 0) > coalesce(held_values.valued, 0)
            then money(coalesce(group_values.headroom, 0) - coalesce(held_values.headroom, 0))
    end as headroom_value
from peers
left join group_values using (m, legal_form, peer_industry, revenue_group)
left join held_values using (customer_id, m);

create temp table social_points as
select *, lead(lower_bound) over (partition by attribute order by lower_bound) as upper_bound
from read_csv(
    getvariable('reference') || '/social_points.csv',
    types = {'code': 'varchar', 'lower_bound': 'integer', 'points': 'decimal(18,4)'}
);

create temp table group_points as
select group_id, m, sum(points) as points
from (
    select
        group_id,
        m,
        unnest([
            {'attribute': 'group_size', 'size': count(*)},
            {'attribute': 'regional_span', 'size': count(distinct region_code)}
        ], recursive := true)
    from customer_months
    where is_ranked
    group by group_id, m
    having count(*) > 1
) as sizes
inner join social_points
    on
        social_points.attribute = sizes.attribute
        and size >= lower_bound
        and size < coalesce(upper_bound, 999999)
group by group_id, m;

create table value_monthly as
with costs as (
    select customer_id, m, money(sum(cost_to_serve)) as cost_to_serve
    from customer_products
    group by customer_id, m
),

margins as (
    select
        customer_id,
        m,
        revenue,
        coalesce(cost_to_serve, 0) as cost_to_serve,
        coalesce(relationship_cost, 0) as relationship_cost,
        coalesce(bad_debt, 0) as bad_debt,
        money(
            revenue - coalesce(cost_to_serve, 0) - coalesce(relationship_cost, 0)
            - coalesce(bad_debt, 0)
        ) as margin,
        group_id,
        designation,
        strategic_flag
    from customer_months
    left join costs using (customer_id, m)
    left join relationship_costs using (customer_id, m)
    left join bad_debts using (customer_id, m)
)

select
    customer_id,
    m,
    revenue,
    cost_to_serve,
    relationship_cost,
    bad_debt,
    margin,
    money(sum(margin) over (
        partition by customer_id order by m range between 11 preceding and current row
    )) as current_value,
    headroom_value,
    money(least(
        coalesce(designations.points, 0) + coalesce(strategic.points, 0)
        + coalesce(group_points.points, 0),
        parameter('social_score_maximum')
    )) as social_score
from margins
left join headrooms using (customer_id, m)
left join group_points using (group_id, m)
left join social_points as designations
    on designations.attribute = 'designation' and designations.code = designation
left join social_points as strategic
    on strategic.attribute = 'strategic' and strategic.code = 'true' and strategic_flag;
