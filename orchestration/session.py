"""One run of the main job: its identity, the lock it holds, and what its steps found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expectations.results import LayerResult, ensure_schema
from orchestration.audit.runs import (
    RunRecord,
    RunStatus,
    ensure_ledger,
    is_recorded,
    record_run,
    recover_publications,
)
from orchestration.errors import DataBlockedError
from orchestration.home import Home
from orchestration.progress import Progress
from orchestration.publish.publication import sweep_unfinished

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
    load_result: LoadResult | None = None
    layers: dict[str, LayerResult] = field(default_factory=dict)
    is_refused: bool = False

    @property
    def is_blocked(self) -> bool:
        """Whether the loader refused the data or a critical expectation failed."""
        return self.is_refused or any(layer.is_blocking for layer in self.layers.values())


class ValidationBlockedError(DataBlockedError):
    """A critical expectation failed: nothing was snapshotted or published."""

    def __init__(self, session: RunSession) -> None:
        self.session = session
        critical = sum(
            not result.success and result.severity == "critical"
            for layer in session.layers.values()
            for result in layer.results
        )
        super().__init__(
            f"Blocked: {critical} critical expectation{'s' * (critical != 1)} failed. Nothing was "
            "published; the last publication is untouched. Correct the delivery and run again."
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
        sweep_unfinished(session.home)
        recover_publications(session.home)
        try:
            yield session
        finally:
            if not is_recorded(session.home, session.run_id):
                record_run(session.home, _unpublished_record(session))


def _unpublished_record(session: RunSession) -> RunRecord:
    status: RunStatus = "blocked" if session.is_blocked else "failed"
    loaded = session.load_result
    return RunRecord(
        run_id=session.run_id,
        started_at=session.started_at,
        finished_at=dt.datetime.now(dt.UTC),
        status=status,
        closing_month=loaded.closing_month if loaded else None,
        code_version=session.code_version,
        config_sha256=loaded.config_sha256 if loaded else None,
        policy_sha256=loaded.policy_sha256 if loaded else None,
    )
