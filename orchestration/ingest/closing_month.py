"""The months of a run: from the first counted invoice to the closing month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import duckdb

from orchestration.errors import ConfigurationError, DataBlockedError
from orchestration.ingest.months import months_between, shown

COMPARED_MONTHS = 3
THIN_SHARE = Fraction(1, 2)
COUNTED_INVOICES = """
    select * from latest.invoices
    where category in ('normal', 'interim', 'last', 'credit_note')
"""


@dataclass(frozen=True, slots=True)
class RunMonths:
    """The months of a run.

    `incomplete` are the later months left out, with the number of their counted invoices.
    """

    first_month: date
    closing_month: date
    incomplete: tuple[tuple[date, int], ...]


def run_months(
    connection: duckdb.DuckDBPyConnection, through: date | None, current: date
) -> RunMonths:
    """The months of the run from the invoices of the lake (views `latest`), by rulebook 0.

    Raises DataBlockedError if no invoice counts, ConfigurationError if `through` lies
    outside the first invoice month and the current month.
    """
    rows = connection.execute(
        f"select billing_month, count(*) from ({COUNTED_INVOICES}) group by billing_month"
    ).fetchall()
    invoices: dict[date, int] = dict(rows)
    if not invoices:
        raise DataBlockedError(
            "No invoice counts: all those loaded are of category duplicate or trial. "
            "Deliver the billing run to the feed invoices."
        )
    first = min(invoices)
    if first > current:
        raise DataBlockedError(
            f"The first invoices are of {shown(first)}, after the current month "
            f"{shown(current)}. Check billing_month in the feed invoices."
        )
    if through is None:
        closing = default_closing_month(invoices, current)
        later = tuple(sorted((m, n) for m, n in invoices.items() if m > closing))
        return RunMonths(first, closing, later)
    if through < first:
        raise ConfigurationError(
            f"through {shown(through)} is before the first invoice month {shown(first)}."
        )
    if through > current:
        raise ConfigurationError(
            f"through {shown(through)} is after the current month {shown(current)}."
        )
    return RunMonths(first, through, ())


def default_closing_month(invoices: Mapping[date, int], current: date) -> date:
    """The latest complete month, at most the current one (rulebook 0).

    Complete: at least half as many counted invoices as the mean of the three months
    before, of those there are.
    """
    months = list(months_between(min(invoices), min(max(invoices), current)))
    for index in range(len(months) - 1, 0, -1):
        before = [invoices.get(m, 0) for m in months[max(0, index - COMPARED_MONTHS) : index]]
        found = invoices.get(months[index], 0)
        if found and found >= THIN_SHARE * Fraction(sum(before), len(before)):
            return months[index]
    return months[0]
