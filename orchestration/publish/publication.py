"""Writing a publication beside the current one, then switching to it in one step."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.home import Home
from orchestration.publish.content_hash import content_hash
from orchestration.publish.contract import PUBLISHED_SCHEMAS, PublishedTable

CURRENT = "current"
MANIFEST = "manifest.json"
DATABASE = "marts.duckdb"
# DuckDB names a database after its file: in one called marts, `marts.dim_customer` could
# mean the schema or the database, and is refused. Readers open the file by this name; it
# is a hard link, since DuckDB looks through a symbolic one.
DATABASE_FOR_READERS = "tierwise.duckdb"
UNFINISHED = ".unfinished-"
MONTH = "month"
_RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class PublishedOutput:
    """One table as it was published; `key` names its rows."""

    table: str
    key: tuple[str, ...]
    rows: int
    content_hash: str


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


def write_publication(
    home: Home,
    run_id: str,
    tables: list[PublishedTable],
    on_table: Callable[[PublishedTable, int], None],
) -> tuple[Path, list[PublishedOutput]]:
    """Copy the tables out of the warehouse into an unfinished publication.

    Args:
        home: the home to publish in.
        run_id: the run that publishes.
        tables: what to publish.
        on_table: called after each table with its number of rows.

    Returns:
        The unfinished folder and what was written to it.
    """
    folder = home.published / f"{UNFINISHED}{run_id}"
    folder.mkdir()
    outputs = []
    with duckdb.connect(str(folder / DATABASE_FOR_READERS)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{home.warehouse}' as warehouse (read_only)")
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"create schema {schema}")
        for table in tables:
            rows = _copy_table(connection, table, folder)
            outputs.append(
                PublishedOutput(
                    table=table.qualified_name,
                    key=table.key,
                    rows=rows,
                    content_hash=content_hash(connection, table.qualified_name),
                )
            )
            on_table(table, rows)
        connection.execute("detach warehouse")
        connection.execute("checkpoint")
    (folder / DATABASE_FOR_READERS).rename(folder / DATABASE)
    (folder / DATABASE_FOR_READERS).hardlink_to(folder / DATABASE)
    return folder, outputs


def _copy_table(connection: duckdb.DuckDBPyConnection, table: PublishedTable, folder: Path) -> int:
    """Copy one table, in order so that the same input gives the same bytes."""
    order = ", ".join(f'"{column}"' for column in stored_order(table.key)) or "all"
    connection.execute(
        f"create table {table.qualified_name} as "
        f"select * from warehouse.{table.qualified_name} order by {order}"
    )
    _comment(connection, table)
    parquet = folder / "parquet" / table.schema / table.name
    parquet.mkdir(parents=True)
    row = connection.execute(
        f"copy (select * from {table.qualified_name} order by {order}) "
        f"to '{parquet}/{table.name}.parquet' (format parquet, compression zstd)"
    ).fetchone()
    assert row is not None
    return int(row[0])


def stored_order(key: tuple[str, ...]) -> tuple[str, ...]:
    """The key with its month first.

    Most questions are of one month; stored together, its rows are all that is read.
    """
    return tuple(sorted(key, key=lambda column: column != MONTH))


def _comment(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """Carry the descriptions of the contract into the file, where a BI tool shows them."""

    def quoted(text: str) -> str:
        return "'" + " ".join(text.split()).replace("'", "''") + "'"

    connection.execute(f"comment on table {table.qualified_name} is {quoted(table.description)}")
    present = {
        row[0]
        for row in connection.execute(
            "select column_name from duckdb_columns() "
            "where database_name = current_database() and schema_name = ? and table_name = ?",
            [table.schema, table.name],
        ).fetchall()
    }
    for column, description in table.columns.items():
        if description and column in present:
            connection.execute(
                f'comment on column {table.qualified_name}."{column}" is {quoted(description)}'
            )


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
    """Make a whole publication the current one, from one moment to the next."""
    link = home.published / f"{UNFINISHED}link-{run_id}"
    link.unlink(missing_ok=True)
    link.symlink_to(run_id)
    link.replace(home.published / CURRENT)


def _flush(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
