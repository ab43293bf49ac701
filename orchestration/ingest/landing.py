"""The landing folder: which files were delivered for which feed, and its totals."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import Feed
from orchestration.ingest.control_totals import CONTROL_FILE, ControlTotals, read_control

FORMATS = {".csv": "csv", ".csv.gz": "csv.gz", ".parquet": "parquet"}


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


def survey(folder: Path | None, contract: Mapping[str, Feed]) -> Landing:
    """Lists the delivered files of every feed; opens none but the control files.

    Raises ConfigurationError when there is no folder, or no feed's folder in it.
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
    warnings = [_stranger(entry) for entry in entries if _is_stranger(entry, contract)]
    feeds = [name for name in contract if (folder / name).is_dir()]
    if not feeds:
        raise ConfigurationError(
            f"The landing folder {folder} holds no feed. It wants one folder per feed: "
            f"{', '.join(contract)}."
        )
    files = {name: _feed_files(folder / name, name, folder, warnings) for name in feeds}
    return Landing(folder, files, tuple(warnings))


def _is_stranger(entry: Path, contract: Mapping[str, Feed]) -> bool:
    known = entry.name in contract and entry.is_dir()
    return not known and not entry.name.startswith((".", "_"))


def _stranger(entry: Path) -> str:
    kind = "folder" if entry.is_dir() else "file"
    return f"landing: the {kind} '{_printable(entry.name)}' belongs to no feed; left alone"


def _feed_files(
    folder: Path, feed: str, landing: Path, warnings: list[str]
) -> tuple[DeliveredFile, ...]:
    found: list[DeliveredFile] = []
    totals, control_fault = read_control(folder / CONTROL_FILE)
    inside = (folder.resolve(), landing.resolve())

    def unreadable(error: OSError) -> None:
        where = Path(error.filename).relative_to(folder).as_posix()
        found.append(_faulty(feed, where, folder, "the folder may not be read"))

    for root, directories, names in os.walk(folder, onerror=unreadable):
        here = Path(root)
        in_a_files_place = [name for name in directories if _format(name)]
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
            kind = _format(name)
            if name.startswith((".", "_")):
                if kind:
                    warnings.append(f"{feed}: '{_printable(relative)}' is hidden; left alone")
            elif kind is None:
                warnings.append(
                    f"{feed}: '{_printable(relative)}' is of no known type "
                    f"({', '.join(FORMATS)}); left alone"
                )
            else:
                fault = control_fault or _fault(path, relative, inside)
                found.append(
                    DeliveredFile(
                        feed, _printable(relative), path, kind, totals.get(relative), fault
                    )
                )
    found.extend(_announced_only(feed, folder, totals, {file.name for file in found}))
    return tuple(sorted(found, key=lambda file: file.name))


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


def _format(name: str) -> str | None:
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
