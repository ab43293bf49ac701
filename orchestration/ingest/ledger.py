"""The load ledger: one row per file and run, and which loads count because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import duckdb

from orchestration.ingest.contract import feed_contract
from orchestration.ingest.control_totals import ComparedTotal
from orchestration.ingest.lake import (
    SCHEMA_FILE,
    Lake,
    files_of_loads,
    make_durable,
    write_parquet,
)
from orchestration.ingest.sources import content_stem
from orchestration.ingest.sql import literal

LEDGER_TYPES = {
    "load_id": "varchar",
    "run_id": "varchar",
    "feed": "varchar",
    "file_name": "varchar",
    "file_sha256": "varchar",
    "file_bytes": "bigint",
    "delivered_at": "timestamp",
    "loaded_at": "timestamp",
    "rows_in_file": "bigint",
    "rows_loaded": "bigint",
    "rows_quarantined": "bigint",
    "rows_duplicate": "bigint",
    "status": "varchar",
    "reason": "varchar",
    "months": "varchar",
    "origin_load_id": "varchar",
    "source_sha256": "varchar",
}


# `measure` is `rows` or a column; 38 digits hold any sum of any column exactly.
TOTALS_TYPES = {
    "load_id": "varchar",
    "run_id": "varchar",
    "feed": "varchar",
    "file_name": "varchar",
    "measure": "varchar",
    "declared": "decimal(38, 9)",
    "loaded": "decimal(38, 9)",
    "quarantined": "decimal(38, 9)",
    "duplicate": "decimal(38, 9)",
}


class Status(StrEnum):
    """What became of a file."""

    LOADED = "loaded"
    SKIPPED_IDENTICAL = "skipped_identical"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One file as one run saw it. Times are UTC.

    `months` are those of the rows loaded (`2025-01, 2025-02`), null where the feed has no
    month. `origin_load_id` is the load whose quarantined rows a released file corrects,
    null for a delivery. `source_sha256` is the hash of what sources.toml declares of the
    feed's rows, null where it declares nothing. Hash and size are null for what could not
    be read, the time of delivery for what is not there; the counts of a file not loaded
    are 0. `totals` are what the sender declared, with what was found.
    """

    load_id: str
    run_id: str
    feed: str
    file_name: str
    file_sha256: str | None
    file_bytes: int | None
    delivered_at: datetime | None
    loaded_at: datetime
    status: Status
    rows_in_file: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0
    reason: str | None = None
    months: str | None = None
    origin_load_id: str | None = None
    source_sha256: str | None = None
    totals: tuple[ComparedTotal, ...] = ()


def ledger_target(lake: Lake, run_id: str) -> Path:
    """The run's ledger file; a run taken up again under its id gets one more."""
    target = lake.ledger / f"{run_id}.parquet"
    attempt = 1
    while target.exists():
        attempt += 1
        target = lake.ledger / f"{run_id}.{attempt}.parquet"
    return target


def write_ledger(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    target: Path,
    entries: list[LedgerEntry],
    fresh: Set[tuple[str, str]],
) -> None:
    """Writes a run's entries: the step that makes its loads part of the lake.

    `fresh` holds the (feed, stem) of the loads whose rows the run wrote. The declared totals
    go first: without the ledger's own file they say nothing and are swept.
    """
    if fresh:
        make_durable(files_of_loads(lake, fresh))
    totals = [
        {**_named(entry, ("load_id", "run_id", "feed", "file_name")), **_as_text(total)}
        for entry in entries
        for total in entry.totals
    ]
    _write_rows(connection, lake.control_totals / target.name, TOTALS_TYPES, totals)
    rows = [{**_named(entry, LEDGER_TYPES), "status": entry.status.value} for entry in entries]
    _write_rows(connection, target, LEDGER_TYPES, rows)


def _as_text(total: ComparedTotal) -> dict[str, object]:
    """As text, which the engine casts exactly whatever the decimals of the others."""
    parts = asdict(total).items()
    return {name: f"{part:f}" if isinstance(part, Decimal) else part for name, part in parts}


def _named(entry: LedgerEntry, names: Iterable[str]) -> dict[str, object]:
    return {name: getattr(entry, name) for name in names}


def _write_rows(
    connection: duckdb.DuckDBPyConnection,
    target: Path,
    types: Mapping[str, str],
    rows: list[dict[str, object]],
) -> None:
    """One file with these rows, on disk when this returns; none without rows."""
    if not rows:
        return
    columns = ", ".join(f"cast(entry.{name} as {type_}) as {name}" for name, type_ in types.items())
    select = f"select {columns} from (select unnest($entries) as entry)"
    write_parquet(connection, select, target, {"entries": rows})
    make_durable([target])


