"""What the current publication was made from, so that a run with nothing new can end at once.

A file counts as unchanged by its size, its times of change and its place on the disk, as git
judges its working tree: the time of change cannot be set back by hand, and no byte is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.home import Home
from orchestration.ingest.months import current_month
from orchestration.publish.publication import current_publication, list_publications
from orchestration.settings import Settings
from orchestration.warehouse.project import code_version

NAME = "inputs.json"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run depends on and does not make itself, as one hash.

    That is: the files of the landing area and of the operator's reference tables, the
    settings, the code, and the month that the clock shows in the operator's time zone.
    """

    sha256: str

    def remember(self, home: Home) -> None:
        """Write down that the current publication was made from these inputs."""
        made = {"publication": current_publication(home), "inputs": self.sha256}
        target = home.published / NAME
        temporary = target.with_suffix(".unfinished")
        temporary.write_text(json.dumps({**made, "lake": _state_of(home.lake)}))
        temporary.replace(target)

    def made(self, home: Home) -> str | None:
        """Run id of the current publication if these inputs made it and still would."""
        try:
            known = json.loads((home.published / NAME).read_text())
        except (OSError, ValueError):
            return None
        run_id = current_publication(home)
        if run_id not in list_publications(home):
            return None
        now = {"publication": run_id, "inputs": self.sha256, "lake": _state_of(home.lake)}
        return run_id if known == now else None


def forget(home: Home) -> None:
    """Let the next run do all its work."""
    (home.published / NAME).unlink(missing_ok=True)


def inputs_of(settings: Settings) -> Inputs | None:
    """The inputs as they are now; none for a remote landing area, which has to be asked."""
    if not isinstance(settings.landing, Path):
        return None
    digest = hashlib.sha256(settings.model_dump_json().encode())
    digest.update(code_version().encode())
    digest.update(f"{current_month(datetime.now(UTC), settings.timezone):%Y-%m}".encode())
    for folder in (settings.landing, settings.reference):
        if folder is not None:
            digest.update(_state_of(folder).encode())
    return Inputs(digest.hexdigest())


def _state_of(folder: Path) -> str:
    digest = hashlib.sha256()
    for line in _files_of(folder):
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files_of(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        try:
            seen = path.stat()
        except OSError as error:
            yield f"{path}\0{error.errno}\n"
            continue
        # A folder's own times change with what is put into it, which is listed anyway.
        times = (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)
        yield f"{path}\0{seen.st_mode}\0{'' if path.is_dir() else times}\n"
