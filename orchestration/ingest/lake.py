"""The Parquet lake: where everything lies, how it is written, and the views on it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.sql import connect, identifier, literal

PRIVATE = 0o700
SCHEMA_FILE = "schema.parquet"
# A third less work and size than the defaults: keys, which hardly repeat, are not tried as a
# dictionary first, and numbers in order are kept as differences. The order of rows is asked for:
# of its own the engine keeps it in simple plans only, and the lake's bytes and row numbers
# follow from it.
PARQUET = (
    "format parquet, compression zstd, parquet_version v2, dictionary_size_limit 1000, "
    "preserve_order true"
)


@dataclass(frozen=True, slots=True)
class Lake:
    """The places of the lake below a home directory.

    Files of rows are named by the load they belong to: the `stem` is the SHA-256 of a
    delivered file (hashed with what sources.toml declares of it, if anything), the load_id
    of a released one.
    """

    home: Path

    @property
    def root(self) -> Path:
        """All of it, for the owner of the home alone."""
        return self.home / "lake"

    @property
    def reference(self) -> Path:
        """The reference tables in force."""
        return self.root / "reference"

    @property
    def ledger(self) -> Path:
        """One file per run and attempt."""
        return self.root / "ledger"

    @property
    def control_totals(self) -> Path:
        """The part of the ledger that holds declared totals, file by file beside it."""
        return self.ledger / "control_totals"

    @property
    def active_loads(self) -> Path:
        """The loads whose rows count, in order of delivery."""
        return self.root / "control" / "active_loads.parquet"

    @property
    def superseded_rows(self) -> Path:
        """The rows of these loads that a later delivery of their key supersedes."""
        return self.root / "control" / "superseded_rows.parquet"

    @property
    def run_settings(self) -> Path:
        """The settings of the run in progress."""
        return self.root / "control" / "run_settings.parquet"

    @property
    def quarantine(self) -> Path:
        """The rows that could not be loaded."""
        return self.root / "quarantine"

    @property
    def originals(self) -> Path:
        """The same rows as delivered, personal values in clear."""
        return self.root / "originals"

    @property
    def releases(self) -> Path:
        """Which row of a released file corrects which quarantined row."""
        return self.root / "releases"

    @property
    def released_files(self) -> Path:
        """The released files themselves, named by content hash."""
        return self.root / "released_files"

    @property
    def unknown(self) -> Path:
        """The values of columns the contract does not know, kept aside."""
        return self.root / "unknown"

    @property
    def scratch(self) -> Path:
        """Working files of a load; nothing in it outlives the load."""
        return self.home / "tmp" / "load"

    @property
    def folders_of_rows(self) -> tuple[Path, ...]:
        """The folders whose files belong to a feed and a load."""
        return (
            self.root / "raw",
            self.quarantine,
            self.originals,
            self.releases,
            self.unknown,
        )

    def raw(self, feed: str) -> Path:
        """The loaded rows of a feed."""
        return self.root / "raw" / feed

    def raw_file(self, feed: Feed, stem: str, month: date | None) -> Path:
        """Where the rows of a load go; those of one month if the feed has months."""
        folder = self.raw(feed.name)
        if month is not None:
            folder /= f"{feed.month}={month:%Y-%m}"
        return folder / f"{stem}.parquet"

    def quarantine_file(self, feed: str, stem: str) -> Path:
        """Where the faulty rows of a load go."""
        return self.quarantine / feed / f"{stem}.parquet"

    def originals_file(self, feed: str, stem: str) -> Path:
        """Where they go as delivered."""
        return self.originals / feed / f"{stem}.parquet"

    def links_file(self, feed: str, stem: str) -> Path:
        """Where the links of a released file to the rows it corrects go."""
        return self.releases / feed / f"{stem}.parquet"

    def unknown_file(self, feed: str, stem: str) -> Path:
        """Where the values of a delivered file's unknown columns go."""
        return self.unknown / feed / f"{stem}.parquet"


def make_folder(path: Path) -> None:
    """Makes `path` and the folders above it that are missing, for this user alone."""
    for folder in [*reversed(path.parents), path]:
        if not folder.exists():
            folder.mkdir(mode=PRIVATE, exist_ok=True)


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    select: str,
    target: Path,
    parameters: Mapping[str, object] | None = None,
) -> None:
    """Writes the rows of `select` to `target` in one atomic step."""
    make_folder(target.parent)
    unfinished = unfinished_name(target)
    connection.execute(
        f"copy ({select}) to {literal(unfinished)} ({PARQUET})", dict(parameters or {})
    )
    unfinished.replace(target)


def unfinished_name(target: Path) -> Path:
    """What a file is called until it is whole; no glob of the lake finds it."""
    return target.with_name(f"{target.name}.tmp-{os.getpid()}")


