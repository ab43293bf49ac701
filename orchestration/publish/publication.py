"""The publications of a home: what lies in one, which there are, and the switch between them."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.home import Home

CURRENT = "current"
MANIFEST = "manifest.json"
DATABASE = "marts.duckdb"
# DuckDB names a database after its file: in one called marts, `marts.dim_customer` could
# mean the schema or the database, and is refused. Readers open the file by this name; it
# is a hard link, since DuckDB looks through a symbolic one.
DATABASE_FOR_READERS = "tierwise.duckdb"
UNFINISHED = ".unfinished-"
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class PublishedOutput:
    """One table as it was published; `key` names its rows.

    Of a table that lies in a file per month, `months` are the content hashes of each; they
    add up to that of the table.
    """

    table: str
    key: tuple[str, ...]
    rows: int
    content_hash: str
    months: dict[str, str] = field(default_factory=dict)


def sweep_unfinished(home: Home) -> None:
    """Remove what a killed run began to publish and never finished."""
    for leftover in home.published.glob(f"{UNFINISHED}*"):
        if leftover.is_symlink() or leftover.is_file():
            leftover.unlink()
        else:
            shutil.rmtree(leftover)


def list_publications(home: Home) -> list[str]:
    """Run ids of the whole publications, oldest first."""
    if not home.published.is_dir():
        return []
    return sorted(
        entry.name
        for entry in home.published.iterdir()
        if _RUN_ID.fullmatch(entry.name) and (entry / MANIFEST).is_file()
    )


def current_publication(home: Home) -> str | None:
    """Run id of the publication that readers see, or none."""
    link = home.published / CURRENT
    return link.readlink().name if link.is_symlink() else None


def readers_database(home: Home) -> Path:
    """The file that readers open: the current publication's database."""
    return home.published / CURRENT / DATABASE_FOR_READERS


def finish_publication(home: Home, run_id: str, unfinished: Path) -> Path:
    """Give the publication its name and make it the current one.

    Both steps are renames: a crash leaves either the last publication or this one
    current, and a reader that has the last one open keeps reading it.
    """
    _flush(unfinished)
    final = home.published / run_id
    unfinished.rename(final)
    switch_to(home, run_id)
    return final


def switch_to(home: Home, run_id: str) -> None:
    """Make a whole publication the current one, from one moment to the next.

    Raises:
        ConfigurationError: the link to the current one has become a folder.
    """
    current = home.published / CURRENT
    if current.is_dir() and not current.is_symlink():
        raise ConfigurationError(
            f"{current} is a folder, not a link to the newest publication: the home was copied "
            "by a program that follows links. Remove that folder, a copy of the publication "
            "beside it, and run again; copy a home with `cp -a`."
        )
    link = home.published / f"{UNFINISHED}link-{run_id}"
    link.unlink(missing_ok=True)
    link.symlink_to(run_id)
    link.replace(current)


def _flush(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
