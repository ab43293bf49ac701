"""A hash of what a table says, whatever the order of its rows."""

from __future__ import annotations

import duckdb


def content_hash(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Hash of all rows of a relation, the same for every order of them.

    Each row is written as text with its column names, null apart from empty, and hashed
    with MD5; the two halves of the hashes are summed, so that a row more or less, or any
    value changed, shows. Against forgery stand the SHA-256 of the files in the manifest.
    """
    columns = [
        str(row[0])
        for row in connection.execute(
            f"select column_name from (describe select * from {relation})"
        ).fetchall()
    ]
    parts = ", ".join(
        f"'{column}=', coalesce('+' || cast(\"{column}\" as varchar), '-')" for column in columns
    )
    row = connection.execute(
        f"""
        with hashes as (select md5(concat_ws(chr(31), {parts})) as digest from {relation})
        select
            count(*),
            sum(cast('0x' || substr(digest, 1, 16) as ubigint)),
            sum(cast('0x' || substr(digest, 17, 16) as ubigint))
        from hashes
        """
    ).fetchone()
    assert row is not None
    rows, upper, lower = row
    return f"{rows}-{int(upper or 0):x}-{int(lower or 0):x}"
