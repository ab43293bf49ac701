"""What became of a row over all deliveries: which load brought it, which superseded it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.lake import Lake, raw_rows
from orchestration.ingest.ledger import ledger_relation, standing_files
from orchestration.ingest.sql import connect, identifier, literal
from orchestration.ingest.waiting import MEMORY, loaded_lake

IN_FORCE = "in force"


@dataclass(frozen=True, slots=True)
class DeliveredRow:
    """One loaded appearance of a row. Times are UTC, versions the operator's.

    `version` is null where the feed has none; `outcome` is `in force`, or says what took
    the row's place.
    """

    load_id: str
    file_name: str
    row_number: int
    delivered_at: datetime
    version: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class _Appearance:
    """`origin_file` is the delivered file, also for a row released from quarantine."""

    load_id: str
    file_name: str
    row_number: int
    delivered_at: datetime
    version: datetime | None
    origin_file: str
    delivery_rank: int | None


def row_history(home: Path, feed_name: str, key: Sequence[str]) -> list[DeliveredRow]:
    """Every loaded appearance of the row with a key: those that count no more first.

    Raises:
        ConfigurationError: no such feed, or the key has not as many parts as the feed's.
    """
    feed = _feed(feed_name, key)
    lake = loaded_lake(home)
    with connect(MEMORY, lake.home / "tmp") as connection:
        found = _appearances(connection, lake, feed, key)
        standing = standing_files(connection, lake)
    in_force = {row.version: row for row in found if row.delivery_rank is not None}
    rows: list[DeliveredRow] = []
    for row in found:
        winner = in_force.get(row.version)
        if row is winner:
            outcome = IN_FORCE
        elif row.delivery_rank is None:
            held = standing[feed.name, row.origin_file].load_id
            outcome = f"counts no more: its file was replaced by load {held}"
        else:
            assert winner is not None
            outcome = f"superseded by load {winner.load_id}, row {winner.row_number}"
        rows.append(
            DeliveredRow(
                row.load_id, row.file_name, row.row_number, row.delivered_at, row.version, outcome
            )
        )
    return rows


def _feed(name: str, key: Sequence[str]) -> Feed:
    feed = feed_contract().get(name)
    if feed is None:
        raise ConfigurationError(f"{name} is no feed. There are: {', '.join(feed_contract())}.")
    if len(key) != len(feed.key):
        raise ConfigurationError(f"A row of {name} is named by {', '.join(feed.key)}.")
    return feed


def _appearances(
    connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed, key: Sequence[str]
) -> list[_Appearance]:
    """In the order in which they count: a later one of the same version supersedes."""
    version = identifier(feed.versioned_by) if feed.versioned_by else "cast(null as timestamp)"
    is_wanted = " and ".join(f"cast({identifier(name)} as varchar) = ?" for name in feed.key)
    delivered = raw_rows([lake.raw(feed.name) / "**" / "*.parquet"])
    rows = connection.execute(
        f"""
        with ledger as (select * from {ledger_relation(lake)} where status = 'loaded'),
        wanted as (
            select _load_id as load_id, _row_number as row_number, {version} as version
            from {delivered}
            where {is_wanted}
        )
        select
            wanted.load_id,
            loads.file_name,
            wanted.row_number,
            loads.delivered_at,
            wanted.version,
            origin.file_name,
            active.delivery_rank
        from wanted
        inner join ledger as loads on wanted.load_id = loads.load_id
        inner join ledger as origin
            on coalesce(loads.origin_load_id, loads.load_id) = origin.load_id
        left join read_parquet({literal(lake.active_loads)}) as active
            on wanted.load_id = active.load_id
        order by
            active.delivery_rank nulls first,
            loads.delivered_at,
            wanted.load_id,
            wanted.row_number
        """,
        list(key),
    ).fetchall()
    return [_Appearance(*row) for row in rows]
