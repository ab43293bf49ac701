"""The arithmetic and the comparisons of the benchmarks; none of their times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.publish.content_hash import content_hash
from orchestration.publish.publication import DATABASE_FOR_READERS, MANIFEST
from tests.benchmarks.contents import BELIEFS, different_tables
from tests.benchmarks.main_job import FULL, INCREMENT, Run, operator_in
from tests.benchmarks.processes import (
    Cost,
    Measured,
    Moment,
    RunFailedError,
    run_measured,
    tree_use,
)
from tests.benchmarks.scales import (
    BASELINE,
    Scale,
    ratios,
    scale_report,
    slope,
    slope_report,
    table,
)

TABLES = {
    "marts.dim_month": "select date '2025-01-01' as month, true as is_closed",
    "audit.run": "select 'run' as run_id",
    BELIEFS: """
        select
            'C1' as customer_id, 'gold' as tier_code, 'run' as run_id, 'scd' as dbt_scd_id,
            now() as dbt_updated_at, now() as dbt_valid_from, null as dbt_valid_to
    """,
}


def run(wall: float, phases: dict[str, float] | None = None) -> Run:
    """A run that took so long, as did its phases."""
    costs = {title: Cost(each, 2 * each, 50, 60) for title, each in (phases or {}).items()}
    return Run(wall, wall, 100, 200, costs)


def publication(folder: Path, **changed: str) -> Path:
    """A publication of the tables above, some of them otherwise."""
    folder.mkdir()
    tables = {**TABLES, **{name.replace("__", "."): sql for name, sql in changed.items()}}
    with duckdb.connect(str(folder / DATABASE_FOR_READERS)) as connection:
        for name, sql in tables.items():
            connection.execute(f"create schema if not exists {name.partition('.')[0]}")
            connection.execute(f"create table {name} as {sql}")
        outputs = [
            {"table": name, "content_hash": content_hash(connection, name)} for name in tables
        ]
    (folder / MANIFEST).write_text(json.dumps({"outputs": outputs}))
    return folder


@pytest.mark.parametrize("power", [0.5, 1.0, 1.5])
def test_slope_is_the_power_of_the_cost(power: float) -> None:
    points = [(size, 3 * size**power) for size in (10.0, 100.0, 1000.0)]
    assert slope(points) == pytest.approx(power)


def test_one_size_has_no_slope() -> None:
    assert slope([(10, 5)]) is None
    assert slope([(10, 5), (10, 6)]) is None


def test_table_is_markdown() -> None:
    assert list(table(("", "full"), [("load", "1.0")])) == [
        "|  | full |",
        "|---|---:|",
        "| load | 1.0 |",
    ]


def test_ratios_are_of_medians_and_of_what_was_measured() -> None:
    scale = Scale(1000, 10, 1.0)
    scale.runs[FULL] += [run(10), run(30), run(20)]
    scale.runs[BASELINE] += [run(5)]
    assert dict(ratios(scale)) == {"full / baseline.sql": 4.0}


def test_report_shows_phases_and_faults() -> None:
    scale = Scale(1000, 10, 1.0, faults=[f"{INCREMENT}: marts.dim_month differs"])
    scale.runs[FULL].append(run(10, {"Publish": 2.5}))
    scale.runs[INCREMENT].append(run(5))
    text = "\n".join(scale_report(scale))
    assert "| Publish | 2.5 |  |" in text
    assert "| Publish | 2.5 | 5.0 | 60 |" in text
    assert "last month / full: 0.50" in text
    assert f"**fault:** {INCREMENT}: marts.dim_month differs" in text
    assert "equals that of the full run" not in text


def test_report_of_slopes_needs_two_scales() -> None:
    scales = [Scale(customers, 1, 1.0) for customers in (100, 1000)]
    for scale in scales:
        scale.runs[FULL].append(run(scale.customers / 10))
    assert list(slope_report(scales[:1])) == []
    assert "| full | 1.00 | 1.00 | 0.00 | 0.00 |" in list(slope_report(scales))


def test_equal_publications_differ_in_nothing(tmp_path: Path) -> None:
    other = publication(tmp_path / "b", audit__run="select 'another' as run_id")
    assert different_tables(publication(tmp_path / "a"), other) == {}


def test_the_run_that_believed_is_no_difference(tmp_path: Path) -> None:
    later = TABLES[BELIEFS].replace("'run'", "'later'")
    other = publication(tmp_path / "b", snapshots__customer_tier_snapshot=later)
    assert different_tables(publication(tmp_path / "a"), other) == {}


def test_what_is_believed_is_a_difference(tmp_path: Path) -> None:
    silver = TABLES[BELIEFS].replace("'gold'", "'silver'")
    other = publication(tmp_path / "b", snapshots__customer_tier_snapshot=silver)
    found = different_tables(publication(tmp_path / "a"), other)
    assert found == {BELIEFS: ["tier_code", "rows"]}


def test_a_changed_value_names_table_and_column(tmp_path: Path) -> None:
    open_month = "select date '2025-01-01' as month, false as is_closed"
    other = publication(tmp_path / "b", marts__dim_month=open_month)
    found = different_tables(publication(tmp_path / "a"), other)
    assert found == {"marts.dim_month": ["is_closed", "rows"]}


def test_months_to_come_are_in_no_part(tmp_path: Path) -> None:
    year = date.today().year
    for name in (f"{year - 1}-11.csv", f"{year - 1}-12.csv", f"{year + 1}-01.csv"):
        for feed in ("invoices", "payments"):
            path = tmp_path / "landing" / feed / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    kept, last = operator_in(tmp_path).parts
    assert {path.name for path in kept} == {f"{year - 1}-11.csv"}
    assert {path.name for path in last} == {f"{year - 1}-12.csv"}


def test_a_command_that_fails_is_told_with_what_it_printed() -> None:
    with pytest.raises(RunFailedError, match="no such thing"):
        run_measured((sys.executable, "-c", "raise SystemExit('no such thing')"))


def test_a_phase_used_what_was_used_between_its_moments() -> None:
    moments = [Moment(0, 0, 10), Moment(2, 4, 30), Moment(4, 5, 20)]
    measured = Measured(Cost(4, 5, 30, 30), [], moments)
    assert measured.between(1, 3) == Cost(2, 2.5, 30, 30)
    assert measured.between(3, 9) == Cost(6, 0.5, 20, 20)


def test_nothing_looked_at_is_nothing_used() -> None:
    assert Measured(Cost(1, 1, 1, 1), [], []).between(0, 1) == Cost(1, 0, 0, 0)


def test_lines_of_a_command_have_their_moments() -> None:
    script = "import time; print('a', flush=True); time.sleep(0.2); print('b')"
    measured = run_measured((sys.executable, "-c", script))
    (first, one), (second, other) = measured.lines
    assert (one, other) == ("a\n", "b\n")
    assert second > first


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_use_of_a_tree_counts_the_children() -> None:
    used, alone = tree_use(os.getpid())
    script = "x = bytearray(80_000_000); sum(range(10**7)); print(flush=True); input()"
    child = subprocess.Popen(
        (sys.executable, "-c", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.readline()
    used_with_child, together = tree_use(os.getpid())
    child.communicate(b"\n")
    assert together - alone > 70
    assert used_with_child > used
