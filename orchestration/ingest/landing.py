"""The landing folder: which files were delivered for which feed, and its totals."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.control_totals import CONTROL_FILE, ControlTotals, read_control
from orchestration.ingest.remote import open_remote
from orchestration.ingest.sources import SOURCES_FILE, Sources, read_sources

LAYOUTS = {".csv": "csv", ".tsv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
COMPRESSIONS = ("", ".gz", ".zst")
# The longest suffix of a name tells its format: how it is laid out and how compressed.
FORMATS = {
    f"{suffix}{compression}": f"{layout}{compression}"
    for suffix, layout in LAYOUTS.items()
    for compression in COMPRESSIONS
} | {".parquet": "parquet"}
KNOWN_TYPES = f"{', '.join(LAYOUTS)}, each also with .gz or .zst, and .parquet"


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file of a feed. `name` is its path below the feed's folder.

    `is_announced_only`: the control totals name it, but it is not there.
    """

    feed: str
    name: str
    path: Path
    format: str
    totals: ControlTotals | None = None
    fault: str | None = None
    is_announced_only: bool = False


@dataclass(frozen=True, slots=True)
class Landing:
    """Everything found in a landing folder."""

    folder: Path
    files: Mapping[str, tuple[DeliveredFile, ...]]
    warnings: tuple[str, ...]

    def path_of(self, feed: str, name: str) -> Path:
        """Where a file of a feed lies."""
        paths = {file.name: file.path for file in self.files.get(feed, ())}
        return paths.get(name, self.folder / feed / name)


def require_landing(place: Path | str | None, sections: Mapping[str, Any]) -> None:
    """Raises ConfigurationError if there is nothing to load at a folder or an address.

    `sections` are the declarations of the settings (`[sources.<feed>]`).
    """
    if isinstance(place, str):
        with open_remote(place) as remote:
            remote.files()
    else:
        survey(place, feed_contract(), read_sources(place, sections))


def survey(
    folder: Path | None, contract: Mapping[str, Feed], sources: Sources | None = None
) -> Landing:
    """Lists the delivered files of every feed; opens none but the control files.

    Files of a feed are those in its folder and those that match a pattern declared in
    `sources`. Raises ConfigurationError when there is no folder, neither a feed's folder
    nor a matching file in it, or a file that matches for several feeds.
    """
    if folder is None:
        raise ConfigurationError(
            "No landing folder is set. Give --landing DIR, or set landing in tierwise.toml."
        )
    if not folder.is_dir():
        raise ConfigurationError(
            f"The landing folder {folder} is not there. Check --landing or landing in "
            "tierwise.toml."
        )
    try:
        entries = sorted(folder.iterdir())
    except PermissionError as error:
        raise ConfigurationError(
            f"The landing folder {folder} may not be read by this user."
        ) from error
    matching = _matching(folder, contract, sources or Sources())
    claimed = {path for paths in matching.values() for path in paths}
    holding = {parent for path in claimed for parent in path.relative_to(folder).parents}
    warnings = [
        _stranger(entry)
        for entry in entries
        if _is_stranger(entry, contract)
        and entry not in claimed
        and entry.relative_to(folder) not in holding
    ]
    feeds = [name for name in contract if (folder / name).is_dir() or matching.get(name)]
    if not feeds:
        raise ConfigurationError(
            f"The landing folder {folder} holds no feed. It wants one folder per feed: "
            f"{', '.join(contract)}. Files that lie elsewhere in it are named in {SOURCES_FILE}."
        )
    files: dict[str, tuple[DeliveredFile, ...]] = {}
    for name in feeds:
        is_there = (folder / name).is_dir()
        own = _feed_files(folder / name, name, folder, warnings, claimed) if is_there else ()
        kind = (sources or Sources()).of(name).format
        matched = _matched_files(folder, name, kind, matching.get(name, ()), own)
        files[name] = tuple(sorted([*own, *matched], key=lambda file: file.name))
    return Landing(folder, files, tuple(warnings))


def _matching(
    folder: Path, contract: Mapping[str, Feed], sources: Sources
) -> dict[str, tuple[Path, ...]]:
    """The files that match the patterns of each feed. Raises ConfigurationError."""
    matching: dict[str, tuple[Path, ...]] = {}
    owners: dict[Path, str] = {}
    for feed in contract:
        patterns = sources.of(feed).files
        paths = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
        matching[feed] = tuple(sorted(path for path in paths if not path.name.startswith("_")))
        for path in matching[feed]:
            top = path.relative_to(folder).parts[0]
            other = owners.get(path) or (top if top in contract and top != feed else None)
            if other:
                raise ConfigurationError(
                    f"{SOURCES_FILE}: [{feed}] files = {list(patterns)} matches "
                    f"'{_printable(path.relative_to(folder).as_posix())}', which belongs to the "
                    f"feed {other}. Narrow the pattern."
                )
            owners[path] = feed
    return matching