def write_ledger_schema(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Write the empty files that make a glob over the ledger match from the start."""
    for folder, types in ((lake.ledger, LEDGER_TYPES), (lake.control_totals, TOTALS_TYPES)):
        columns = ", ".join(f"cast(null as {type_}) as {name}" for name, type_ in types.items())
        write_parquet(connection, f"select {columns} where false", folder / SCHEMA_FILE)


def loads_by_content(
    connection: duckdb.DuckDBPyConnection, lake: Lake
) -> dict[tuple[str, str], LoadedBefore]:
    """The deliveries loaded already, by feed and stem (see Sources.stem)."""
    rows = connection.execute(
        "select feed, file_sha256, source_sha256, load_id, file_name, run_id "
        f"from {ledger_relation(lake)} where status = 'loaded' and origin_load_id is null"
    ).fetchall()
    return {
        (row[0], content_stem(row[1], row[2]) if row[2] else row[1]): LoadedBefore(*row[3:])
        for row in rows
    }


def released_loads(connection: duckdb.DuckDBPyConnection, lake: Lake) -> dict[tuple[str, str], str]:
    """The loads of released files, by feed and load_id: the SHA-256 of the file."""
    rows = connection.execute(
        f"select feed, load_id, file_sha256 from {ledger_relation(lake)} "
        "where origin_load_id is not null"
    ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


@dataclass(frozen=True, slots=True)
class LoadedBefore:
    """The load that brought a content in first."""

    load_id: str
    file_name: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What was accepted last under a file name. Times are naive UTC."""

    load_id: str
    delivered_at: datetime


def standing_files(
    connection: duckdb.DuckDBPyConnection, lake: Lake
) -> dict[tuple[str, str], Standing]:
    """The content that every (feed, file name) holds since it was accepted last."""
    rows = connection.execute(
        f"""
        with ledger as (select * from {ledger_relation(lake)}),
        accepted as (
            select *, row_number() over (
                partition by feed, file_name order by loaded_at desc, load_id desc
            ) as recency
            from ledger
            where status in ('loaded', 'skipped_identical') and origin_load_id is null
        )
        select accepted.feed, accepted.file_name, loads.load_id, accepted.delivered_at
        from accepted
        inner join ledger as loads
            on accepted.feed = loads.feed
            and accepted.file_sha256 = loads.file_sha256
            and accepted.source_sha256 is not distinct from loads.source_sha256
            and loads.status = 'loaded'
            and loads.origin_load_id is null
        where accepted.recency = 1
        """
    ).fetchall()
    return {(row[0], row[1]): Standing(row[2], row[3]) for row in rows}


def write_active_loads(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Which loads count, and in what order they were delivered.

    A file name holds the content delivered under it last; an event feed counts the
    contents that some name holds, a versioned feed every content ever held. A content
    stands in the order of delivery where it was first delivered under a name that
    holds it, so that a copy delivered again changes nothing, and that the order is the
    one a build from the same landing folder would find. Released rows count as long as
    the load they correct, and stand right behind it: whatever was delivered later than
    the faulty row still supersedes its correction. Of a content read under several
    declarations (sources.toml) the load under the last one counts.
    """
    versioned = ", ".join(
        literal(feed.name) for feed in feed_contract().values() if feed.versioned_by
    )
    write_parquet(
        connection,
        f"""
        with ledger as (select * from {ledger_relation(lake)}),
        deliveries as (
            select
                *,
                coalesce(
                    file_sha256 <> lag(file_sha256) over name_in_time, true
                ) as is_change
            from ledger
            where status in ('loaded', 'skipped_identical') and origin_load_id is null
            window name_in_time as (
                partition by feed, file_name order by loaded_at, load_id
            )
        ),
        changes as (
            select
                feed,
                file_name,
                file_sha256,
                delivered_at,
                row_number() over (
                    partition by feed, file_name order by loaded_at desc, load_id desc
                ) = 1 as is_held
            from deliveries
            where is_change
        ),
        contents as (
            select
                *,
                row_number() over (
                    partition by feed, file_sha256
                    order by is_held desc, delivered_at, file_name
                ) as place
            from changes
            where is_held or feed in ({versioned})
        ),
        readings as (
            select
                feed,
                file_sha256,
                source_sha256,
                row_number() over (
                    partition by feed, file_sha256 order by loaded_at desc, load_id desc
                ) as recency
            from deliveries
        ),
        delivered as (
            select
                loads.load_id,
                loads.feed,
                contents.delivered_at,
                contents.file_name,
                loads.load_id as origin_load_id,
                cast(null as timestamp) as released_at
            from contents
            inner join readings
                on contents.feed = readings.feed
                and contents.file_sha256 = readings.file_sha256
                and readings.recency = 1
            inner join ledger as loads
                on contents.feed = loads.feed
                and contents.file_sha256 = loads.file_sha256
                and readings.source_sha256 is not distinct from loads.source_sha256
                and loads.status = 'loaded'
                and loads.origin_load_id is null
            where contents.place = 1
        ),
        released as (
            select
                loads.load_id,
                loads.feed,
                delivered.delivered_at,
                delivered.file_name,
                loads.origin_load_id,
                loads.loaded_at as released_at
            from ledger as loads
            inner join delivered on loads.origin_load_id = delivered.load_id
        )
        select
            load_id,
            feed,
            row_number() over (
                order by
                    delivered_at,
                    file_name,
                    feed,
                    origin_load_id,
                    released_at nulls first,
                    load_id
            ) as delivery_rank
        from (select * from delivered union all select * from released)
        order by delivery_rank
        """,
        lake.active_loads,
    )


def active_loads(connection: duckdb.DuckDBPyConnection, lake: Lake) -> frozenset[str]:
    """The loads that count; none before the first run."""
    if not lake.active_loads.exists():
        return frozenset()
    rows = connection.execute(
        f"select load_id from read_parquet({literal(lake.active_loads)})"
    ).fetchall()
    return frozenset(row[0] for row in rows)


def months_of_loads(
    connection: duckdb.DuckDBPyConnection, lake: Lake, loads: Set[str]
) -> dict[str, tuple[str, ...]]:
    """The months (YYYY-MM) of the rows that some loads brought, by feed."""
    rows = connection.execute(
        f"""
        select distinct feed, unnest(string_split(months, ', ')) as month
        from {ledger_relation(lake)}
        where list_contains($loads, load_id) and months is not null
        order by all
        """,
        {"loads": sorted(loads)},
    ).fetchall()
    months: dict[str, tuple[str, ...]] = {}
    for feed, month in rows:
        months[feed] = (*months.get(feed, ()), month)
    return months


def ledger_relation(lake: Lake) -> str:
    """The ledger as something to select from."""
    return f"read_parquet({literal(lake.ledger / '*.parquet')}, union_by_name = true)"
