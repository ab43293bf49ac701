"""Runs `baseline.sql` and compares what it (or its pandas twin) computes with the marts.

    python -m tests.benchmarks.baseline --operator FOLDER [--publication FOLDER]

The comparison is of sums per month, to the last digit; with it the benchmark shows that both
sides of a ratio did the same work.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.publish.publication import DATABASE_FOR_READERS
from orchestration.warehouse.project import REFERENCE_DEFAULTS

SCRIPT = Path(__file__).with_name("baseline.sql")
TABLES = (
    "revenue_monthly",
    "revenue_movement",
    "receivables_monthly",
    "receivables_open",
    "tier_monthly",
    "value_monthly",
)
MOST_NAMED = 5  # differences named per comparison
ROUNDING = Decimal("0.01")  # of a sum of foreign bad debts, see the head of the script


class BaselineDiffersError(Exception):
    """A baseline does not compute what the marts say: its times compare with nothing."""


@dataclass(frozen=True)
class Comparison:
    """Sums of one computed table against those of a mart.

    `measures` are SQL, the same on both sides; `groups` are the columns summed by.
    """

    name: str
    computed: str
    mart: str
    groups: tuple[str, ...]
    measures: tuple[str, ...]
    near: tuple[str, ...] = ()  # measures that may be off by ROUNDING


def total(*columns: str) -> tuple[str, ...]:
    """Sums of columns, as measures."""
    return tuple(f"sum({column})" for column in columns)


def comparisons() -> tuple[Comparison, ...]:
    """What must agree between a baseline and the marts."""
    return (
        Comparison(
            "revenue",
            "revenue_monthly",
            "marts.fct_revenue_monthly",
            ("month",),
            (
                "count(*)",
                *total("revenue", "recurring_revenue", "usage_revenue", "one_off_revenue"),
                *total("discount", "adjustment", "unitemised_revenue", "active_subscriptions"),
            ),
        ),
        Comparison(
            "movement",
            "revenue_movement",
            "marts.fct_revenue_movement",
            ("month", "movement"),
            ("count(*)", *total("revenue_before", "revenue", "change")),
        ),
        Comparison(
            "receivables",
            "(from receivables_monthly where outstanding_amount > 0)",
            "(from marts.customer_monthly where outstanding_amount > 0)",
            ("month",),
            ("count(*)", *total("outstanding_amount", "overdue_amount")),
        ),
        Comparison(
            "open bills",
            "receivables_open",
            "(from marts.fct_invoice where outstanding_amount > 0)",
            ("aging_bucket",),
            ("count(*)", *total("outstanding_reporting", "days_past_due")),
        ),
        Comparison(
            "tiers",
            "tier_monthly",
            "marts.customer_tier_monthly",
            ("month", "rule_tier", "tier_code", "tier_reason"),
            ("count(*)", *total("metric_value")),
        ),
        Comparison(
            "value",
            "value_monthly",
            "marts.customer_value_monthly",
            ("month",),
            (
                "count(*)",
                *total("revenue", "cost_to_serve", "relationship_cost", "bad_debt", "margin"),
                *total("current_value", "headroom_value", "social_score"),
                "count(headroom_value)",
            ),
            near=total("bad_debt", "margin", "current_value"),
        ),
    )


def complete_reference(operators: Path, folder: Path) -> Path:
    """A folder with every reference table: those that ship, and the operator's own."""
    folder.mkdir(parents=True, exist_ok=True)
    for place in (REFERENCE_DEFAULTS, operators):
        for path in place.glob("*.csv"):
            shutil.copyfile(path, folder / path.name)
    return folder


def compute(
    landing: Path, reference: Path, closing_month: date, database: Path, memory_limit: str
) -> None:
    """Run the script; its results are tables of a new database."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"set memory_limit = '{memory_limit}'")
        connection.execute(f"set temp_directory = '{database.with_suffix('.spill')}'")
        for name, value in (("landing", landing), ("reference", reference)):
            connection.execute(f"set variable {name} = '{value}'")
        connection.execute(f"set variable closing_month = date '{closing_month}'")
        connection.execute(SCRIPT.read_text())


def differences(computed: Path, publication: Path) -> Iterator[str]:
    """What a database or a folder of Parquet files says otherwise than a publication."""
    with duckdb.connect() as connection:
        _open_computed(connection, computed)
        connection.execute(
            f"attach '{publication.resolve() / DATABASE_FOR_READERS}' as published (read_only)"
        )
        for comparison in comparisons():
            yield from _different(connection, comparison)


def check(computed: Path, publication: Path) -> None:
    """BaselineDiffersError, with what differs, unless all sums agree."""
    found = list(differences(computed, publication))
    if found:
        raise BaselineDiffersError("\n".join(found))


def closing_month(publication: Path) -> date:
    """The last month that a publication has revenue of."""
    path = publication.resolve() / DATABASE_FOR_READERS
    with duckdb.connect(str(path), read_only=True) as connection:
        row = connection.execute("select max(month) from marts.fct_revenue_monthly").fetchone()
    assert row is not None
    return date.fromisoformat(str(row[0])[:10])


def _open_computed(connection: duckdb.DuckDBPyConnection, computed: Path) -> None:
    if not computed.is_dir():
        connection.execute(f"attach '{computed}' as computed (read_only)")
        return
    connection.execute("attach ':memory:' as computed")
    for table in TABLES:
        connection.execute(f"create view computed.{table} as from '{computed / table}.parquet'")


def _different(connection: duckdb.DuckDBPyConnection, comparison: Comparison) -> Iterator[str]:
    keys = [
        "make_date(m // 12, m % 12 + 1, 1) as month" if key == "month" else key
        for key in comparison.groups
    ]
    measures = ", ".join(comparison.measures)
    connection.execute("use computed")
    ours = connection.execute(
        f"select {', '.join(keys)}, {measures} from {comparison.computed} group by all"
    ).fetchall()
    connection.execute("use published")
    theirs = connection.execute(
        f"select {', '.join(comparison.groups)}, {measures} from {comparison.mart} group by all"
    ).fetchall()
    connection.execute("use memory")
    width = len(comparison.groups)
    left, right = ({row[:width]: row[width:] for row in rows} for rows in (ours, theirs))
    found = []
    for key in sorted(left.keys() | right.keys(), key=str):
        where = ", ".join((comparison.name, *map(str, key)))
        if key not in left or key not in right:
            side = "the baseline" if key in left else "the marts"
            found.append(f"{where}: only in {side}")
            continue
        for measure, one, other in zip(comparison.measures, left[key], right[key], strict=True):
            near = ROUNDING if measure in comparison.near else 0
            if one != other and (one is None or other is None or abs(one - other) > near):
                found.append(f"{where}, {measure}: baseline {one}, marts {other}")
    yield from found[:MOST_NAMED]
    if len(found) > MOST_NAMED:
        yield f"{comparison.name}: {len(found) - MOST_NAMED} more sums differ"


def main() -> None:
    """Compute, and compare if there is a publication; exits 1 if they differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--landing", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True, help="every reference table")
    parser.add_argument("--closing-month", type=date.fromisoformat, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the database to write")
    parser.add_argument("--memory-limit", default="8GB")
    parser.add_argument("--publication", type=Path, help="compare with its marts")
    asked = parser.parse_args()
    compute(asked.landing, asked.reference, asked.closing_month, asked.out, asked.memory_limit)
    if asked.publication:
        try:
            check(asked.out, asked.publication)
        except BaselineDiffersError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
