"""Quarantine: the rows that could not be loaded, each with all its reasons.

They are kept twice: masked, for the audit to publish, and as delivered, for the person
who corrects them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

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
LINK_TYPES = {
    "load_id": "varchar",
    "row_number": "bigint",
    "origin_load_id": "varchar",
    "origin_row_number": "bigint",
    "outcome": "varchar",
}
ORIGINAL_TYPES = {
    "load_id": "varchar",
    "row_number": "bigint",
    "original": "varchar",
    "line": "varchar",
}


def write_quarantine_schema(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Write the empty files that make a glob over each folder match from the start."""
    for folder, types in {
        lake.quarantine: QUARANTINE_TYPES,
        lake.originals: ORIGINAL_TYPES,
        lake.releases: LINK_TYPES,
    }.items():
        columns = ", ".join(f"cast(null as {t}) as {name}" for name, t in types.items())
        write_parquet(connection, f"select {columns} where false", folder / SCHEMA_FILE)


def faulty_rows(feed: str, load_id: str) -> str:
    """Select of the quarantined rows of the judged file and of its broken lines.

    Takes the parameter `broken`. A broken line's text cannot be told by column, so
    only its line number is kept: it may hold personal data.
    """
    return f"""
        select
            {literal(load_id)} as load_id,
            _row_number as row_number,
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
                $broken as struct(
                    row_number bigint, line_number bigint, reason varchar, text varchar
                )[]
            )) as broken
        )
        order by row_number
    """


def original_rows(load_id: str) -> str:
    """Select of the same rows as delivered: values as JSON, or the text of a broken line."""
    return f"""
        select
            {literal(load_id)} as load_id,
            _row_number as row_number,
            _original as original,
            cast(null as varchar) as line
        from judged
        where _reasons is not null
        union all by name
        select
            {literal(load_id)} as load_id,
            cast(broken.row_number as bigint) as row_number,
            cast(null as varchar) as original,
            broken.text as line
        from (
            select unnest(cast(
                $broken as struct(
                    row_number bigint, line_number bigint, reason varchar, text varchar
                )[]
            )) as broken
        )
        order by row_number
    """


def as_parameter(broken: Sequence[BrokenLine]) -> list[dict[str, object]]:
    """Broken lines as the parameter of `faulty_rows` and `original_rows`."""
    return [asdict(line) for line in broken]
