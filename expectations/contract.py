"""What the suites need to know of the feed contract, read from a plain mapping.

The mapping is the content of the contract's YAML; whoever calls the suites reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Contract = Mapping[str, Mapping[str, Any]]

REFERENCE_TABLES = ("regions", "products")
COUNTED = "category not in ('duplicate', 'trial')"


@dataclass(frozen=True)
class Period:
    """What a run closes: its last month (the first day), its currency, and its own day."""

    closing_month: dt.date
    reporting_currency: str
    today: dt.date


@dataclass(frozen=True)
class Reference:
    """A column that names a row of another feed or of a reference table."""

    column: str
    parent: str
    parent_column: str

    @property
    def table(self) -> str:
        """The schema-qualified table that holds the parents."""
        schema = "reference" if self.parent in REFERENCE_TABLES else "raw"
        return f"{schema}.{self.parent}"


@dataclass(frozen=True)
class Feed:
    """One feed of the contract."""

    name: str
    domain: str
    required: bool
    key: tuple[str, ...]
    version: str | None
    columns: Mapping[str, Mapping[str, Any]]

    @property
    def table(self) -> str:
        """The view of all its active rows."""
        return f"raw.{self.name}"

    @property
    def repeated(self) -> str:
        """The table of the hashes of keys that several rows share (see check_views)."""
        return f"checks.repeated_{self.name}"

    @property
    def required_columns(self) -> list[str]:
        """Columns that may not be empty."""
        return [name for name, rules in self.columns.items() if rules.get("required")]

    @property
    def personal_columns(self) -> frozenset[str]:
        """Columns whose values must not be shown in any result."""
        return frozenset(name for name, rules in self.columns.items() if "pii" in rules)

    @property
    def references(self) -> list[Reference]:
        """Columns that name a row elsewhere."""
        found = []
        for name, rules in self.columns.items():
            if "references" in rules:
                parent, parent_column = rules["references"].split(".")
                found.append(Reference(name, parent, parent_column))
        return found

    @property
    def months(self) -> list[str]:
        """Columns that hold a month as its first day."""
        return [name for name in self.columns if name.endswith("_month")]


def feed_of(contract: Contract, name: str) -> Feed:
    """The feed of that name; KeyError if the contract has none."""
    entry = contract[name]
    return Feed(
        name=name,
        domain=entry["domain"],
        required=bool(entry.get("required")),
        key=tuple(entry["key"]),
        version=entry.get("versioned_by"),
        columns=entry["columns"],
    )


def check_views(contract: Contract, period: Period) -> list[str]:
    """Statements that make the tables the raw rules compare, from the `raw` views.

    `checks.repeated_<feed>` holds the hashes of keys that several rows share, seldom any:
    a large feed is grouped by its key here and nowhere else. `checks.<feed>` holds the rows
    that count now: of rows delivered again under one key the one delivered last (of a
    versioned feed its newest version). `checks.bills` holds the revenue of every counted
    invoice in the reporting currency; one whose currency has no rate counts with 1 here,
    since a missing rate stops the run elsewhere. `checks.clock` holds the day of the run, so
    that checking it again later gives the same result.
    """
    statements = [
        "create schema if not exists checks",
        f"create or replace table checks.clock as select date '{period.today}' as today",
    ]
    for feed in (feed_of(contract, name) for name in contract):
        statements += [
            f"create or replace table {feed.repeated} as"
            f" select hash({', '.join(feed.key)}) as key_hash from {feed.table}"
            " group by key_hash having count(*) > 1",
            f"create or replace view checks.{feed.name} as {current_rows(feed)}",
        ]
    statements.append(
        "create or replace table checks.charge_totals as"
        " select invoice_id, cast(sum(amount) as decimal(18, 4)) as charged_amount,"
        " cast(sum(case when charge_type in ('penalty', 'third_party') then 0"
        " else amount end) as decimal(18, 4)) as revenue_amount"
        " from checks.charges group by invoice_id"
    )
    statements.append(
        "create or replace table checks.period as select"
        f" date '{period.closing_month}' as closing_month,"
        f" '{period.reporting_currency}' as reporting_currency"
    )
    statements.append(f"create or replace table checks.bills as {_BILLS}")
    return statements


_BILLS = f"""
with rates as (
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
        coalesce(
            charge_totals.revenue_amount, invoices.total_amount - invoices.tax_amount
        ) as net_amount
    from checks.invoices as invoices
    left join checks.charge_totals as charge_totals
        on invoices.invoice_id = charge_totals.invoice_id
    where invoices.{COUNTED}
)
select
    nets.invoice_id,
    nets.account_id,
    accounts.customer_id,
    nets.billing_month,
    nets.category,
    nets.issued_on,
    nets.due_on,
    nets.currency,
    nets.total_amount,
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


def current_rows(feed: Feed) -> str:
    """SQL for the rows of a feed that count now.

    Only keys delivered more than once are sorted: in most deliveries they are few.
    """
    key = ", ".join(feed.key)
    newest = ", ".join(
        f"{column} desc" for column in (feed.version, "delivery_rank", "_row_number") if column
    )
    return f"""
with ordered as (
    select *, row_number() over (partition by {key} order by {newest}) as newness
    from {feed.table}
    where hash({key}) in (select key_hash from {feed.repeated})
)
select * from {feed.table} where hash({key}) not in (select key_hash from {feed.repeated})
union all
select * exclude (newness) from ordered where newness = 1
"""
