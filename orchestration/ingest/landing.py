"""The landing folder: which files were delivered for which feed, and its totals."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.remote import open_remote

FORMATS = {".csv": "csv", ".csv.gz": "csv.gz", ".parquet": "parquet"}
CONTROL_FILE = "_control.json"


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """What the sender says of one file; what it does not say is None or absent."""

    rows: int | None = None
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One file of a feed. `name` is its path below the feed's folder."""

    feed: str
    name: str
    path: Path
    format: str
    totals: ControlTotals | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Landing:
    """Everything found in a landing folder."""

    folder: Path
    files: Mapping[str, tuple[DeliveredFile, ...]]
    warnings: tuple[str, ...]


def require_landing(place: Path | str | None) -> None:
    """Raises ConfigurationError if there is nothing to load at a folder or an address."""
    if isinstance(place, str):
        with open_remote(place) as remote:
            remote.files()
    else:
        survey(place, feed_contract())


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
    files = {name: _feed_files(folder / name, name, warnings) for name in feeds}
    return Landing(folder, files, tuple(warnings))


def _is_stranger(entry: Path, contract: Mapping[str, Feed]) -> bool:
    known = entry.name in contract and entry.is_dir()
    return not known and not entry.name.startswith((".", "_"))


def _stranger(entry: Path) -> str:
    kind = "folder" if entry.is_dir() else "file"
    return f"landing: the {kind} '{_printable(entry.name)}' belongs to no feed; left alone"


def _feed_files(folder: Path, feed: str, warnings: list[str]) -> tuple[DeliveredFile, ...]:
    found: list[DeliveredFile] = []
    totals, control_fault = _control(folder / CONTROL_FILE)

    def unreadable(error: OSError) -> None:
        where = Path(error.filename).relative_to(folder).as_posix()
        found.append(
            DeliveredFile(feed, _printable(where), folder, "", None, "the folder may not be read")
        )

    for root, directories, names in os.walk(folder, onerror=unreadable):
        here = Path(root)
        in_a_files_place = [name for name in directories if _format(name)]
        for name in list(directories):
            if name in in_a_files_place or (here / name).is_symlink():
                directories.remove(name)
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
                fault = control_fault or _fault(path, relative)
                found.append(
                    DeliveredFile(
                        feed, _printable(relative), path, kind, totals.get(relative), fault
                    )
                )
    names_found = {file.name for file in found}
    warnings.extend(
        f"{feed}: {CONTROL_FILE} names '{_printable(name)}', which is not there"
        for name in totals
        if _printable(name) not in names_found
    )
    return tuple(sorted(found, key=lambda file: file.name))


def _format(name: str) -> str | None:
    lowered = name.lower()
    return next((kind for suffix, kind in FORMATS.items() if lowered.endswith(suffix)), None)


def _printable(name: str) -> str:
    """The name with bytes that are no UTF-8 and control characters made visible."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _fault(path: Path, relative: str) -> str | None:
    """Why the thing at `path` cannot even be opened, or None."""
    if _printable(relative) != relative:
        return "its name holds characters that cannot be printed; deliver it under another name"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "it is a link to nothing"
    except OSError as error:
        return f"it cannot be looked at ({error.strerror})"
    if stat.S_ISDIR(mode):
        return "it is a folder in a file's place"
    if not stat.S_ISREG(mode):
        return "it is a special file (pipe, socket or device), not a regular one"
    return None


def _control(path: Path) -> tuple[dict[str, ControlTotals], str | None]:
    """The control totals by file name, and what is wrong with the control file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, None
    except (OSError, UnicodeDecodeError):
        return {}, f"the control totals beside it ({CONTROL_FILE}) cannot be read"
    try:
        declared: dict[str, dict[str, Any]] = json.loads(text)["files"]
        return {name: _totals(spec) for name, spec in declared.items()}, None
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation):
        wanted = '{"files": {"NAME": {"rows": 1, "sums": {"COLUMN": "1.00"}, "sha256": "…"}}}'
        return {}, f"the control totals beside it ({CONTROL_FILE}) are not of the form {wanted}"


def _totals(spec: dict[str, Any]) -> ControlTotals:
    rows = spec.get("rows")
    sha256 = spec.get("sha256")
    return ControlTotals(
        rows=None if rows is None else int(rows),
        sums={name: Decimal(str(value)) for name, value in spec.get("sums", {}).items()},
        sha256=None if sha256 is None else str(sha256).lower(),
    )
