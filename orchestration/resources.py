"""Dagster resources: the session of a run, and dbt."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import cast

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation
from dagster_dbt.asset_utils import get_updated_cli_invocation_params_for_context
from packaging.version import Version

from expectations.results import Acceptance
from orchestration.home import Home
from orchestration.ingest.lock import HomeLock
from orchestration.progress import LogProgress, Progress
from orchestration.session import RunSession, open_session, run_id_of
from orchestration.settings import Settings
from orchestration.warehouse.dbt_process import WaitingDbt
from orchestration.warehouse.dbt_worker import RUN_RESULTS
from orchestration.warehouse.project import PROJECT_DIR, code_version

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


def dbt_resource(waiting: WaitingDbt | None) -> dg.ResourceDefinition:
    """dbt with the project of this repository.

    Args:
        waiting: the process of its commands, if the caller has one.
    """

    def dbt(_context: dg.InitResourceContext) -> Iterator[Dbt]:
        held = waiting or WaitingDbt()
        try:
            yield Dbt(held)
        finally:
            held.close()

    return dg.ResourceDefinition(resource_fn=dbt)


@dataclass(frozen=True)
class Dbt:
    """dbt as a process of its own: inside this one it would keep the warehouse open."""

    waiting: WaitingDbt

    def make_ready(self) -> None:
        """Start the process of the commands; it waits to be told what to do."""
        self.waiting.make_ready()

    def close(self) -> None:
        """Let go of the process and its memory, when no command is to come."""
        self.waiting.close()

    def build(
        self, arguments: Sequence[str], context: dg.AssetExecutionContext, target_path: Path
    ) -> DbtCliInvocation:
        """Run a command on what the step has selected.

        Args:
            arguments: of dbt, without a selection.
            context: of the step; Dagster's selection becomes dbt's.
            target_path: where dbt leaves its artifacts.
        """
        selected = get_updated_cli_invocation_params_for_context(
            context=context, manifest={}, dagster_dbt_translator=DagsterDbtTranslator()
        )
        command = [*arguments, *selected.selection_args]
        if selected.indirect_selection:
            command += ["--indirect-selection", selected.indirect_selection]
        # What an earlier command left must not be taken for the results of this one.
        (target_path / RUN_RESULTS).unlink(missing_ok=True)
        return DbtCliInvocation(
            process=cast("subprocess.Popen[bytes]", self.waiting.run(command)),
            manifest=selected.manifest,
            dagster_dbt_translator=selected.dagster_dbt_translator,
            project_dir=PROJECT_DIR,
            target_path=target_path,
            raise_on_error=True,
            cli_version=Version(metadata.version("dbt-core")),
            context=context,
        )
