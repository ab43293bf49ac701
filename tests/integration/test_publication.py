"""Publication: whole or not at all, and the last one stays until the next one passed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest

from tests.support.command import (
    TIERWISE,
    clean_environment,
    published,
    run_job,
    tierwise,
)
from tests.support.landing import invoice, month_at, write_feed, write_small_operator

# The command line, where one of the lines that dbt's process writes does not arrive.
LOSES_AN_EVENT = """
import sys
from orchestration.cli import main
from orchestration.warehouse.dbt_process import DbtCommand

def all_but_one(command, all_of_them=DbtCommand.__iter__):
    for line in all_of_them(command):
        if b"model.tierwise.dim_month" not in line or b"LogModelResult" not in line:
            yield line

DbtCommand.__iter__ = all_but_one
sys.exit(main())
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one publication of the small operator; its landing lies beside it."""
    folder = tmp_path_factory.mktemp("a publication")
    landing, reference = write_small_operator(folder)
    outcome = run_job(folder / "home", landing, reference)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return folder / "home"


def copy_of(home: Path, folder: Path) -> tuple[Path, Path, Path]:
    """A copy of the home with its landing and reference folders, to break."""
    shutil.copytree(home.parent, folder / "copy", symlinks=True)
    base = folder / "copy"
    return base / "home", base / "landing", base / "reference"


def test_the_folder_holds_duckdb_parquet_report_and_manifest(home: Path) -> None:
    current = home / "published" / "current"
    assert current.is_symlink()
    assert sorted(path.name for path in current.iterdir()) == [
        "manifest.json",
        "marts.duckdb",
        "parquet",
        "report.html",
        "tierwise.duckdb",
    ]


def test_parquet_and_duckdb_say_the_same(home: Path) -> None:
    current = home / "published" / "current"
    with duckdb.connect(str(current / "tierwise.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
        for schema, table in tables:
            parquet = f"read_parquet('{current}/parquet/{schema}/{table}/*.parquet')"
            differing = connection.execute(
                f"select count(*) from (from {schema}.{table} except all from {parquet})"
            ).fetchone()
            assert differing == (0,), table
    frame = pd.read_parquet(current / "parquet" / "marts" / "dim_customer")
    assert len(frame) == 4


def test_the_manifest_lists_inputs_outputs_and_controls(home: Path) -> None:
    manifest = json.loads((home / "published" / "current" / "manifest.json").read_text())
    inputs = {(row["feed"], row["file_name"]) for row in manifest["inputs"]}
    assert ("invoices", "2025-01.csv.gz") in inputs
    outputs = {row["table"]: row["rows"] for row in manifest["outputs"]}
    assert outputs["marts.dim_customer"] == 4
    assert all(control["passed"] for control in manifest["reconciliation"])
    assert manifest["previous_manifest_sha256"] is None


def test_columns_carry_their_descriptions(home: Path) -> None:
    bare = published(
        home,
        """
        select table_name, column_name from duckdb_columns()
        where schema_name = 'marts' and coalesce(comment, '') = ''
        """,
    )
    assert bare.empty, bare


def test_no_personal_value_is_published(home: Path) -> None:
    names = published(home, "select customer_name_masked from marts.dim_customer")
    assert set(names["customer_name_masked"]) >= {"Z*** W***", "L*** N***"}
    content = b"".join(path.read_bytes() for path in (home / "audit").rglob("*") if path.is_file())
    for name in (b"Zhang Wei", b"Hengtong"):
        assert name not in content


def test_the_run_stands_in_dagsters_own_history(home: Path) -> None:
    run_id = (home / "published" / "current").readlink().name
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        (run,) = instance.get_runs()
        assert run.run_id.startswith(run_id.split("-")[1])
        assert run.status == dg.DagsterRunStatus.SUCCESS
        events = instance.all_logs(run.run_id)
    kinds = Counter(event.dagster_event_type for event in events)
    assert kinds[dg.DagsterEventType.ASSET_MATERIALIZATION] > 100
    assert kinds[dg.DagsterEventType.ASSET_CHECK_EVALUATION] > 60
    rows = {
        event.asset_materialization.asset_key.to_user_string(): (
            event.asset_materialization.metadata
        )
        for event in events
        if event.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION
    }
    assert rows["raw/invoices"]["dagster/row_count"].value == 12
    assert rows["marts/dim_customer"]["dagster/row_count"].value == 4
    assert "Execution Duration" in rows["marts/dim_customer"]


def test_personal_data_is_for_the_owner_of_the_home_alone(home: Path) -> None:
    for place in ("lake", "dbt", "dagster", "warehouse.duckdb"):
        assert (home / place).stat().st_mode & 0o077 == 0, place
    assert (home / "published" / "current" / "tierwise.duckdb").stat().st_mode & 0o044 == 0o044


def test_a_critical_failure_leaves_the_last_publication(home: Path, tmp_path: Path) -> None:
    broken, landing, reference = copy_of(home, tmp_path)
    before = (broken / "published" / "current").readlink()
    foreign = invoice("C1", month_at(2), "99.00", invoice_id="I-USD", currency="USD")
    write_feed(landing, "invoices", "wrong currency.csv", [foreign])
    outcome = run_job(broken, landing, reference)
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr
    assert "critical" in outcome.stdout
    assert "currency" in outcome.stdout
    assert (broken / "published" / "current").readlink() == before
    beliefs = published(broken, "select count(*) as beliefs from snapshots.customer_tier_snapshot")
    with duckdb.connect(str(broken / "warehouse.duckdb"), read_only=True) as connection:
        kept = connection.sql("select count(*) from snapshots.customer_tier_snapshot").fetchone()
    assert kept == (beliefs["beliefs"][0],), "nothing was snapshotted"

    write_feed(landing, "invoices", "wrong currency.csv", [{**foreign, "currency": "CNY"}])
    assert run_job(broken, landing, reference).returncode == 0
    total = published(broken, "select sum(unitemised_revenue) as u from marts.fct_revenue_monthly")
    assert total["u"][0] == Decimal("99.0000")
    runs = published(broken, "select status from audit.run order by run_id")
    assert list(runs["status"]) == ["published", "blocked", "published"]


def stopped_in(phase: str, *folders: Path) -> subprocess.Popen[str]:
    """A run of a home, a landing and a reference folder, shortly after a phase has ended."""
    options = zip(("--home", "--landing", "--reference"), folders, strict=True)
    process = subprocess.Popen(
        [TIERWISE, "run", *(part for option in options for part in option)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean_environment(), "COLUMNS": "200"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(phase):
            break
    time.sleep(0.3)
    return process


def test_a_run_that_is_stopped_says_so(home: Path, tmp_path: Path) -> None:
    stopped, landing, reference = copy_of(home, tmp_path)
    before = (stopped / "published" / "current").readlink()
    write_feed(landing, "invoices", "late.csv", [invoice("C2", month_at(2), "12.00")])
    process = stopped_in("Validate the raw data", stopped, landing, reference)
    process.terminate()
    _, told = process.communicate()
    assert process.returncode == 1
    assert "Interrupted: nothing was published" in " ".join(told.split())
    assert "Traceback" not in told
    assert (stopped / "published" / "current").readlink() == before


PHASES = ("Load the landing area", "Validate the raw data", "Build the marts", "Snapshot")


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_run_leaves_the_last_publication_and_the_next_one_recovers(
    home: Path, tmp_path: Path, phase: str
) -> None:
    killed, landing, reference = copy_of(home, tmp_path)
    before = (killed / "published" / "current").readlink()
    late = invoice("C2", month_at(2), "12.00", invoice_id="I-LATE")
    write_feed(landing, "invoices", "late.csv", [late])
    process = stopped_in(phase, killed, landing, reference)
    process.kill()  # alone: what it started has to end by itself
    process.wait()
    assert (killed / "published" / "current").readlink() == before
    outcome = run_job(killed, landing, reference)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert (killed / "published" / "current").readlink() != before
    leftovers = [path.name for path in (killed / "published").iterdir() if "unfin" in path.name]
    assert leftovers == []
    revenue = published(
        killed,
        "select sum(revenue) as revenue from marts.customer_monthly where customer_id = 'C2'",
    )
    assert revenue["revenue"][0] == Decimal("1932.0000")
    assert_every_page_is_whole(killed / "audit" / "data_docs", with_killed=phase != PHASES[0])


def assert_every_page_is_whole(docs: Path, *, with_killed: bool) -> None:
    """No page of the validation report leads to one that is not there."""
    pages = list(docs.rglob("*.html"))
    for page in pages:
        for link in re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page} leads to {link}"
    told = [page for page in pages if "Killed: nothing was published" in page.read_text()]
    assert [page.parent.name for page in told] == ["runs"] * with_killed
    if with_killed:
        assert ">raw_invoices<" in told[0].read_text(encoding="utf-8")


def test_running_again_with_nothing_new_changes_no_figure(home: Path, tmp_path: Path) -> None:
    again, landing, reference = copy_of(home, tmp_path)
    first = json.loads((again / "published" / "current" / "manifest.json").read_text())
    outcome = run_job(again, landing, reference)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    second = json.loads((again / "published" / "current" / "manifest.json").read_text())
    marts = [
        {
            row["table"]: row["content_hash"]
            for row in manifest["outputs"]
            if "marts." in row["table"]
        }
        for manifest in (first, second)
    ]
    assert marts[0] == marts[1]
    assert second["previous_manifest_sha256"]


def test_a_run_with_nothing_new_says_so_and_stops(home: Path) -> None:
    landing, reference = home.parent / "landing", home.parent / "reference"
    before = (home / "published" / "current").readlink()
    outcome = run_job(home, landing, reference)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert f"Nothing new since {before.name}" in outcome.stdout
    assert (home / "published" / "current").readlink() == before
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        assert instance.get_runs_count() == 1, "nothing ran"


def test_a_reader_of_the_warehouse_is_told_to_leave(home: Path, tmp_path: Path) -> None:
    held, landing, reference = copy_of(home, tmp_path)
    before = (held / "published" / "current").readlink()
    with duckdb.connect(str(held / "warehouse.duckdb"), read_only=True):
        outcome = run_job(held, landing, reference)
    assert outcome.returncode == 1, outcome.stdout
    assert "Traceback" not in outcome.stderr
    told = " ".join(outcome.stderr.split())
    assert "dbt ended before it had built everything" in told
    assert "warehouse.duckdb open, close it" in told
    assert (held / "published" / "current").readlink() == before
    evidence = held / "audit" / "evidence"
    (run,) = (path for path in evidence.iterdir() if path.name != before.name)
    assert not list((run / "dbt").glob("*run_results.json")), "no results but its own"
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["run"]["status"] == "failed"
    assert manifest["dbt"]["invocation_ids"] == {}


def test_what_dbt_built_without_telling_is_not_passed_over(home: Path, tmp_path: Path) -> None:
    held, landing, reference = copy_of(home, tmp_path)
    before = (held / "published" / "current").readlink()
    folders = ("--home", held, "--landing", landing, "--reference", reference)
    outcome = subprocess.run(
        [sys.executable, "-c", LOSES_AN_EVENT, "run", *folders, "--rebuild"],
        capture_output=True,
        text=True,
        env={**clean_environment(), "COLUMNS": "200"},
        check=False,
    )
    assert outcome.returncode == 1, outcome.stdout
    assert "dbt ended well but told of" in " ".join(outcome.stderr.split())
    assert "Published" not in outcome.stdout
    assert (held / "published" / "current").readlink() == before


def test_status_tells_what_is_published(home: Path) -> None:
    outcome = tierwise("status", "--home", home)
    assert outcome.returncode == 0
    assert (home / "published" / "current").readlink().name in outcome.stdout
    assert "closing month 2025-03" in outcome.stdout
