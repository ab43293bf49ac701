"""A hash of what a table says, whatever the order of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from orchestration.ingest.sql import identifier, literal

_SEPARATOR = "\x1f"
_HALF = "sum(cast('0x' || substr(digest, {start}, 16) as ubigint))"


def content_hash(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Hash of all rows of a relation, the same for every order of them.

    Each row is written as text with its column names, null apart from empty, and hashed
    with MD5; the two halves of the hashes are summed, so that a row more or less, or any
    value changed, shows. Against forgery stand the SHA-256 of the files in the manifest.
    """
    ((rows, upper, lower),) = _sums(connection, relation, ())
    return _told(rows, upper, lower)


def content_hash_by_month(
    connection: duckdb.DuckDBPyConnection, relation: str, month: str
) -> dict[str, str]:
    """The content hash of the rows of each month of a relation, by YYYY-MM, oldest first.

    Args:
        connection: where the relation is found.
        relation: a table, or a query in brackets.
        month: its column of months.
    """
    found: dict[str, str] = {}
    for day, *sums in sorted(_sums(connection, relation, (month,))):
        name = f"{day:%Y-%m}"
        parts = [found[name]] if name in found else []
        found[name] = sum_of_hashes([*parts, _told(*sums)])
    return found


def sum_of_hashes(parts: Iterable[str]) -> str:
    """The content hash of a table from those of its parts."""
    totals = [0, 0, 0]
    for part in parts:
        rows, upper, lower = part.split("-")
        totals = [totals[0] + int(rows), totals[1] + int(upper, 16), totals[2] + int(lower, 16)]
    return _told(*totals)


def _told(rows: int, upper: int | None, lower: int | None) -> str:
    return f"{rows}-{int(upper or 0):x}-{int(lower or 0):x}"


def _sums(
    connection: duckdb.DuckDBPyConnection, relation: str, by: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Rows and the sums of both halves of their hashes, by some columns."""
    keys = "".join(f"{identifier(column)}, " for column in by)
    grouped = f"group by {', '.join(map(identifier, by))}" if by else ""
    return connection.execute(
        f"""
        with hashes as (
            select {keys}md5({_row_as_text(connection, relation)}) as digest from {relation}
        )
        select {keys}count(*), {_HALF.format(start=1)}, {_HALF.format(start=17)}
        from hashes {grouped}
        """
    ).fetchall()


def _row_as_text(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """SQL for a row as text: `name=`, then `+value` or `-` for null, with separators between.

    What stands between two values is one constant, and a truth value is one with its name:
    half the time goes into the text, and most columns hold no null.
    """
    columns = connection.execute(
        f"select column_name, column_type from (describe select * from {relation})"
    ).fetchall()
    counts = ", ".join(f"count({identifier(column)}) = count(*)" for column, _ in columns)
    is_full = connection.execute(f"select {counts} from {relation}").fetchone()
    assert is_full is not None
    parts: list[str] = []
    between = ""
    for (column, column_type), full in zip(columns, is_full, strict=True):
        name = f"{between}{column}={_SEPARATOR}"
        value = identifier(column)
        if column_type == "BOOLEAN":
            true, false, absent = (literal(name + told) for told in ("+true", "+false", "-"))
            parts.append(
                f"case when {value} then {true} when not {value} then {false} else {absent} end"
            )
        elif full:
            parts += [literal(f"{name}+"), f"cast({value} as varchar)"]
        else:
            parts += [literal(name), f"coalesce('+' || cast({value} as varchar), '-')"]
        between = _SEPARATOR
    return f"concat({', '.join(parts)})"
