"""The home's copies of the files of a remote landing area: fetched once, kept in bounds.

`<home>/landing_cache/<area>/files` mirrors the area and is loaded like a local landing
folder; `index.json` knows the stamp and SHA-256 of every file ever fetched. A file that is
loaded may leave the cache for room; it is not fetched again unless it changes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.errors import ConfigurationError, DataBlockedError
from orchestration.home import Home
from orchestration.ingest.control_totals import CONTROL_FILE
from orchestration.ingest.lake import Lake, make_folder
from orchestration.ingest.ledger import loads_by_content
from orchestration.ingest.remote import RemoteFile, open_remote
from orchestration.settings import Settings, byte_count

GIGABYTE = 1e9


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What is known of a file that was fetched."""

    stamp: str
    sha256: str


def local_landing(settings: Settings) -> Path | None:
    """The landing folder: the one of the settings, or the mirror of a remote one.

    Raises ConfigurationError if the remote area cannot be reached or does not fit.
    """
    if not isinstance(settings.landing, str):
        return settings.landing
    room = Home(settings.home).landing_cache / _name(settings.landing)
    _remove_others(room)
    make_folder(room)
    with open_remote(settings.landing) as remote:
        present = remote.files()
        cache = _Cache(room, present, _loaded(settings.home))
        cache.make_room(byte_count(settings.landing_cache_limit), remote.address)
        cache.fetch(remote.fetch)
    return cache.files


@contextmanager
def told_by_address(settings: Settings) -> Iterator[None]:
    """Lets messages on fetched files name the place where they were delivered."""
    try:
        yield
    except DataBlockedError as error:
        if not isinstance(settings.landing, str):
            raise
        mirror = Home(settings.home).landing_cache / _name(settings.landing) / "files"
        told = str(error).replace(str(mirror), settings.landing.rstrip("/"))
        raise DataBlockedError(told) from error


def _name(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]


def _remove_others(room: Path) -> None:
    """What was fetched from another area is not needed any more."""
    if room.parent.is_dir():
        for other in room.parent.iterdir():
            if other != room:
                shutil.rmtree(other)


def _loaded(home: Path) -> set[str]:
    """The SHA-256 of every content in the lake."""
    lake = Lake(home)
    if not lake.ledger.is_dir() or not any(lake.ledger.glob("*.parquet")):
        return set()
    with duckdb.connect() as connection:
        return {sha256 for _, sha256 in loads_by_content(connection, lake)}


class _Cache:
    """The mirror of one remote area, and what it must hold for the next load."""

    def __init__(
        self, room: Path, present: Mapping[str, RemoteFile], loaded: Collection[str]
    ) -> None:
        self.files = room / "files"
        self._controls = room / "controls"
        self._index_file = room / "index.json"
        self._present = present
        self._index = self._read_index()
        self._sweep()
        self._loaded = {
            name for name in present if self._is_known(name) and self._index[name].sha256 in loaded
        }

    def make_room(self, limit: int, address: str) -> None:
        """Lets loaded files go, the oldest first, until the new ones fit.

        Raises ConfigurationError if they do not fit even then.
        """
        missing = sum(self._present[name].size for name in self._missing())
        cached = [name for name in self._present if self._target(name).is_file()]
        total = missing + sum(self._present[name].size for name in cached)
        cached.sort(key=lambda name: (self._present[name].modified, name))
        for name in cached:
            if total > limit and name in self._loaded and not _is_control(name):
                self._target(name).unlink()
                total -= self._present[name].size
        if total > limit:
            raise ConfigurationError(
                f"{address} holds {total / GIGABYTE:.1f} GB that are not loaded yet, more than "
                f"landing_cache_limit ({limit / GIGABYTE:.1f} GB). Raise it, or deliver in "
                "smaller parts."
            )
        free = shutil.disk_usage(self._index_file.parent).free
        if missing > free:
            raise ConfigurationError(
                f"{address} holds {missing / GIGABYTE:.1f} GB to fetch, but the disk of "
                f"{self._index_file.parent} has {free / GIGABYTE:.1f} GB left."
            )

    def fetch(self, copy: Callable[[RemoteFile, Path], None]) -> None:
        """Fetches what is new or changed; what was fetched before a failure stays."""
        self.files.mkdir(exist_ok=True)
        try:
            for name in self._missing():
                target = self._target(name)
                copy(self._present[name], target)
                with target.open("rb") as stream:
                    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                self._index[name] = _Fetched(self._present[name].stamp, sha256)
        finally:
            self._write_index()
        for name in self._present:
            (self.files / name).parent.mkdir(parents=True, exist_ok=True)
            if _is_control(name):
                self._place_control(name)

    def _missing(self) -> list[str]:
        return [
            name
            for name in sorted(self._present)
            if not self._is_known(name)
            or not (self._target(name).is_file() or name in self._loaded)
        ]

    def _is_known(self, name: str) -> bool:
        known = self._index.get(name)
        return known is not None and known.stamp == self._present[name].stamp

    def _target(self, name: str) -> Path:
        """Control totals are kept apart as delivered; `files` gets what counts of them."""
        return (self._controls if _is_control(name) else self.files) / name

    def _place_control(self, name: str) -> None:
        """Control totals without those of files that are loaded and have left the cache."""
        delivered = self._target(name).read_bytes()
        folder = Path(name).parent
        try:
            control = json.loads(delivered)
            control["files"] = {
                file: totals
                for file, totals in control["files"].items()
                if (folder / file).as_posix() not in self._loaded
                or (self.files / folder / file).is_file()
            }
            delivered = json.dumps(control).encode()
        except (ValueError, TypeError, KeyError, AttributeError):
            pass  # the loader says what is wrong with it
        (self.files / name).write_bytes(delivered)

    def _sweep(self) -> None:
        """Removes what a killed fetch left, and what is not delivered any more."""
        for path in list(self.files.rglob("*")) + list(self._controls.rglob("*")):
            base = self.files if path.is_relative_to(self.files) else self._controls
            if path.is_file() and path.relative_to(base).as_posix() not in self._present:
                path.unlink()
        for path in sorted(self.files.rglob("*"), reverse=True):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        # A changed file makes room for its successor before that is fetched.
        for name in self._present:
            if not self._is_known(name):
                self._target(name).unlink(missing_ok=True)

    def _read_index(self) -> dict[str, _Fetched]:
        """The index; an unreadable one is as good as none: everything is fetched again."""
        try:
            stored = json.loads(self._index_file.read_text(encoding="utf-8"))
            return {name: _Fetched(**known) for name, known in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write_index(self) -> None:
        stored = {
            name: {"stamp": known.stamp, "sha256": known.sha256}
            for name, known in sorted(self._index.items())
            if name in self._present
        }
        unfinished = self._index_file.with_suffix(".tmp")
        unfinished.write_text(json.dumps(stored, indent=1), encoding="utf-8")
        unfinished.replace(self._index_file)


def _is_control(name: str) -> bool:
    return Path(name).name == CONTROL_FILE
