"""What was done to publications besides publishing: rolled back to, let go.

One small file per event, numbered from 1 and never changed. Each names the one before it
and the last run by their hashes, and the next run's manifest lists them all: an event
cannot be changed, left out or put in between without breaking that.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestration.audit.files import file_sha256, write_manifest
from orchestration.home import Home

FOLDER = "audit/publication_log"
Kind = Literal["rolled_back", "let_go"]


class PublicationEvent(BaseModel):
    """One event. `at` is UTC; `by` is who asked for it, or the run that let go.

    A rollback leads `from_run` to `to_run`; `run_ids` are the publications let go.
    `after_run` is the last run that had ended, with the hash of its manifest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    kind: Kind
    at: dt.datetime
    by: str
    reason: str | None = None
    from_run: str | None = None
    to_run: str | None = None
    run_ids: tuple[str, ...] = ()
    after_run: str
    after_manifest_sha256: str
    previous_sha256: str | None

    def told(self) -> str:
        """The event in one line."""
        when = f"{self.at:%Y-%m-%d %H:%M:%S} UTC"
        if self.kind == "let_go":
            return f"{when}: let go {', '.join(self.run_ids)}, by {self.by}"
        reason = f": {self.reason}" if self.reason else ""
        return f"{when}: rolled back from {self.from_run} to {self.to_run}, by {self.by}{reason}"


def event_path(number: int) -> str:
    """Where an event lies below the home."""
    return f"{FOLDER}/{number:06d}.json"


def event_files(home: Home) -> list[Path]:
    """The file of every event, in order."""
    return sorted((home.root / FOLDER).glob("*.json"))


def read_events(home: Home) -> list[PublicationEvent]:
    """Every event, in order."""
    return [parse_event(path.read_bytes()) for path in event_files(home)]


def parse_event(content: bytes) -> PublicationEvent:
    """An event from its file; ValueError if it is none."""
    try:
        return PublicationEvent.model_validate_json(content)
    except ValidationError as error:
        raise ValueError("is no event of the publication log") from error


def add_event(home: Home, kind: Kind, by: str, **details: Any) -> PublicationEvent:
    """Write down the next event; it stands from one moment to the next.

    The caller holds the home's lock, and at least one run has ended.
    """
    from orchestration.audit.runs import finished_runs

    files = event_files(home)
    last = finished_runs(home)[-1]
    event = PublicationEvent(
        number=len(files) + 1,
        kind=kind,
        at=dt.datetime.now(dt.UTC),
        by=by,
        after_run=last.run_id,
        after_manifest_sha256=str(last.manifest_sha256),
        previous_sha256=file_sha256(files[-1]) if files else None,
        **details,
    )
    path = home.root / event_path(event.number)
    unfinished = path.with_suffix(".unfinished")
    write_manifest(unfinished, json.loads(event.model_dump_json()))
    with unfinished.open("rb") as stream:
        os.fsync(stream.fileno())
    unfinished.replace(path)
    return event


def let_go_events(events: Iterable[PublicationEvent]) -> dict[str, PublicationEvent]:
    """The event that let a publication go, by the publication's run."""
    return {run_id: event for event in events for run_id in event.run_ids}


def current_by_the_record(
    events: Iterable[PublicationEvent], last_published: str | None
) -> str | None:
    """The publication that should be in use: the last one, or what was rolled back to since."""
    current = last_published
    for event in events:
        if event.kind == "rolled_back" and last_published and event.after_run >= last_published:
            current = event.to_run
    return current


def this_user() -> str:
    """Who runs this process, and where."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = f"user {os.getuid()}"
    return f"{name} on {socket.gethostname()}"
