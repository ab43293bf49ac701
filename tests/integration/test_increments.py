"""Runs that build only the months deliveries can have changed: the same rows as from nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.home import Home
from orchestration.ingest.contract import feed_contract
from orchestration.warehouse.project import PROJECT_DIR, dbt_environment, dbt_executable
from tests.support.command import run_job, tierwise

SAMPLE = Path(__file__).resolve().parents[2] / "seeds" / "sample"
LAST_MONTH = "2026-06"
# They tell of the runs themselves.
OF_RUNS = ("audit", "snapshots")
# They hold what a run has to settle, of which int_settlements_allocated keeps the outcome.
OF_SETTLEMENT = (
    "intermediate.int_settlement_items_carried",
    "intermediate.int_receivable_accounts_classified",
    "intermediate.int_settlement_events_ordered",
    "intermediate.int_settlements_sequenced",
)


@dataclass(frozen=True)
class Built:
    """A home, and the first months its last run built anew."""

    home: Path
    since: date | None
    late_since: date | None


@dataclass(frozen=True)
class Increments:
    """The last month of the sample, then late deliveries; each beside a build from nothing."""

    last_month: Built
    last_month_from_nothing: Built
    late_deliveries: Built
    late_deliveries_from_nothing: Built


def copied(landing: Path, without: str | None = None) -> Path:
    """The sample's landing area in `landing`; files that are there already stay."""
    for path in sorted((SAMPLE / "landing").rglob("*.*")):
        target = landing / path.relative_to(SAMPLE / "landing")
        if not target.exists() and not (without and path.name.startswith(without)):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
    return landing


def deliver_late(home: Path, landing: Path) -> None:
    """What real deliveries bring after their month, made of rows that the lake holds."""
    late = {
        # Bills of March corrected, payments of February that come to light.
        "invoices": (
            "billing_month = date '2026-03-01' and account_id like '%77_'",
            "total_amount + 10 as total_amount",
        ),
        "payments": (
            "paid_on between date '2026-02-03' and date '2026-02-04'",
            "'late-' || payment_id as payment_id, 0.01 as amount",
        ),
        "contacts": (
            "contacted_at between timestamp '2026-03-02' and timestamp '2026-03-04'",
            "'late-' || contact_id as contact_id",
        ),
        # Complaints of the autumn get their answer, a customer moves, another leaves.
        "complaints": (
            "opened_at between timestamp '2025-10-01' and timestamp '2025-10-12'",
            "3 as satisfaction, timestamp '2026-06-30 10:00:00' as updated_at",
        ),
        "customers": (
            "customer_id like '%77'",
            "'ZJ-HZ' as region_code, timestamp '2026-06-30 11:00:00' as updated_at",
        ),
        "subscriptions": (
            "account_id like '%77_' and deactivated_on is null",
            "date '2026-04-20' as deactivated_on, 'port_out' as deactivation_reason, "
            "timestamp '2026-06-30 12:00:00' as updated_at",
        ),
    }
    with duckdb.connect() as connection:
        for feed, (pick, changes) in late.items():
            contract = feed_contract()[feed]
            order = contract.versioned_by or "_row_number"
            files = f"{home}/lake/raw/{feed}/**/*.parquet"
            newest = (
                f"select * from read_parquet('{files}', union_by_name = true, "
                "hive_partitioning = false) qualify row_number() over "
                f"(partition by {', '.join(contract.key)} order by {order} desc) = 1"
            )
            row = connection.execute(
                f"copy (select * exclude (_load_id, _row_number) replace ({changes}) "
                f"from ({newest}) where {pick}) to '{landing / feed / 'late.csv'}' "
                "(header, timestampformat '%Y-%m-%d %H:%M:%S')"
            ).fetchone()
            assert row
            assert row[0], f"no row of {feed} is picked"


def run(home: Path, landing: Path) -> Built:
    done = run_job(home, landing, SAMPLE / "reference")
    assert done.returncode == 0, done.stdout + done.stderr
    settings = home / "lake" / "control" / "run_settings.parquet"
    with duckdb.connect() as connection:
        row = connection.execute(
            f"select changed_since, late_changed_since from '{settings}'"
        ).fetchone()
    assert row
    return Built(home, *row)


@pytest.fixture(scope="module")
def increments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Increments]:
    folder = tmp_path_factory.mktemp("increments")
    landing = copied(folder / "landing", without=LAST_MONTH)
    stepwise = folder / "stepwise"
    assert run(stepwise, landing).since is None, "the first run builds everything"
    last_month = run(stepwise, copied(landing))
    kept = Built(
        Path(shutil.copytree(stepwise, folder / "kept", symlinks=True)),
        last_month.since,
        last_month.late_since,
    )
    last_month_from_nothing = run(folder / "last_month", landing)
    deliver_late(stepwise, landing)
    yield Increments(
        kept,
        last_month_from_nothing,
        run(stepwise, landing),
        run(folder / "late", landing),
    )
    shutil.rmtree(folder)


def set_run(
    home: Path, since: date | None, months_at_once: int = 24, recent_months: int = 0
) -> None:
    """Let dbt believe that the deliveries changed the months from one on."""
    settings = home / "lake" / "control" / "run_settings.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table kept as from '{settings}'")
        connection.execute(
            f"copy (select * replace ({months_at_once} as months_at_once, "
            f"{recent_months} as recent_months, "
            "cast($since as date) as changed_since, "
            "cast($since as date) as late_changed_since) from kept) "
            f"to '{settings}'",
            {"since": since},
        )


def dbt(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [dbt_executable(), *arguments],
        cwd=PROJECT_DIR,
        env={**os.environ, **dbt_environment(Home(home), "8GB")},
        check=False,
        capture_output=True,
        text=True,
    )