def make_durable(paths: Iterable[Path]) -> None:
    """Waits until files and the folders that name them are on disk.

    What the ledger will name must survive a power cut that the ledger survives.
    """
    written = list(paths)
    for path in [*written, *sorted({path.parent for path in written})]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def files_of_loads(lake: Lake, loads: Set[tuple[str, str]]) -> list[Path]:
    """The files of rows of the given (feed, stem)."""
    return [
        path
        for folder in lake.folders_of_rows
        for feed, path in _content_files(folder)
        if (feed, path.stem) in loads
    ]


def write_schemas(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """An empty file with the full schema for every feed, so that a glob always matches."""
    for feed in feed_contract().values():
        columns = [
            *(
                f"cast(null as {column.sql_type}) as {identifier(column.name)}"
                for column in feed.columns
            ),
            "cast(null as varchar) as _load_id",
            "cast(null as bigint) as _row_number",
        ]
        write_parquet(
            connection,
            f"select {', '.join(columns)} where false",
            lake.raw(feed.name) / SCHEMA_FILE,
        )


def sweep(lake: Lake, loaded: Set[tuple[str, str]], released: Set[str]) -> None:
    """Remove what a killed run left: scratch, unfinished files, rows of files not ledgered.

    `loaded` holds the (feed, stem) of the loads that reached the ledger, `released` the
    SHA-256 of the released files among them.
    """
    shutil.rmtree(lake.scratch, ignore_errors=True)
    for path in lake.root.rglob("*.tmp-*"):
        path.unlink(missing_ok=True)
    for path in lake.control_totals.glob("*.parquet"):
        if not (lake.ledger / path.name).exists():
            path.unlink()
    for path in lake.released_files.glob("*.csv"):
        if path.stem not in released:
            path.unlink()
    for folder in lake.folders_of_rows:
        for feed, path in _content_files(folder):
            if (feed, path.stem) not in loaded:
                path.unlink()
                _remove_if_empty(path.parent)


def discard(lake: Lake, feed: str, stem: str) -> None:
    """Removes the rows of a file that is refused after it was read."""
    for path in [
        *lake.raw(feed).rglob(f"{stem}.parquet"),
        lake.quarantine_file(feed, stem),
        lake.originals_file(feed, stem),
        lake.unknown_file(feed, stem),
    ]:
        path.unlink(missing_ok=True)
        _remove_if_empty(path.parent)


def _content_files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in list(folder.rglob("*.parquet")):
        if path.name != SCHEMA_FILE:
            yield path.relative_to(folder).parts[0], path


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def raw_rows(files: Iterable[Path]) -> str:
    """The rows of files of the raw lake, as something to select from.

    Where `_row_number` is null, the file holds every row of the delivered one in its order,
    and a row's place is its number: numbers that need not be written need not be counted,
    which no engine does in parallel. (Iceberg's row lineage does the same.)
    """
    names = ", ".join(literal(file) for file in files)
    return (
        "(select * replace (coalesce(_row_number, file_row_number + 1) as _row_number) "
        f"from read_parquet([{names}], union_by_name = true, hive_partitioning = false))"
    )


def raw_view_statements(home: Path) -> list[str]:
    """Statements that make two views of each feed.

    `raw.<feed>` has the active rows: all columns of the contract, `_load_id`, `_row_number`
    and `_delivery_rank` (later delivered is greater). `latest.<feed>` leaves out those that
    a later delivery of their key supersedes (of a versioned feed: of their version of a
    key). What is left is what the models read.
    """
    lake = Lake(home)
    statements = ["create schema if not exists raw", "create schema if not exists latest"]
    for feed in feed_contract():
        name = identifier(feed)
        statements += [
            f"create or replace view raw.{name} as "
            "select delivered.*, active.delivery_rank as _delivery_rank "
            f"from {raw_rows([lake.raw(feed) / '**' / '*.parquet'])} as delivered "
            f"inner join read_parquet({literal(lake.active_loads)}) as active "
            "on delivered._load_id = active.load_id",
            # Not as `anti join`, on which some queries over these views fail inside DuckDB 1.5.
            f"create or replace view latest.{name} as "
            f"select delivered.* from raw.{name} as delivered "
            f"left join read_parquet({literal(lake.superseded_rows)}) as superseded "
            "on superseded.load_id = delivered._load_id "
            "and superseded.row_number = delivered._row_number "
            "where superseded.load_id is null",
        ]
    return statements


def create_raw_views(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Schemas `raw` and `latest` with one view per feed each."""
    for statement in raw_view_statements(home):
        connection.execute(statement)


def open_lake(home: Path, memory_limit: str = "8GB") -> duckdb.DuckDBPyConnection:
    """An in-memory connection with the views of `create_raw_views`; the caller closes it."""
    connection = connect(memory_limit, home / "tmp")
    create_raw_views(connection, home)
    return connection
