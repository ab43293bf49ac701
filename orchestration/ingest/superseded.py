"""Which rows that count by their load are superseded by a later delivery of the same key."""

from __future__ import annotations

import duckdb

from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.lake import Lake, raw_rows, write_parquet
from orchestration.ingest.sql import identifier, literal

NONE_SUPERSEDED = (
    "select cast(null as varchar) as load_id, cast(null as bigint) as row_number where false"
)


def write_superseded_rows(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Write the place of every superseded row: `load_id` and `row_number`.

    Of rows with one key (of a versioned feed: one version of a key) the one delivered last
    counts. A file holds a key once, so only files whose keys overlap are looked into: of
    files that each bring the bills of their own month, none.
    """
    parts = [
        _superseded_rows(lake, feed, loads)
        for feed in feed_contract().values()
        if (loads := _overlapping_loads(connection, lake, feed))
    ]
    select = " union all ".join(parts) or NONE_SUPERSEDED
    write_parquet(
        connection, f"select * from ({select}) order by load_id, row_number", lake.superseded_rows
    )


def _rows(lake: Lake, feed: Feed) -> str:
    return raw_rows([lake.raw(feed.name) / "**" / "*.parquet"])


def _active_loads(lake: Lake, feed: Feed) -> str:
    return (
        f"(select * from read_parquet({literal(lake.active_loads)}) "
        f"where feed = {literal(feed.name)})"
    )


def _overlapping_loads(connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed) -> list[str]:
    """The loads that may share a key with another: they overlap in each of its columns."""
    keys = [identifier(name) for name in feed.version_key]
    bounds = ", ".join(
        f"min({key}) as first_{n}, max({key}) as last_{n}" for n, key in enumerate(keys)
    )
    overlaps = " and ".join(
        f"one.first_{n} <= other.last_{n} and other.first_{n} <= one.last_{n}"
        for n in range(len(keys))
    )
    rows = connection.execute(
        f"""
        with spans as (
            select _load_id, {bounds}
            from {_rows(lake, feed)}
            where _load_id in (select load_id from {_active_loads(lake, feed)})
            group by _load_id
        )
        select distinct one._load_id
        from spans as one
        inner join spans as other on one._load_id <> other._load_id and {overlaps}
        order by all
        """
    ).fetchall()
    return [load for (load,) in rows]


def _superseded_rows(lake: Lake, feed: Feed, loads: list[str]) -> str:
    keys = ", ".join(identifier(name) for name in feed.version_key)
    listed = ", ".join(map(literal, loads))
    rows = f"(select * from {_rows(lake, feed)} where _load_id in ({listed}))"
    return f"""
        select load_id, row_number from (
            select
                delivered._load_id as load_id,
                delivered._row_number as row_number,
                row_number() over (
                    partition by {keys}
                    order by active.delivery_rank desc, delivered._row_number desc
                ) as recency
            from {rows} as delivered
            inner join {_active_loads(lake, feed)} as active on delivered._load_id = active.load_id
            where ({keys}) in (
                select ({keys}) from {rows} group by {keys} having count(*) > 1
            )
        ) where recency > 1
    """
