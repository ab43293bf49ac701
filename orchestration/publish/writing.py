"""Writing a publication beside the current one; what did not change is taken over."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from orchestration.home import Home
from orchestration.ingest.sql import literal
from orchestration.publish.content_hash import (
    content_hash,
    content_hash_by_month,
    sum_of_hashes,
)
from orchestration.publish.contract import PUBLISHED_SCHEMAS, PublishedTable
from orchestration.publish.kept_months import (
    MONTH,
    KeptMonths,
    clear_the_rest,
    file_of_month,
    find_kept_part,
    lies_by_month,
)
from orchestration.publish.publication import (
    DATABASE,
    DATABASE_FOR_READERS,
    UNFINISHED,
    PublishedOutput,
)


def write_publication(
    home: Home,
    run_id: str,
    tables: list[PublishedTable],
    on_table: Callable[[PublishedTable, int], None],
    *,
    memory_limit: str,
) -> tuple[Path, list[PublishedOutput]]:
    """Copy the tables out of the warehouse into an unfinished publication.

    Months that are as they were published last are taken over from there: the database is a
    copy in which the other rows are replaced, and a month's Parquet file gets a second name.
    What comes out, and in which order, is what copying everything gives.

    Args:
        home: the home to publish in.
        run_id: the run that publishes.
        tables: what to publish.
        on_table: called after each table with its number of rows.
        memory_limit: what DuckDB may take; it spills beyond.

    Returns:
        The unfinished folder and what was written to it.
    """
    folder = home.published / f"{UNFINISHED}{run_id}"
    folder.mkdir()
    database = folder / DATABASE_FOR_READERS
    part = find_kept_part(home, tables, memory_limit)
    if part:
        shutil.copyfile(part.database, database)
    kept = part.tables if part else {}
    with duckdb.connect(
        str(database),
        config={"memory_limit": memory_limit, "temp_directory": str(home.temporary)},
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        clear_the_rest(connection, kept)
        connection.execute(f"attach {literal(home.warehouse)} as warehouse (read_only)")
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
        outputs = []
        for table in tables:
            output = _publish_table(connection, table, folder, kept.get(table.qualified_name))
            outputs.append(output)
            on_table(table, output.rows)
        connection.execute("detach warehouse")
        connection.execute("checkpoint")
    database.rename(folder / DATABASE)
    database.hardlink_to(folder / DATABASE)
    return folder, outputs


def _publish_table(
    connection: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    folder: Path,
    kept: KeptMonths | None,
) -> PublishedOutput:
    """One table in both files, in order so that the same input gives the same bytes."""
    name = table.qualified_name
    if kept is None:
        _copy_rows(connection, table, f"create table {name} as", "")
    elif kept.first_changed:
        rest = f"where {MONTH} >= date '{kept.first_changed}'"
        _copy_rows(connection, table, f"insert into {name}", rest)
    _comment(connection, table)
    parquet = folder / "parquet" / table.schema / table.name
    parquet.mkdir(parents=True)
    row = connection.execute(f"select count(*) from {name}").fetchone()
    assert row is not None
    if not lies_by_month(table, row[0]):
        _write_parquet(connection, name, parquet / f"{table.name}.parquet")
        return PublishedOutput(name, table.key, row[0], content_hash(connection, name))
    months = _publish_months(connection, table, parquet, kept)
    return PublishedOutput(name, table.key, row[0], sum_of_hashes(months.values()), months)


def _copy_rows(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, into: str, which: str
) -> None:
    order = ", ".join(f'"{column}"' for column in stored_order(table.key)) or "all"
    connection.execute(
        f"{into} select * from warehouse.{table.qualified_name} {which} order by {order}"
    )


def _publish_months(
    connection: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    parquet: Path,
    kept: KeptMonths | None,
) -> dict[str, str]:
    """A file for each month of a table, written or linked; the months' content hashes."""
    rest = table.qualified_name
    if kept:
        for path in kept.files:
            (parquet / path.name).hardlink_to(path)
        if kept.first_changed is None:
            return kept.hashes
        months = ", ".join(map(literal, kept.hashes))
        rest = (
            f"(from {rest} where {MONTH} >= date '{kept.first_changed}' "
            f"and strftime({MONTH}, '%Y-%m') not in ({months}))"
        )
    written = content_hash_by_month(connection, rest, MONTH)
    _write_months(connection, table, parquet, written)
    return dict(sorted({**(kept.hashes if kept else {}), **written}.items()))


def _write_months(
    connection: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    parquet: Path,
    months: Iterable[str],
) -> None:
    """One file per month; several at a time, for a month may be too small to be shared out."""

    def write(month: str) -> None:
        first = f"date '{month}-01'"
        rows = f"(from {table.qualified_name} where {MONTH} between {first} and last_day({first}))"
        with connection.cursor() as cursor:
            _write_parquet(cursor, rows, parquet / file_of_month(table.name, month))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write, months))


def _write_parquet(connection: duckdb.DuckDBPyConnection, relation: str, path: Path) -> None:
    """Write the rows of a relation as they lie.

    The lowest level of zstd takes a fifth less time for files a twentieth larger.
    """
    connection.execute(
        f"copy (from {relation}) to {literal(path)} "
        "(format parquet, compression zstd, compression_level 1)"
    )


def stored_order(key: tuple[str, ...]) -> tuple[str, ...]:
    """The key with its month first.

    Most questions are of one month; stored together, its rows are all that is read.
    """
    return tuple(sorted(key, key=lambda column: column != MONTH))


def _comment(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """Carry the descriptions of the contract into the file, where a BI tool shows them.

    In one transaction: each on its own would be forced to the disk.
    """

    def quoted(text: str) -> str:
        return literal(" ".join(text.split()))

    present = {row[0] for row in connection.execute(f"describe {table.qualified_name}").fetchall()}
    described = [
        f"comment on table {table.qualified_name} is {quoted(table.description)}",
        *(
            f'comment on column {table.qualified_name}."{column}" is {quoted(description)}'
            for column, description in table.columns.items()
            if description and column in present
        ),
    ]
    connection.execute("; ".join(["begin", *described, "commit"]))
