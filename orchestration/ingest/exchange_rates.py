"""Exchange rates: which ones the run needs, and which of those are missing."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import duckdb

from orchestration.errors import DataBlockedError
from orchestration.ingest.closing_month import COUNTED_INVOICES, RunMonths
from orchestration.ingest.months import shown
from orchestration.ingest.policy import PolicyVersion

RATE_TABLE = "fx_rates.csv"
BASE = "CNY"  # the unit of the table itself, which needs no row
MONEY_METRICS = frozenset({"avg_revenue", "revenue", "margin", "billed_amount"})
Rate = tuple[date, str]

PAYMENT_MONTHS = """
    select distinct
        cast(date_trunc('month', paid.paid_on) as date) as month,
        owner.currency
    from latest.payments as paid
    inner join (
        select account_id, arg_max(currency, updated_at) as currency
        from latest.accounts group by account_id
    ) as owner on paid.account_id = owner.account_id
    where paid.paid_on < $closing_month + interval 1 month
"""


def require_rates(
    connection: duckdb.DuckDBPyConnection,
    reference: Path,
    reporting_currency: str,
    months: RunMonths,
    policies: Mapping[date, PolicyVersion],
) -> None:
    """Raises DataBlockedError naming every missing month and currency.

    Needed are the rates of counted invoices, of payments, and of the policy in force,
    to the reporting currency; the same currency needs none (rulebook 0).
    """
    amounts = _amounts(connection, months) | {
        (month, policy.currency)
        for month, policy in policies.items()
        if policy.metric in MONEY_METRICS
    }
    needed = {
        (month, code)
        for month, currency in amounts
        if currency != reporting_currency
        for code in (currency, reporting_currency)
        if code != BASE
    }
    missing = needed - _known(reference)
    if missing:
        raise DataBlockedError(
            f"Exchange rates are missing: {_listed(missing)}. Add them to {RATE_TABLE} "
            "(month, currency, cny_per_unit) in the reference folder."
        )


def _amounts(connection: duckdb.DuckDBPyConnection, months: RunMonths) -> set[Rate]:
    closing = {"closing_month": months.closing_month}
    invoices = connection.execute(
        f"select distinct billing_month, currency from ({COUNTED_INVOICES}) "
        "where billing_month <= $closing_month",
        closing,
    ).fetchall()
    payments = connection.execute(PAYMENT_MONTHS, closing).fetchall()
    return {(row[0], row[1]) for row in (*invoices, *payments)}


def _known(reference: Path) -> set[Rate]:
    with (reference / RATE_TABLE).open(encoding="utf-8-sig", newline="") as stream:
        return {
            (date.fromisoformat(row["month"]), row["currency"]) for row in csv.DictReader(stream)
        }


def _listed(rates: Iterable[Rate]) -> str:
    by_currency: dict[str, list[str]] = defaultdict(list)
    for month, currency in sorted(rates):
        by_currency[currency].append(shown(month))
    return "; ".join(f"{code} for {', '.join(by_currency[code])}" for code in sorted(by_currency))
