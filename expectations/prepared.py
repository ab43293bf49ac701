"""What the raw rules compare: made once from the views of the lake, before anything is checked."""

from __future__ import annotations

from expectations.contract import COUNTED, Contract, Feed, Period, feed_of

# Invoices are read by many rules: their charges, account and rates are looked up here once.
_INVOICES = """
with charge_totals as (
    select
        invoice_id,
        cast(sum(amount) as decimal(18, 4)) as charged_amount,
        cast(sum(
            case when charge_type in ('penalty', 'third_party') then 0 else amount end
        ) as decimal(18, 4)) as revenue_amount
    from latest.charges
    group by invoice_id
),
rates as (
    select
        cast(month as date) as month,
        currency,
        cast(cny_per_unit as decimal(18, 8)) as cny_per_unit
    from reference.fx_rates
),
nets as (
    select
        invoices.*,
        charge_totals.invoice_id is not null as is_itemised,
        charge_totals.charged_amount,
        coalesce(
            charge_totals.revenue_amount, invoices.total_amount - invoices.tax_amount
        ) as net_amount
    from latest.invoices as invoices
    left join charge_totals on invoices.invoice_id = charge_totals.invoice_id
)
select
    nets.invoice_id,
    nets.account_id,
    accounts.customer_id,
    accounts.currency as account_currency,
    nets.billing_month,
    nets.category,
    nets.issued_on,
    nets.due_on,
    nets.currency,
    nets.total_amount,
    nets.tax_amount,
    nets.charged_amount,
    nets.is_itemised,
    cast(case
        when nets.currency = period.reporting_currency then nets.net_amount
        when period.reporting_currency = 'CNY'
            then round(nets.net_amount * coalesce(billed.cny_per_unit, 1), 4)
        else round(
            nets.net_amount * coalesce(billed.cny_per_unit, 1)
            / coalesce(reported.cny_per_unit, 1), 4
        )
    end as decimal(18, 4)) as revenue
from nets
cross join checks.period as period
left join checks.accounts as accounts on nets.account_id = accounts.account_id
left join rates as billed
    on billed.month = nets.billing_month and billed.currency = nets.currency
left join rates as reported
    on reported.month = nets.billing_month
    and reported.currency = period.reporting_currency
"""

_AWAITED_BILLS = """
with regular as (
    select
        bills.account_id,
        round(sum(bills.revenue) / asked.months, 4) as usual_revenue
    from checks.bills as bills
    cross join checks.period as period
    cross join (
        select cast(max(value) as decimal(18, 6)) as months
        from reference.parameters where name = 'billing_regular_months'
    ) as asked
    where bills.billing_month < period.closing_month
        and datediff('month', bills.billing_month, period.closing_month) <= asked.months
    group by bills.account_id, asked.months
    having count(distinct bills.billing_month) = asked.months
),
served as (
    select distinct subscriptions.account_id
    from checks.subscriptions as subscriptions
    cross join checks.period as period
    where subscriptions.activated_on <= last_day(period.closing_month)
        and coalesce(
            subscriptions.deactivated_on > last_day(period.closing_month), true
        )
),
billed as (
    select distinct bills.account_id
    from checks.bills as bills
    inner join checks.period as period on bills.billing_month = period.closing_month
)
select
    regular.account_id,
    cast(regular.usual_revenue as decimal(18, 4)) as amount,
    billed.account_id is not null as has_arrived
from regular
inner join served on regular.account_id = served.account_id
left join billed on regular.account_id = billed.account_id
"""

_REVENUES = """
select bills.customer_id, sum(bills.revenue) as revenue
from checks.bills as bills
cross join checks.period as period
where bills.billing_month <= period.closing_month
    and datediff('month', bills.billing_month, period.closing_month) < (
        select cast(max(value) as integer) from reference.parameters
        where name = 'affected_revenue_months'
    )
group by bills.customer_id
"""


def check_views(contract: Contract, period: Period) -> list[str]:
    """Statements that make what the raw rules compare, from the views `latest`.

    `checks.<feed>` holds the rows that count now: of a versioned feed the newest version of
    each key. `checks.invoices` also tells of each invoice its charges, its account and its
    revenue in the reporting currency; one whose currency has no rate counts with 1 here,
    since a missing rate stops the run elsewhere. `checks.bills` holds those of them that
    are counted, `checks.awaited_bills` the accounts whose bill of the closing month is
    awaited, `checks.revenues` what each customer brought lately, by which failures are
    weighed. `checks.clock` holds the day of the run, so that checking it again later gives
    the same result.
    """
    feeds = (feed_of(contract, name) for name in contract if name != "invoices")
    return [
        "create schema if not exists checks",
        f"create or replace table checks.clock as select date '{period.today}' as today",
        "create or replace table checks.period as select"
        f" date '{period.closing_month}' as closing_month,"
        f" '{period.reporting_currency}' as reporting_currency",
        *(f"create or replace view checks.{feed.name} as {current_rows(feed)}" for feed in feeds),
        f"create or replace table checks.invoices as {_INVOICES}",
        f"create or replace view checks.bills as select * from checks.invoices where {COUNTED}",
        f"create or replace table checks.awaited_bills as {_AWAITED_BILLS}",
        f"create or replace table checks.revenues as {_REVENUES}",
    ]


def current_rows(feed: Feed) -> str:
    """SQL for the rows of a feed that count now."""
    if feed.version is None:
        return f"select * from latest.{feed.name}"
    return f"""
select * exclude (newness) from (
    select
        *,
        row_number() over (
            partition by {", ".join(feed.key)} order by {feed.version} desc
        ) as newness
    from latest.{feed.name}
)
where newness = 1
"""
