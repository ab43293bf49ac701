"""Months that came out as they were published last, and so are taken over from there.

Every row of the warehouse is held against the last publication by a hash that DuckDB computes
at a tenth of the cost of writing the row: nobody has to say what a run rebuilt. Small tables are
not looked at; writing them costs next to nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.audit.files import file_sha256, read_manifest
from orchestration.home import Home
from orchestration.ingest.sql import connect, identifier, literal
from orchestration.publish.contract import PublishedTable
from orchestration.publish.publication import DATABASE, MANIFEST, list_publications

MONTH = "month"
# A table of fewer rows lies in one file: of a month of it too little would be left.
ROWS_IN_MONTHLY_FILES = 1_000_000


@dataclass(frozen=True)
class KeptMonths:
    """What of a table is as it was published.

    `hashes` are the content hashes of those months, by YYYY-MM; `files` hold their rows.
    `first_changed` is the first month that is not among them; None if all are.
    """

    hashes: dict[str, str]
    files: tuple[Path, ...]
    first_changed: dt.date | None


@dataclass(frozen=True)
class KeptPart:
    """What is taken over from the last publication: its database, and months by table."""

    database: Path
    tables: dict[str, KeptMonths]


def lies_by_month(table: PublishedTable, rows: int) -> bool:
    """Whether a table of so many rows is published as one Parquet file per month."""
    return MONTH in table.key and rows >= ROWS_IN_MONTHLY_FILES


def file_of_month(name: str, month: str) -> str:
    """The file of a month (YYYY-MM) of a table; their names stand in the order of months."""
    return f"{name}-{month}.parquet"


def find_kept_part(
    home: Home, tables: Iterable[PublishedTable], memory_limit: str
) -> KeptPart | None:
    """What the publication to come has in common with the last one.

    None if that is nothing, or if what would be taken is not as its run left it.
    """
    published = list_publications(home)
    if not published:
        return None
    folder = home.published / published[-1]
    evidence = home.run_evidence(published[-1]) / MANIFEST
    if not evidence.is_file() or file_sha256(evidence) != file_sha256(folder / MANIFEST):
        return None
    manifest = read_manifest(evidence)
    files = {entry["path"]: entry for entry in manifest["files"]}
    outputs = {output["table"]: output for output in manifest["outputs"] if output.get("months")}
    if not outputs or not _are_as_left(folder, files, [folder / DATABASE]):
        return None
    with connect(memory_limit, home.temporary) as connection:
        connection.execute(f"attach {literal(home.warehouse)} as warehouse (read_only)")
        connection.execute(f"attach {literal(folder / DATABASE)} as published (read_only)")
        found = {
            table.qualified_name: _kept_months(connection, table, outputs, folder)
            for table in tables
        }
    kept = {name: months for name, months in found.items() if months}
    linked = [path for months in kept.values() for path in months.files]
    if not kept or not _are_as_left(folder, files, linked):
        return None
    return KeptPart(folder / DATABASE, kept)


def clear_the_rest(connection: duckdb.DuckDBPyConnection, kept: Mapping[str, KeptMonths]) -> None:
    """Leave in a copy of the last publication only rows that stay, in their places.

    Rows lie in the order of months, so those behind the first changed month leave too.
    """
    for (name,) in connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database()"
    ).fetchall():
        if name not in kept:
            connection.execute(f"drop table {name}")
        elif first := kept[name].first_changed:
            connection.execute(f"delete from {name} where {MONTH} >= date '{first}'")
    # What this frees is room for the rows to come.
    connection.execute("checkpoint")


def _kept_months(
    connection: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    outputs: Mapping[str, Mapping[str, Any]],
    folder: Path,
) -> KeptMonths | None:
    output = outputs.get(table.qualified_name)
    if output is None or tuple(output["key"]) != table.key:
        return None
    columns = _columns(connection, f"warehouse.{table.qualified_name}")
    if columns != _columns(connection, f"published.{table.qualified_name}"):
        return None
    before = _row_hashes(connection, f"published.{table.qualified_name}", columns)
    now = _row_hashes(connection, f"warehouse.{table.qualified_name}", columns)
    if not lies_by_month(table, sum(rows for rows, _ in now.values())):
        return None
    changed = sorted(day for day in before | now if before.get(day) != now.get(day))
    changed_months = {f"{day:%Y-%m}" for day in changed}
    hashes = {
        month: content for month, content in output["months"].items() if month not in changed_months
    }
    if not hashes:
        return None
    parquet = folder / "parquet" / table.schema / table.name
    return KeptMonths(
        hashes=hashes,
        files=tuple(parquet / file_of_month(table.name, month) for month in hashes),
        first_changed=changed[0].replace(day=1) if changed else None,
    )


def _row_hashes(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Iterable[str]
) -> dict[dt.date, tuple[int, int]]:
    """Number of rows of each month, and the sum of their hashes."""
    values = ", ".join(map(identifier, columns))
    return {
        day: (rows, total)
        for day, rows, total in connection.execute(
            f"select {MONTH}, count(*), sum(hash({values})) from {relation} group by {MONTH}"
        ).fetchall()
    }


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Types of the columns in their order; none if there is no such table."""
    try:
        described = connection.execute(f"describe {relation}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {row[0]: row[1] for row in described}


def _are_as_left(
    folder: Path, files: Mapping[str, Mapping[str, Any]], paths: Iterable[Path]
) -> bool:
    """Whether files of a publication are those that its manifest lists."""
    for path in paths:
        entry = files.get(path.relative_to(folder).as_posix())
        if entry is None or not path.is_file() or file_sha256(path) != entry["sha256"]:
            return False
    return True
