"""The main job: every asset and every check, in this process."""

from __future__ import annotations

import dagster as dg

JOB_NAME = "tierwise_run"


def main_job():  # type: ignore[no-untyped-def]  # Dagster does not export the type
    """Load, validate, build, validate, snapshot, publish.

    One process: DuckDB lets one process write, and the lock of the home is held by it.
    """
    return dg.define_asset_job(
        JOB_NAME,
        selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        executor_def=dg.in_process_executor,
        description="Load what is new, validate, build, validate, snapshot, publish.",
    )
