"""Which row was changed, where a file no longer has its hash: for people, by key only."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.publish.content_hash import content_hash
from orchestration.publish.publication import DATABASE

_COMPARED = (
    "file_sha256",
    "file_bytes",
    "rows_in_file",
    "rows_loaded",
    "rows_quarantined",
    "rows_duplicate",
    "status",
    "reason",
)


def ledger_rows_changed(content: bytes, inputs: list[dict[str, Any]]) -> str:
    """The first row of a ledger file that does not say what the manifest's inputs say.

    A file of control totals has a row per measure of a load.
    """
    try:
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    except pa.ArrowException:
        return "; it cannot be read"
    if rows and "measure" in rows[0]:
        return _totals_changed(rows, inputs)
    by_load = {row["load_id"]: row for row in rows}
    for entry in inputs:
        row = by_load.get(entry["load_id"])
        if row is None:
            continue
        for name in _COMPARED:
            if row[name] != entry[name]:
                return (
                    f"; the row of {entry['feed']}/{entry['file_name']} says "
                    f"{name} = {row[name]}, the manifest {entry[name]}"
                )
    return ""


def _totals_changed(rows: list[dict[str, Any]], inputs: list[dict[str, Any]]) -> str:
    found = {(row["load_id"], row["measure"]): row for row in rows}
    loads = {load_id for load_id, _ in found}
    for entry in inputs:
        for total in entry.get("control_totals", ()) if entry["load_id"] in loads else ():
            place = f"the {total['measure']} declared of {entry['feed']}/{entry['file_name']}"
            row = found.pop((entry["load_id"], total["measure"]), None)
            if row is None:
                return f"; {place} are missing"
            for name, value in total.items():
                stated = f"{row[name]:f}" if isinstance(row[name], Decimal) else row[name]
                if stated != value:
                    return f"; {place}: {name} = {stated}, the manifest {value}"
    if found:
        load_id, measure = min(found)
        return f"; the {measure} declared of load {load_id} were put in"
    return ""


def published_rows_changed(folder: Path, path: str, outputs: list[dict[str, Any]]) -> str:
    """The tables of a published file that changed, each with the key of one row."""
    try:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"attach '{folder / DATABASE}' as published (read_only)")
            if path.startswith("parquet/"):
                return _parquet_rows(connection, folder / path, outputs)
            return _database_rows(connection, folder, outputs)
    except duckdb.Error:
        return "; it can no longer be read"


def _parquet_rows(
    connection: duckdb.DuckDBPyConnection, file: Path, outputs: list[dict[str, Any]]
) -> str:
    table = f"{file.parent.parent.name}.{file.parent.name}"
    output = next(entry for entry in outputs if entry["table"] == table)
    read = f"read_parquet('{file.parent}/*.parquet')"
    if content_hash(connection, read) == output["content_hash"]:
        return "; its rows are as published"
    return f"; {_row(connection, read, f'published.{table}', output)}"


def _database_rows(
    connection: duckdb.DuckDBPyConnection, folder: Path, outputs: list[dict[str, Any]]
) -> str:
    told = []
    for output in outputs:
        table = f"published.{output['table']}"
        if content_hash(connection, table) != output["content_hash"]:
            parquet = folder / "parquet" / output["table"].replace(".", "/")
            told.append(_row(connection, table, f"read_parquet('{parquet}/*.parquet')", output))
    return f"; {'; '.join(told)}" if told else "; the rows of its tables are as published"


def _row(
    connection: duckdb.DuckDBPyConnection, changed: str, kept: str, output: dict[str, Any]
) -> str:
    """The table, and the key of the first row that one of the two has alone."""
    keys = ", ".join(f'"{name}"' for name in output["key"]) or "*"
    row = connection.execute(
        f"""
        with differing as (
            (from {changed} except all from {kept})
            union all
            (from {kept} except all from {changed})
        )
        select {keys} from differing order by all limit 1
        """
    ).fetchone()
    if row is None:
        return f"table {output['table']}"
    key = ", ".join(f"{name} = {value}" for name, value in zip(output["key"], row, strict=False))
    return f"table {output['table']}, row {key}"
