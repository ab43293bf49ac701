"""Dagster resources: the session of a run, and dbt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from importlib import metadata

import dagster as dg
from dagster_dbt import DbtCliResource
from packaging.version import Version

from expectations.results import Acceptance
from orchestration.home import Home
from orchestration.ingest.lock import HomeLock
from orchestration.progress import LogProgress, Progress
from orchestration.session import RunSession, open_session, run_id_of
from orchestration.settings import Settings
from orchestration.warehouse.project import PROJECT_DIR, code_version, dbt_executable

OnSession = Callable[[RunSession], None]


def session_resource(
    settings: Settings,
    progress: Progress | None,
    on_session: OnSession | None,
    lock: AbstractContextManager[object] | None,
    acceptances: Sequence[Acceptance] = (),
) -> dg.ResourceDefinition:
    """The session: opened before the first step of a run, closed after its last.

    Args:
        settings: settings of the run.
        progress: who is told how far the run is; Dagster's log if nobody is named.
        on_session: called with the session once it is open.
        lock: held during the run; the lock of the home if the caller does not hold it.
        acceptances: critical failures of this run that a person answers for.
    """

    def session(context: dg.InitResourceContext) -> Iterator[RunSession]:
        run, instance = context.run, context.instance
        if run is None or instance is None:
            raise dg.DagsterInvariantViolationError("A session belongs to a run.")
        record = instance.get_run_record_by_id(run.run_id)
        created = record.create_timestamp if record else dt.datetime.now(dt.UTC)
        if created.tzinfo is None:
            created = created.replace(tzinfo=dt.UTC)
        opened = RunSession(
            settings=settings,
            home=Home(settings.home),
            run_id=run_id_of(created, run.run_id),
            started_at=created,
            code_version=code_version(),
            progress=progress or LogProgress(context.log or dg.get_dagster_logger()),
            acceptances=tuple(acceptances),
        )
        with open_session(opened, lock or HomeLock(opened.home.root)):
            if on_session:
                on_session(opened)
            yield opened

    return dg.ResourceDefinition(resource_fn=session)


class DbtProcess(DbtCliResource):
    """dbt as a process of its own: inside this one it would keep the warehouse open.

    dagster-dbt asks the command for its version, and sets up an adapter in this process to
    fetch row counts with; the one is known and the other not used, so both are left out.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        """None: nothing is asked of the warehouse while dbt works."""


def dbt_resource() -> DbtProcess:
    """dbt with the project of this repository."""
    return DbtProcess(
        project_dir=str(PROJECT_DIR),
        profiles_dir=str(PROJECT_DIR),
        dbt_executable=dbt_executable(),
    )
