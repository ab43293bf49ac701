"""Late months, repeated files and corrections: the marts a build from nothing gives."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from expectations.contract import Period
from expectations.engine import LakeViews
from expectations.prepared import check_views
from orchestration.checks.sources import contract_mapping, validation_source
from orchestration.home import Home
from orchestration.ingest.contract import feed_contract
from tests.support.command import published, run_job
from tests.support.landing import invoice, month_at, write_feed, write_month, write_small_operator

CORRECTED = "700.00"  # C1's bill of February, 120.00 before: from standard to silver


@dataclass(frozen=True)
class Restated:
    """A home that was run month by month, and one built at once from the same files."""

    stepwise: Path
    at_once: Path
    first_run: str
    second_run: str


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> Restated:
    folder = tmp_path_factory.mktemp("restatement")
    stepwise, at_once = folder / "stepwise", folder / "at_once"
    landing, reference = write_small_operator(folder, months=2)
    assert run_job(stepwise, landing, reference).returncode == 0
    first_run = (stepwise / "published" / "current").readlink().name

    february = month_at(1)
    write_month(landing, month_at(2))
    write_feed(
        landing,
        "invoices",
        "corrections.csv",
        [invoice("C1", february, CORRECTED)],
    )
    write_feed(
        landing,
        "charges",
        "corrections.csv",
        [
            {
                "charge_id": f"H-I-C1-{february:%Y%m}",
                "invoice_id": f"I-C1-{february:%Y%m}",
                "subscription_id": "S-C1",
                "product_code": "MOBILE",
                "charge_type": "recurring",
                "amount": CORRECTED,
            }
        ],
    )
    january = landing / "charges" / f"{month_at(0):%Y-%m}.csv"
    (landing / "charges" / "january again.csv").write_bytes(january.read_bytes())
    assert run_job(stepwise, landing, reference).returncode == 0
    assert run_job(at_once, landing, reference).returncode == 0
    return Restated(
        stepwise, at_once, first_run, (stepwise / "published" / "current").readlink().name
    )


def test_every_mart_equals_a_build_from_nothing(restated: Restated) -> None:
    with duckdb.connect() as connection:
        for name in ("stepwise", "at_once"):
            marts = getattr(restated, name) / "published" / "current" / "tierwise.duckdb"
            connection.execute(f"attach '{marts}' as {name} (read_only)")
        tables = [
            row[0]
            for row in connection.execute(
                "select table_name from duckdb_tables() "
                "where database_name = 'stepwise' and schema_name = 'marts'"
            ).fetchall()
        ]
        assert "customer_tier_monthly" in tables
        for table in tables:
            one, other = f"stepwise.marts.{table}", f"at_once.marts.{table}"
            for left, right in ((one, other), (other, one)):
                differing = connection.sql(f"from {left} except all from {right}").df()
                assert differing.empty, f"{table}: {differing}"


def test_the_correction_is_in_the_marts(restated: Restated) -> None:
    revenue = published(
        restated.stepwise,
        "select month, revenue from marts.customer_monthly where customer_id = 'C1' order by month",
    )
    assert [str(value) for value in revenue["revenue"]] == ["120.0000", "700.0000", "120.0000"]


def test_the_snapshot_keeps_what_was_believed_before(restated: Restated) -> None:
    beliefs = published(
        restated.stepwise,
        """
        select run_id, metric_value from snapshots.customer_tier_snapshot
        where customer_id = 'C1' and month = date '2025-02-01' order by dbt_valid_from
        """,
    )
    assert list(beliefs["run_id"]) == [restated.first_run, restated.second_run]
    assert [str(value) for value in beliefs["metric_value"]] == ["120.0000", "410.0000"]


def test_a_belief_that_did_not_change_is_kept_once(restated: Restated) -> None:
    beliefs = published(
        restated.stepwise,
        """
        select run_id from snapshots.customer_tier_snapshot
        where customer_id = 'C4' and month = date '2025-02-01'
        """,
    )
    assert list(beliefs["run_id"]) == [restated.first_run]


def test_both_deliveries_stay_traceable(restated: Restated) -> None:
    loads = published(
        restated.stepwise,
        "select file_name, status from audit.load where feed = 'charges' order by 1, 2",
    )
    statuses = loads.groupby("file_name")["status"].agg(list).to_dict()
    assert statuses["corrections.csv"] == ["loaded"]
    assert statuses["january again.csv"] == ["skipped_identical"]
    assert statuses["2025-01.csv"] == ["loaded", "skipped_identical"]


def test_the_raw_checks_read_the_rows_that_the_models_read(restated: Restated) -> None:
    """The same rows of every feed, so the same revenue: the corrected bill, not the first."""
    source = validation_source("raw", Home(restated.stepwise), "1GB")
    assert isinstance(source, LakeViews)
    period = Period(month_at(2), "CNY", dt.date.today())
    with duckdb.connect() as connection:
        connection.execute(f"attach '{restated.stepwise}/warehouse.duckdb' (read_only)")
        for statement in [*source.statements, *check_views(contract_mapping(), period)]:
            connection.execute(statement)
        superseded = {}
        for feed in feed_contract():
            checked = f"select _load_id, _row_number from latest.{feed}"
            read = f"select load_id, row_number from warehouse.intermediate.int_{feed}_deduplicated"
            for one, other in ((checked, read), (read, checked)):
                assert not connection.execute(f"{one} except all {other}").fetchall(), feed
            left_out = f"select _load_id, _row_number from raw.{feed} except all {checked}"
            superseded[feed] = len(connection.execute(left_out).fetchall())
        assert {feed for feed, rows in superseded.items() if rows} == {"invoices", "charges"}
        revenue = "select {}, sum(revenue) from {} group by all order by all"
        checked_revenue = revenue.format("billing_month", "checks.bills")
        built_revenue = revenue.format("month", "warehouse.marts.customer_monthly")
        assert (
            connection.execute(checked_revenue).fetchall()
            == connection.execute(built_revenue).fetchall()
        )
