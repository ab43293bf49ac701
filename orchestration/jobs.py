"""The main job: every asset and every check, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    # What define_asset_job returns; Dagster exports the function but not the type.
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition,
    )

JOB_NAME = "tierwise_run"


def main_job() -> UnresolvedAssetJobDefinition:
    """Load, validate, build, validate, snapshot, publish.

    One process: DuckDB lets one process write, and the lock of the home is held by it.
    """
    return dg.define_asset_job(
        JOB_NAME,
        selection=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        executor_def=dg.in_process_executor,
        description="Load what is new, validate, build, validate, snapshot, publish.",
    )