def _matched_files(
    landing: Path,
    feed: str,
    declared: str | None,
    paths: Sequence[Path],
    own: Sequence[DeliveredFile],
) -> list[DeliveredFile]:
    """Files named by a pattern, as far as the feed's folder has not given them already."""
    totals, control_fault = read_control(landing / CONTROL_FILE) if paths else ({}, None)
    given = {file.path for file in own}
    found = []
    for path in paths:
        if path in given:
            continue
        relative = path.relative_to(landing).as_posix()
        kind = format_of(path.name) or _declared_format(path.name, declared)
        fault = control_fault or _fault(path, relative, (landing.resolve(),))
        if kind is None:
            fault = fault or (
                f"its name tells no known type ({KNOWN_TYPES}); declare its format in "
                f"{SOURCES_FILE}"
            )
        found.append(
            DeliveredFile(feed, _printable(relative), path, kind or "", totals.get(relative), fault)
        )
    return found


def _declared_format(name: str, declared: str | None) -> str | None:
    if declared is None or declared == "parquet":
        return declared
    compression = next((c for c in COMPRESSIONS if c and name.lower().endswith(c)), "")
    return f"{declared}{compression}"


def _is_stranger(entry: Path, contract: Mapping[str, Feed]) -> bool:
    known = entry.name in contract and entry.is_dir()
    return not known and not entry.name.startswith((".", "_")) and entry.name != SOURCES_FILE


def _stranger(entry: Path) -> str:
    kind = "folder" if entry.is_dir() else "file"
    return f"landing: the {kind} '{_printable(entry.name)}' belongs to no feed; left alone"


def _feed_files(
    folder: Path, feed: str, landing: Path, warnings: list[str], claimed: Set[Path]
) -> tuple[DeliveredFile, ...]:
    found: list[DeliveredFile] = []
    totals, control_fault = read_control(folder / CONTROL_FILE)
    inside = (folder.resolve(), landing.resolve())

    def unreadable(error: OSError) -> None:
        where = Path(error.filename).relative_to(folder).as_posix()
        found.append(_faulty(feed, where, folder, "the folder may not be read"))

    for root, directories, names in os.walk(folder, onerror=unreadable):
        here = Path(root)
        in_a_files_place = [name for name in directories if format_of(name)]
        for name in list(directories):
            if name in in_a_files_place:
                directories.remove(name)
            elif (here / name).is_symlink():
                directories.remove(name)
                where = (here / name).relative_to(folder).as_posix()
                found.append(
                    _faulty(feed, where, here / name, "it is a link to a folder; deliver the files")
                )
        for name in sorted([*names, *in_a_files_place]):
            path = here / name
            relative = path.relative_to(folder).as_posix()
            kind = format_of(name)
            if name.startswith((".", "_")):
                if kind:
                    warnings.append(f"{feed}: '{_printable(relative)}' is hidden; left alone")
            elif kind is None and path in claimed:
                continue
            elif kind is None:
                warnings.append(
                    f"{feed}: '{_printable(relative)}' is of no known type "
                    f"({KNOWN_TYPES}); left alone"
                )
            else:
                fault = control_fault or _fault(path, relative, inside)
                found.append(
                    DeliveredFile(
                        feed, _printable(relative), path, kind, totals.get(relative), fault
                    )
                )
    found.extend(_announced_only(feed, folder, totals, {file.name for file in found}))
    return tuple(found)


def _faulty(feed: str, where: str, path: Path, fault: str) -> DeliveredFile:
    return DeliveredFile(feed, _printable(where), path, "", None, fault)


def _announced_only(
    feed: str, folder: Path, totals: Mapping[str, ControlTotals], found: set[str]
) -> list[DeliveredFile]:
    fault = f"{CONTROL_FILE} announces it, but it is not there; deliver it"
    return [
        DeliveredFile(feed, _printable(name), folder / name, "", spec, fault, True)
        for name, spec in totals.items()
        if _printable(name) not in found
    ]


def format_of(name: str) -> str | None:
    """The format a file's name tells, e.g. `csv.gz`; None if it tells none."""
    lowered = name.lower()
    return next((kind for suffix, kind in FORMATS.items() if lowered.endswith(suffix)), None)


def _printable(name: str) -> str:
    """The name with bytes that are no UTF-8 and control characters made visible."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _fault(path: Path, relative: str, inside: Sequence[Path]) -> str | None:
    """Why the thing at `path` cannot even be opened, or None.

    A link is followed as long as it stays inside one of the folders of `inside`: what
    lies elsewhere was not delivered.
    """
    if _printable(relative) != relative:
        return "its name holds characters that cannot be printed; deliver it under another name"
    try:
        mode = path.stat().st_mode
        target = path.resolve()
    except FileNotFoundError:
        return "it is a link to nothing"
    except (OSError, RuntimeError) as error:
        return f"it cannot be looked at ({getattr(error, 'strerror', None) or 'a circle of links'})"
    if not any(target.is_relative_to(folder) for folder in inside):
        return "it is a link that leads out of the landing folder; deliver the file itself"
    if stat.S_ISDIR(mode):
        return "it is a folder in a file's place"
    if not stat.S_ISREG(mode):
        return "it is a special file (pipe, socket or device), not a regular one"
    return None