def build_by_month(home: Path) -> None:
    """Build what is built by month again."""
    # Settled is what was carried from before the same first month.
    selected = ("config.materialized:by_month", "+int_settlements_allocated")
    built = dbt(home, "run", "--select", *selected)
    assert built.returncode == 0, built.stdout


def differing_tables(one: Built, other: Built) -> list[str]:
    """The tables of the warehouse that differ in any row, with the number of such rows."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one.home / 'warehouse.duckdb'}' as one (read_only)")
        connection.execute(f"attach '{other.home / 'warehouse.duckdb'}' as other (read_only)")
        names = {
            database: {
                f"{schema}.{table}"
                for schema, table in connection.execute(
                    "select schema_name, table_name from duckdb_tables() where database_name = ?",
                    [database],
                ).fetchall()
                if schema not in OF_RUNS
            }
            for database in ("one", "other")
        }
        assert names["one"] == names["other"]
        assert "marts.customer_monthly" in names["one"]
        found = []
        for name in sorted(names["one"].difference(OF_SETTLEMENT)):
            row = connection.execute(
                f"select count(*) from ((from one.{name} except all from other.{name}) "
                f"union all (from other.{name} except all from one.{name}))"
            ).fetchone()
            assert row
            if row[0]:
                found.append(f"{name}: {row[0]}")
        return found


def test_next_month_builds_two_months_and_gives_what_a_full_build_gives(
    increments: Increments,
) -> None:
    assert increments.last_month.since == date(2026, 5, 1)
    assert increments.last_month_from_nothing.since is None
    assert differing_tables(increments.last_month, increments.last_month_from_nothing) == []


def test_late_deliveries_build_from_the_first_month_they_touch(increments: Increments) -> None:
    assert increments.late_deliveries.since == date(2026, 2, 1)
    assert increments.late_deliveries.late_since == date(2025, 10, 1)
    assert (
        differing_tables(increments.late_deliveries, increments.late_deliveries_from_nothing) == []
    )


def test_late_deliveries_change_earlier_months(increments: Increments) -> None:
    """Else the test before would show nothing."""
    differing = differing_tables(increments.late_deliveries, increments.last_month)
    names = {line.partition(":")[0] for line in differing}
    assert {
        "marts.fct_revenue_monthly",
        "marts.customer_monthly",
        "marts.customer_star_monthly",
        "marts.customer_delivered_value_monthly",
        "marts.customer_tier_monthly",
    } <= names


def test_rebuild_builds_everything(increments: Increments) -> None:
    home = increments.last_month_from_nothing.home
    arguments = ("run", "--home", home, "--landing", SAMPLE / "landing", "--rebuild")
    done = tierwise(*arguments, "--reference", SAMPLE / "reference")
    assert done.returncode == 0
    with duckdb.connect() as connection:
        assert connection.execute(
            f"select changed_since from '{home}/lake/control/run_settings.parquet'"
        ).fetchone() == (None,)


@pytest.mark.parametrize(
    ("months_at_once", "recent_months", "since"),
    [(5, 0, None), (5, 4, None), (2, 4, date(2025, 12, 1))],
    ids=["everything", "recent months apart", "since December"],
)
def test_months_built_in_parts_are_those_built_at_once(
    increments: Increments, months_at_once: int, recent_months: int, since: date | None
) -> None:
    home = increments.last_month.home
    set_run(home, since, months_at_once, recent_months)
    build_by_month(home)
    assert differing_tables(increments.last_month, increments.last_month_from_nothing) == []


def test_recent_months_lie_behind_the_others(increments: Increments) -> None:
    home = increments.last_month.home
    set_run(home, None, recent_months=4)
    build_by_month(home)
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        for table in ("marts.customer_monthly", "intermediate.int_customer_layers_measured"):
            row = connection.execute(
                f"select max(rowid) filter (month < date '2026-03-01') "
                f"< min(rowid) filter (month >= date '2026-03-01') from {table}"
            ).fetchone()
            assert row == (True,), table


@pytest.mark.parametrize(
    ("month", "since", "code"),
    [
        (date(2026, 5, 1), date(2026, 4, 1), 1),
        (date(2026, 2, 1), date(2026, 4, 1), 0),
        (date(2026, 2, 1), None, 1),
    ],
    ids=["of a month that is built", "of one that stays", "where all are built"],
)
def test_repeated_keys_are_looked_for_in_the_months_that_a_run_builds(
    increments: Increments, month: date, since: date | None, code: int
) -> None:
    home = increments.last_month.home
    warehouse, kept = home / "warehouse.duckdb", home / "kept.duckdb"
    shutil.copy2(warehouse, kept)
    set_run(home, since)
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            "insert into marts.customer_tier_monthly "
            "from marts.customer_tier_monthly where month = ? limit 1",
            [month],
        )
    test = "primary_key_customer_tier_monthly_customer_id__month"
    built = dbt(home, "build", "--select", test)
    kept.replace(warehouse)
    assert built.returncode == code, built.stdout


def test_kinds_of_months_that_stay_are_brought_up_to_date(increments: Increments) -> None:
    """The churn model moves kinds in any month; the rows of such months are not built anew."""
    home = increments.last_month.home
    with duckdb.connect(home / "warehouse.duckdb") as connection:
        row = connection.execute(
            "update marts.customer_monthly set is_strategic = not is_strategic, "
            "segment = case when is_premier then 'commercial' else 'key' end, is_premier = false "
            "where month < date '2025-12-01' and customer_id like '%7'"
        ).fetchone()
    assert row
    assert row[0] > 0
    set_run(home, date(2025, 12, 1))
    build_by_month(home)
    assert differing_tables(increments.last_month, increments.last_month_from_nothing) == []
