"""The published tables as PostgreSQL gets them: columns, key, comments, rows."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from orchestration.audit.files import read_manifest
from orchestration.errors import ConfigurationError
from orchestration.publish.publication import DATABASE_FOR_READERS, MANIFEST

BATCH_ROWS = 20_000


@dataclass(frozen=True)
class ServedTable:
    """A table of a publication: its rows lie in `files`, sorted by its key."""

    schema: str
    name: str
    key: tuple[str, ...]
    rows: int
    comment: str
    column_comments: dict[str, str]
    files: tuple[Path, ...]

    @property
    def qualified_name(self) -> str:
        """Schema and name, for people."""
        return f"{self.schema}.{self.name}"

    def arrow_schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return pq.read_schema(self.files[0])

    def batches(self) -> pa.RecordBatchReader:
        """The rows, read as they are asked for."""
        return pa.RecordBatchReader.from_batches(self.arrow_schema(), self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for path in self.files:
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches(BATCH_ROWS)

    def create(self, schema: str) -> sql.Composed:
        """The statement that creates the table, empty and without key, in a schema."""
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(
                sql.Identifier(column.name),
                sql.SQL(postgres_type(column.type, self.qualified_name)),
            )
            for column in self.arrow_schema()
        )
        return sql.SQL("create table {} ({})").format(sql.Identifier(schema, self.name), columns)

    def finish(self, schema: str) -> Iterator[sql.Composed]:
        """The statements that give the filled table its key and comments."""
        table = sql.Identifier(schema, self.name)
        if self.key:
            key = sql.SQL(", ").join(map(sql.Identifier, self.key))
            yield sql.SQL("alter table {} add primary key ({})").format(table, key)
        yield sql.SQL("comment on table {} is {}").format(table, sql.Literal(self.comment))
        for column, comment in self.column_comments.items():
            yield sql.SQL("comment on column {} is {}").format(
                sql.Identifier(schema, self.name, column), sql.Literal(comment)
            )
        yield sql.SQL("analyze {}").format(table)


def served_tables(folder: Path) -> list[ServedTable]:
    """Every table of a publication, as its manifest lists them.

    Raises:
        FileNotFoundError: a part of the publication is not there.
    """
    outputs = read_manifest(folder / MANIFEST)["outputs"]
    with duckdb.connect(str(folder / DATABASE_FOR_READERS), read_only=True) as connection:
        comments = {
            (schema, table): comment
            for schema, table, comment in connection.execute(
                "select schema_name, table_name, coalesce(comment, '') from duckdb_tables()"
            ).fetchall()
        }
        columns = connection.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns() "
            "where comment is not null order by column_index"
        ).fetchall()
    tables = []
    for output in outputs:
        schema, name = output["table"].split(".")
        rows = folder / "parquet" / schema / name
        files = tuple(sorted(rows.glob("*.parquet")))
        if not files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(rows))
        tables.append(
            ServedTable(
                schema=schema,
                name=name,
                key=tuple(output["key"]),
                rows=output["rows"],
                comment=comments[schema, name],
                column_comments={
                    column: comment
                    for in_schema, table, column, comment in columns
                    if (in_schema, table) == (schema, name)
                },
                files=files,
            )
        )
    return tables


def postgres_type(column: pa.DataType, table: str) -> str:
    """The type of PostgreSQL that holds every value of a published column exactly.

    Raises:
        ConfigurationError: there is none that is known to.
    """
    if pa.types.is_decimal(column):
        return f"numeric({column.precision}, {column.scale})"
    if pa.types.is_timestamp(column):
        return "timestamptz" if column.tz else "timestamp"
    known = {
        pa.string(): "text",
        pa.bool_(): "boolean",
        pa.int16(): "smallint",
        pa.int32(): "integer",
        pa.int64(): "bigint",
        pa.float32(): "real",
        pa.float64(): "double precision",
        pa.date32(): "date",
    }
    if column not in known:
        raise ConfigurationError(f"{table} has a column of type {column}: PostgreSQL has none.")
    return known[column]
