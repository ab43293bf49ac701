"""Running the main job in this process, with Dagster's own history of it in the home."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from importlib import import_module
from threading import Thread

import dagster as dg

from expectations.results import Acceptance
from orchestration.definitions import build_definitions
from orchestration.errors import BuildFailedError, RunInterruptedError, TierwiseError
from orchestration.home import Home
from orchestration.instance import prepare_instance
from orchestration.jobs import JOB_NAME
from orchestration.progress import Progress
from orchestration.session import RunSession, ValidationBlockedError
from orchestration.settings import Settings
from orchestration.warehouse.dbt_process import WaitingDbt


@contextmanager
def _instance(home: Home) -> Iterator[dg.DagsterInstance]:
    os.environ["DAGSTER_HOME"] = str(prepare_instance(home))
    # What a run plans, an event for each asset and check, is written at once.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    with dg.DagsterInstance.get() as instance:
        yield instance


def run_main_job(
    settings: Settings,
    progress: Progress,
    acceptances: Sequence[Acceptance] = (),
    dbt: WaitingDbt | None = None,
) -> RunSession:
    """Load, validate, build, validate, snapshot and publish; the caller holds the lock.

    Args:
        settings: of the run.
        progress: who is told how far it is.
        acceptances: critical failures that a person answers for.
        dbt: the process of the run's dbt commands, if the caller has one; the caller ends it.

    Returns:
        The session of the run, which published.

    Raises:
        TierwiseError: the run was refused or blocked, or left something out; nothing was
            published.
    """
    sessions: list[RunSession] = []
    home = Home(settings.home)
    definitions = build_definitions(
        settings,
        progress=progress,
        on_session=sessions.append,
        lock=nullcontext(),
        acceptances=acceptances,
        dbt=dbt,
    )
    # dbt's own lines go to its log: the progress says what the user needs to know.
    with (
        _instance(home) as instance,
        (home.dbt / "console.log").open("w") as log,
        redirect_stdout(log),
    ):
        # Its import takes seconds; it is over before the loader has read the landing area.
        Thread(target=import_module, args=("great_expectations",), daemon=True).start()
        # What is imported and defined stays to the end: the collector need not look at it.
        gc.freeze()
        gc.enable()
        try:
            definitions.resolve_job_def(JOB_NAME).execute_in_process(
                instance=instance,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        except dg.DagsterExecutionInterruptedError:
            raise RunInterruptedError(_interrupted(sessions)) from None
        except Exception as error:
            raise _cause(error, sessions) from None
    session = sessions[0]
    if not session.is_published:
        # Dagster leaves out a step that waits for what was not told, and ends well.
        raise BuildFailedError(
            f"The run {session.run_id} ended before it had published, with steps left out; the "
            "last publication is untouched. `tierwise ui` shows which. Run again."
        )
    return session


def _interrupted(sessions: Sequence[RunSession]) -> str:
    if any(session.is_published for session in sessions):
        return f"Interrupted after {sessions[0].run_id} was published."
    return (
        "Interrupted: nothing was published; the last publication is untouched. Run again: what "
        "was loaded stays loaded."
    )


def _cause(error: BaseException, sessions: list[RunSession]) -> BaseException:
    """What to tell the user of a failed job: our own error, a failed check, or the bug."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        if isinstance(link, TierwiseError):
            return link
        seen.append(link)
        link = link.__cause__ or link.__context__
    if sessions and sessions[0].is_blocked:
        return ValidationBlockedError(sessions[0])
    return error
