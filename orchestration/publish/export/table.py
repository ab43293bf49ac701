"""The table to export: found by its name, narrowed to a month, read in batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.ingest.sql import identifier, literal
from orchestration.publish.current import Publication

BATCH_ROWS = 5_000
RANK = "rank"
MONTH = "month"


@dataclass(frozen=True)
class ExportedColumn:
    """A column: its name, DuckDB's type of it, and what the contract says of it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class ExportedTable:
    """The rows to write; `month_column` is what they were narrowed by, if they were."""

    connection: duckdb.DuckDBPyConnection
    qualified_name: str
    description: str
    columns: tuple[ExportedColumn, ...]
    rows: int
    condition: str
    month_column: str | None

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        """The rows, read as they are asked for: by rank, else in the order as published."""
        names = {column.name for column in self.columns}
        order = f"order by {identifier(RANK)}" if RANK in names else ""
        self.connection.execute(f"from {self.qualified_name} {self.condition} {order}")
        while batch := self.connection.fetchmany(BATCH_ROWS):
            yield batch


@contextmanager
def opened_table(
    publication: Publication, name: str, month: dt.date | None, spill: Path
) -> Iterator[ExportedTable]:
    """A table of a publication, by its name with or without the schema.

    Raises:
        ConfigurationError: there is no such table, it has no month, or no row in it.
    """
    with duckdb.connect(
        str(publication.database), read_only=True, config={"temp_directory": str(spill)}
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        schema, table, description = _found(connection, name)
        qualified_name = f"{schema}.{table}"
        columns = _columns(connection, schema, table)
        column = _month_column(qualified_name, columns) if month else None
        condition = f"where {identifier(column)} = date {literal(month)}" if column else ""
        rows = _one(connection, f"select count(*) from {qualified_name} {condition}")
        if column and not rows:
            raise ConfigurationError(
                f"{qualified_name} has no row of {month:%Y-%m}; "
                + _extent(connection, qualified_name, column)
            )
        yield ExportedTable(
            connection, qualified_name, description, columns, rows, condition, column
        )


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _found(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str, str]:
    tables: list[tuple[str, str, str]] = connection.execute(
        "select schema_name, table_name, coalesce(comment, '') from duckdb_tables() "
        "order by schema_name = 'marts' desc, schema_name, table_name"
    ).fetchall()
    for schema, table, description in tables:
        if name in (table, f"{schema}.{table}"):
            return schema, table, description
    known = ", ".join(
        table if schema == "marts" else f"{schema}.{table}" for schema, table, _ in tables
    )
    raise ConfigurationError(f"'{name}' is no published table. There are: {known}.")


def _columns(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str
) -> tuple[ExportedColumn, ...]:
    found = connection.execute(
        "select column_name, data_type, coalesce(comment, '') from duckdb_columns() "
        "where schema_name = ? and table_name = ? order by column_index",
        [schema, table],
    ).fetchall()
    return tuple(ExportedColumn(*row) for row in found)


def _month_column(table: str, columns: tuple[ExportedColumn, ...]) -> str:
    """The column `month`; where there is none, the only date whose name ends in `_month`."""
    dates = [column.name for column in columns if column.type == "DATE"]
    if MONTH in dates:
        return MONTH
    months = [name for name in dates if name.endswith(f"_{MONTH}")]
    if len(months) != 1:
        raise ConfigurationError(f"{table} has no month of its rows: export it without --month.")
    return months[0]


def _extent(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> str:
    first = _one(connection, f"select min({identifier(column)}) from {table}")
    last = _one(connection, f"select max({identifier(column)}) from {table}")
    return f"it has {first:%Y-%m} to {last:%Y-%m}." if first else "it has no row at all."
