"""Everything Dagster knows of Tierwise, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import dagster as dg

from expectations.results import Acceptance
from orchestration.assets.postgres import postgres_asset
from orchestration.assets.publication import publication_asset
from orchestration.assets.raw import raw_assets
from orchestration.assets.validation import validation_results_asset
from orchestration.assets.warehouse import warehouse_assets
from orchestration.checks.acceptance import marts_acceptance, raw_acceptance
from orchestration.extract_jobs import extract_jobs
from orchestration.home import Home
from orchestration.jobs import main_job
from orchestration.progress import Progress
from orchestration.publish.contract import published_tables
from orchestration.resources import OnSession, dbt_resource, session_resource
from orchestration.schedules import daily_schedule
from orchestration.sensors import landing_sensor
from orchestration.settings import Settings, load_settings
from orchestration.warehouse.dbt_process import WaitingDbt
from orchestration.warehouse.prepare import prepare_home


def build_definitions(
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    on_session: OnSession | None = None,
    lock: AbstractContextManager[object] | None = None,
    acceptances: Sequence[Acceptance] = (),
    dbt: WaitingDbt | None = None,
    resource_overrides: Mapping[str, Any] | None = None,
) -> dg.Definitions:
    """The definitions for one home.

    Args:
        settings: the settings; read from tierwise.toml and the environment if not given.
        progress: who is told how far a run is.
        on_session: called with the session of a run once it is open.
        lock: held during a run; by default each run takes the lock of the home.
        acceptances: critical failures that a person answers for, in the one run made.
        dbt: the process of the run's dbt commands, if the caller has one.
        resource_overrides: resources to use instead of the usual ones, for tests.

    Raises:
        ConfigurationError: settings, reference tables or the dbt project cannot be used.
    """
    settings = settings or load_settings()
    manifest = prepare_home(Home(settings.home), settings)
    tables = published_tables(manifest)
    return dg.Definitions(
        assets=[
            raw_assets(),
            *warehouse_assets(manifest),
            validation_results_asset(tables),
            publication_asset(tables),
            *([postgres_asset()] if settings.postgres_dsn_variable else []),
        ],
        asset_checks=[raw_acceptance(), marts_acceptance()],
        jobs=[main_job(), *extract_jobs(settings)],
        schedules=[daily_schedule(settings.timezone)],
        sensors=[landing_sensor(settings.landing)],
        resources={
            "session": session_resource(settings, progress, on_session, lock, acceptances),
            "dbt": dbt_resource(dbt),
            **(resource_overrides or {}),
        },
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` loads: the home and settings of the environment."""
    return build_definitions()
