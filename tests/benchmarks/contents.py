"""Compares what two publications say, table by table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import duckdb

from orchestration.publish.content_hash import content_hash
from orchestration.publish.publication import DATABASE_FOR_READERS, MANIFEST

# They tell of the runs themselves: which there were, when, of what files, checked by what.
OF_RUNS = {
    "audit.load",
    "audit.quarantine",
    "audit.reconciliation",
    "audit.run",
    "audit.validation",
}
# A belief is stored with the run that came to it; what is believed now is compared.
BELIEFS = "snapshots.customer_tier_snapshot"
BELIEVED = f"""(
    select * exclude (run_id, dbt_scd_id, dbt_updated_at, dbt_valid_from, dbt_valid_to)
    from {BELIEFS}
    where dbt_valid_to is null
)"""


def different_tables(one: Path, other: Path) -> dict[str, list[str]]:
    """The tables that differ between two publications, each with the columns that do."""
    hashes, others = table_hashes(one), table_hashes(other)
    names = [
        name
        for name in sorted(hashes.keys() | others.keys())
        if name not in OF_RUNS and hashes.get(name) != others.get(name)
    ]
    found = {}
    for name in names:
        if name not in hashes or name not in others:
            found[name] = ["only in one of the publications"]
            continue
        relation = BELIEVED if name == BELIEFS else name
        columns, other_columns = (column_hashes(each, relation) for each in (one, other))
        if columns != other_columns:
            found[name] = [
                column
                for column in (columns | other_columns)
                if columns.get(column) != other_columns.get(column)
            ]
        elif name != BELIEFS:
            found[name] = ["rows"]
    return found


def table_hashes(publication: Path) -> Mapping[str, str]:
    """The content hash of every table, as the manifest of a publication states it."""
    manifest = json.loads((publication / MANIFEST).read_text())
    return {output["table"]: output["content_hash"] for output in manifest["outputs"]}


def column_hashes(publication: Path, relation: str) -> dict[str, str]:
    """A content hash of every column by itself, and one of the rows as a whole."""
    database = publication.resolve() / DATABASE_FOR_READERS
    with duckdb.connect(str(database), read_only=True) as connection:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        hashes = {
            str(column): content_hash(connection, f'(select "{column}" from {relation})')
            for column, *_ in described
        }
        return {**hashes, "rows": content_hash(connection, relation)}
