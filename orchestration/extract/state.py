"""What has been extracted of a feed: `<home>/extract/<source>.<feed>.json`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestration.errors import ConfigurationError
from orchestration.extract.cursors import Boundary, from_json, to_json
from orchestration.ingest.lake import make_folder


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that is about to get its final name, and the boundary once it has it."""

    name: str
    totals: Mapping[str, Any]
    boundary: Boundary


@dataclass(frozen=True, slots=True)
class State:
    """How far a feed is extracted. `sequence` numbers the files already delivered."""

    cursor: str
    sequence: int = 0
    boundary: Boundary = field(default_factory=Boundary)
    announced: Announced | None = None

    def with_delivered(self, boundary: Boundary) -> State:
        """The state once the announced file has its final name."""
        return replace(self, sequence=self.sequence + 1, boundary=boundary, announced=None)


def read_state(path: Path, where: str, cursor: str) -> State:
    """The state kept at `path`, or that of a feed never extracted.

    Raises ConfigurationError if it cannot be read or is of another cursor.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return State(cursor)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{where}: the state {path} cannot be read.") from error
    if stored["cursor"] != cursor:
        raise ConfigurationError(
            f"{where}: it was read by the cursor {stored['cursor']} so far, not by {cursor}. "
            f"Take the old cursor, or remove {path} and the files extracted to begin anew."
        )
    announced = stored["announced"]
    return State(
        cursor,
        stored["sequence"],
        _boundary(stored["boundary"]),
        announced
        and Announced(announced["name"], announced["totals"], _boundary(announced["boundary"])),
    )


def write_state(path: Path, state: State) -> None:
    """Keeps the state, in one atomic step."""
    announced = state.announced
    make_folder(path.parent)
    write_json(
        path,
        {
            "cursor": state.cursor,
            "sequence": state.sequence,
            "boundary": _stored(state.boundary),
            "announced": announced
            and {
                "name": announced.name,
                "totals": announced.totals,
                "boundary": _stored(announced.boundary),
            },
        },
    )


def write_json(path: Path, content: object) -> None:
    """Writes a file that is whole under its name, even if the machine stops."""
    unfinished = path.with_name(f".{path.name}.tmp")
    with unfinished.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder outlive a stop of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _boundary(stored: Mapping[str, Any]) -> Boundary:
    value = stored["value"]
    return Boundary(value and from_json(value), Counter(stored["delivered"]))


def _stored(boundary: Boundary) -> dict[str, Any]:
    value = boundary.value
    return {
        "value": None if value is None else to_json(value),
        "delivered": dict(boundary.delivered),
    }
