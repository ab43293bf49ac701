"""The snapshot of tiers: what is believed, and what runs never published leave of it."""

from __future__ import annotations

import shutil

import pytest

from tests.support.landing import month_at, write_small_operator
from tests.support.scratch_home import ScratchHome

C2_IN_FEBRUARY = f"customer_id = 'C2' and month = date '{month_at(1)}'"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> ScratchHome:
    """A home whose first run has taken its snapshot and is not finished."""
    scratch = ScratchHome(tmp_path_factory.mktemp("snapshot"), through=month_at(2))
    write_small_operator(scratch.folder)
    scratch.load("run-1")
    scratch.build("+customer_tier_monthly", "stg_control__finished_runs")
    believe(scratch, "run-1", "silver")
    shutil.copy(scratch.home.warehouse, scratch.folder / "after run-1")
    return scratch


@pytest.fixture
def scratch(built: ScratchHome) -> ScratchHome:
    shutil.copy(built.folder / "after run-1", built.home.warehouse)
    shutil.rmtree(built.home.audit / "runs")
    return built


def restate(scratch: ScratchHome, run_id: str, change: str) -> None:
    """A run up to its snapshot, its marts changed against those of the run before."""
    scratch.load(run_id)
    scratch.execute(change)
    scratch.dbt("snapshot", "--select", "customer_tier_snapshot")


def believe(scratch: ScratchHome, run_id: str, tier: str) -> None:
    """A run that finds this tier for customer C2 in February."""
    mart = "marts.customer_tier_monthly"
    restate(scratch, run_id, f"update {mart} set tier_code = '{tier}' where {C2_IN_FEBRUARY}")


def beliefs(scratch: ScratchHome) -> list[tuple[str, str, bool]]:
    """Tier, run and whether still held, for C2 in February, oldest first."""
    return scratch.rows(
        "select tier_code, run_id, dbt_valid_to is null "
        f"from snapshots.customer_tier_snapshot where {C2_IN_FEBRUARY} order by dbt_valid_from"
    )


def rows_by_run(scratch: ScratchHome) -> dict[str, int]:
    counts = "select run_id, count(*) from snapshots.customer_tier_snapshot group by run_id"
    return dict(scratch.rows(counts))


def test_published_beliefs_stay(scratch: ScratchHome) -> None:
    scratch.finish("run-1", "published")
    all_months = rows_by_run(scratch)["run-1"]

    believe(scratch, "run-2", "gold")
    scratch.finish("run-2", "published")
    assert beliefs(scratch) == [("silver", "run-1", False), ("gold", "run-2", True)]

    believe(scratch, "run-3", "gold")
    scratch.finish("run-3", "published")
    assert beliefs(scratch) == [("silver", "run-1", False), ("gold", "run-2", True)]
    assert rows_by_run(scratch) == {"run-1": all_months, "run-2": 1}

    restate(scratch, "run-4", f"delete from marts.customer_tier_monthly where {C2_IN_FEBRUARY}")
    assert beliefs(scratch) == [("silver", "run-1", False), ("gold", "run-2", False)]


def test_runs_never_published_leave_nothing_and_swallow_nothing(scratch: ScratchHome) -> None:
    scratch.finish("run-1", "published")
    all_months = rows_by_run(scratch)["run-1"]

    believe(scratch, "killed", "gold")
    assert beliefs(scratch) == [("silver", "run-1", False), ("gold", "killed", True)]

    believe(scratch, "blocked", "silver")
    scratch.finish("blocked", "blocked")
    assert beliefs(scratch) == [("silver", "run-1", True)]

    believe(scratch, "failed", "gold")
    scratch.finish("failed", "failed")
    believe(scratch, "run-2", "gold")
    assert beliefs(scratch) == [("silver", "run-1", False), ("gold", "run-2", True)]
    assert rows_by_run(scratch) == {"run-1": all_months, "run-2": 1}


def test_a_first_run_never_published_leaves_nothing(scratch: ScratchHome) -> None:
    all_months = rows_by_run(scratch)["run-1"]

    believe(scratch, "run-2", "silver")

    assert beliefs(scratch) == [("silver", "run-2", True)]
    assert rows_by_run(scratch) == {"run-2": all_months}
