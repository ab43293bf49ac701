"""Delivered files as DuckDB relations: one reader per format, values not yet typed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.files import FileRefusedError, Fingerprint
from orchestration.ingest.mending import BOM, BrokenLine, mend
from orchestration.ingest.sql import identifier, literal

TEXT = "VARCHAR"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a delivered column stands in the relation, and its type there."""

    expression: str
    type: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered file, ready to be read.

    `rows` is the number of rows counted without parsing them, where that is possible.
    `line` is the expression of the row's number, where the order of rows does not
    give it. `broken` are the lines that could not be split into fields.
    """

    relation: str
    columns: Mapping[str, Source]
    unknown: Mapping[str, Source]
    rows: int | None
    line: str | None = None
    broken: tuple[BrokenLine, ...] = ()


def read_parquet(connection: duckdb.DuckDBPyConnection, feed: Feed, path: Path) -> Delivery:
    """Describes a Parquet file. Raises FileRefusedError if it cannot be read."""
    relation = f"read_parquet({literal(path)}, hive_partitioning = false)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        counted = connection.execute(f"select count(*) from {relation}").fetchone()
    except duckdb.Error as error:
        raise FileRefusedError("it is no sound Parquet file (damaged or truncated)") from error
    sources = [(str(row[0]), Source(identifier(row[0]), str(row[1]))) for row in described]
    columns, unknown = _matched(feed, sources)
    return Delivery(relation, columns, unknown, rows=counted[0] if counted else None)


def read_csv(feed: Feed, path: Path, kind: str, taken: Fingerprint) -> Delivery:
    """Describes a CSV file from its header line. Raises FileRefusedError."""
    header = _header(taken.head)
    sources = [(name, Source(f"c{index}", TEXT)) for index, name in enumerate(header)]
    columns, unknown = _matched(feed, sources)
    names = [source.expression for _, source in sources]
    relation = _csv_relation(path, kind, names, header=True)
    rows = None if taken.lines is None else max(taken.lines - 1, 0)
    return Delivery(relation, columns, unknown, rows=rows)


def read_mended_csv(
    feed: Feed, path: Path, kind: str, taken: Fingerprint, scratch: Path
) -> Delivery:
    """The same for a CSV file with lines that DuckDB refuses: those set apart."""
    header = _header(taken.head)
    sources = [(name, Source(f"c{index}", TEXT)) for index, name in enumerate(header)]
    columns, unknown = _matched(feed, sources)
    line_end = b"\n" if b"\n" in taken.head else b"\r"
    broken = mend(path, kind, len(header), line_end, scratch)
    names = ["line", *(source.expression for _, source in sources)]
    return Delivery(
        relation=_csv_relation(scratch, "csv", names, header=False),
        columns=columns,
        unknown=unknown,
        rows=None,
        line="cast(line as bigint)",
        broken=tuple(broken),
    )


def _csv_relation(path: Path, kind: str, names: list[str], *, header: bool) -> str:
    """Columns go by position, so that no name in a header ever meets the parser."""
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    compression = "gzip" if kind.endswith(".gz") else "none"
    return (
        f"read_csv({literal(path)}, columns = {{{columns}}}, header = {header}, "
        f"compression = '{compression}', delim = ',', quote = '\"', escape = '\"', "
        "auto_detect = false, strict_mode = true, null_padding = false)"
    )


def _header(head: bytes) -> list[str]:
    first = head.removeprefix(BOM).replace(b"\r", b"\n").split(b"\n", 1)[0]
    try:
        return [name.strip() for name in next(csv.reader([first.decode("utf-8")], strict=True))]
    except UnicodeDecodeError as error:
        raise FileRefusedError("its header is not UTF-8; deliver it as UTF-8") from error
    except (csv.Error, StopIteration) as error:
        raise FileRefusedError("its header line is no CSV") from error


def _matched(
    feed: Feed, sources: list[tuple[str, Source]]
) -> tuple[dict[str, Source], dict[str, Source]]:
    """The delivered columns the contract knows, and the others.

    Raises FileRefusedError if a required one is missing or one stands there twice.
    """
    contract = {column.name: column for column in feed.columns}
    columns: dict[str, Source] = {}
    unknown: dict[str, Source] = {}
    for name, source in sources:
        known = name.strip().lower()
        if known in columns:
            raise FileRefusedError(f"the column {known} stands in it twice")
        if known in contract:
            columns[known] = source
        else:
            unknown[name or "(unnamed)"] = source
    missing = [
        name
        for name, column in contract.items()
        if column.must_be_delivered and name not in columns
    ]
    if missing:
        # Names the contract does not know stay untold: without a header line they are
        # the values of the first row.
        raise FileRefusedError(
            f"missing required column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; its "
            f"header has {', '.join(columns) or 'none of the feed'} and {len(unknown)} unknown"
        )
    return columns, unknown
