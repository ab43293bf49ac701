"""One run of the main job: its identity, the lock it holds, and what its steps found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expectations.docs.index import write_index
from expectations.results import Acceptance, LayerResult, ensure_schema
from orchestration.audit.manifest import keep_manifest
from orchestration.audit.runs import (
    RunStatus,
    ensure_ledger,
    is_recorded,
    record_run,
)
from orchestration.errors import DataBlockedError
from orchestration.home import Home
from orchestration.progress import Progress
from orchestration.publish.recovery import recover

if TYPE_CHECKING:
    from orchestration.ingest.load import LoadResult
    from orchestration.settings import Settings


@dataclass
class RunSession:
    """What the steps of one run share. Times are UTC."""

    settings: Settings
    home: Home
    run_id: str
    started_at: dt.datetime
    code_version: str
    progress: Progress
    acceptances: tuple[Acceptance, ...] = ()
    load_result: LoadResult | None = None
    layers: dict[str, LayerResult] = field(default_factory=dict)
    is_refused: bool = False
    is_published: bool = False

    @property
    def is_blocked(self) -> bool:
        """Whether the loader refused the data or a critical failure is not answered for."""
        return self.is_refused or any(layer.is_blocking for layer in self.layers.values())

    @property
    def unused_acceptances(self) -> tuple[Acceptance, ...]:
        """Acceptances of checks that did not fail as critical, or that do not exist."""
        used = {
            result.expectation_id
            for layer in self.layers.values()
            for result in layer.results
            if result.accepted_by
        }
        return tuple(answer for answer in self.acceptances if answer.check not in used)


class ValidationBlockedError(DataBlockedError):
    """A critical expectation failed: nothing was snapshotted or published."""

    def __init__(self, session: RunSession) -> None:
        self.session = session
        names = [
            failure.expectation_id
            for layer in session.layers.values()
            for failure in layer.blocking_failures
        ]
        count = len(names)
        super().__init__(
            f"Blocked: {count} critical check{'s' * (count != 1)} failed: {', '.join(names)}. "
            "Nothing was published; the last publication is untouched. Correct the delivery "
            "and run again. Where a person answers for a failure, this one run may pass it: "
            f"{' '.join(f'--accept {name}' for name in names)} --by NAME --reason TEXT"
        )


def run_id_of(created_at: dt.datetime, dagster_run_id: str) -> str:
    """The name of a run: sortable by time, and traceable to Dagster's own run."""
    return f"{created_at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}-{dagster_run_id[:8]}"


@contextmanager
def open_session(session: RunSession, lock: AbstractContextManager[object]) -> Iterator[RunSession]:
    """Hold the home for one run, clean up after killed ones, and enter the run's end.

    Raises:
        HomeLockedError: another run holds the warehouse.
    """
    session.home.prepare()
    with lock:
        ensure_ledger(session.home)
        ensure_schema(session.home.root)
        recover(session.home)
        try:
            yield session
        finally:
            if not is_recorded(session.home, session.run_id):
                _record_unpublished(session)


def _record_unpublished(session: RunSession) -> None:
    """Leave the evidence of a run that published nothing, and enter it."""
    status: RunStatus = "blocked" if session.is_blocked else "failed"
    record_run(session.home, keep_manifest(session, status))
    write_index(session.home.root)
