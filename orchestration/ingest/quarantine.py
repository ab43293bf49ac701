"""Quarantine: the rows that could not be loaded, each with all its reasons."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from orchestration.ingest.lake import SCHEMA_FILE, Lake, write_parquet
from orchestration.ingest.mending import BrokenLine
from orchestration.ingest.sql import literal

QUARANTINE_TYPES = {
    "load_id": "varchar",
    "row_number": "bigint",
    "feed": "varchar",
    "reasons": "varchar",
    "row_json": "varchar",
}


def write_quarantine_schema(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Write the empty file that makes a glob over the quarantine match from the start."""
    columns = ", ".join(f"cast(null as {t}) as {name}" for name, t in QUARANTINE_TYPES.items())
    write_parquet(connection, f"select {columns} where false", lake.quarantine / SCHEMA_FILE)


def faulty_rows(feed: str, load_id: str, row_number: str) -> str:
    """Select of the quarantined rows of the judged file and of its broken lines.

    Takes the parameter `broken`. A broken line's text cannot be told by column, so
    only its line number is kept: it may hold personal data.
    """
    return f"""
        select
            {literal(load_id)} as load_id,
            {row_number} as row_number,
            {literal(feed)} as feed,
            _reasons as reasons,
            _row_json as row_json
        from judged
        where _reasons is not null
        union all by name
        select
            {literal(load_id)} as load_id,
            cast(broken.row_number as bigint) as row_number,
            {literal(feed)} as feed,
            'line ' || broken.line_number || ': ' || broken.reason as reasons,
            '{{"line_number":' || broken.line_number || '}}' as row_json
        from (
            select unnest(cast(
                $broken as struct(row_number bigint, line_number bigint, reason varchar)[]
            )) as broken
        )
        order by row_number
    """


def as_parameter(broken: Sequence[BrokenLine]) -> list[dict[str, object]]:
    """Broken lines as the parameter of `faulty_rows`."""
    return [
        {"row_number": b.row_number, "line_number": b.line_number, "reason": b.reason}
        for b in broken
    ]
