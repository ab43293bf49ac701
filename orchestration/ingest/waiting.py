"""The quarantined rows that wait for a correction: listed, and written to be corrected."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.lake import Lake
from orchestration.ingest.ledger import ledger_relation
from orchestration.ingest.sql import connect, literal

# The columns of a file to correct that tell where a row comes from; the feed's follow.
LOAD_ID = "_load_id"
ROW_NUMBER = "_row_number"
ORIGIN_COLUMNS = (LOAD_ID, ROW_NUMBER, "_file_name", "_reasons", "_line")
FETCHED = 10_000  # rows
MEMORY = "2GB"


@dataclass(frozen=True, slots=True)
class WaitingRows:
    """Rows of one file that wait for one reason, values in the reason left out."""

    feed: str
    load_id: str
    file_name: str
    reason: str
    rows: int


def waiting_rows(home: Path, feed: str | None, load_id: str | None) -> list[WaitingRows]:
    """How many rows wait, by feed, file and reason; a row with two reasons counts twice."""
    lake = loaded_lake(home)
    # A reason begins with the value: without it, equal faults fall together.
    without_values = "regexp_replace(reasons, $quoted, $instead, 'gs')"
    with connect(MEMORY, lake.home / "tmp") as connection:
        rows = connection.execute(
            f"""
            with waiting as ({waiting_rows_sql(lake)}),
            reasons as (
                select
                    feed,
                    load_id,
                    file_name,
                    unnest(string_split({without_values}, '; ')) as reason
                from waiting
                where {_filter(feed, load_id)}
            )
            select
                feed,
                load_id,
                file_name,
                regexp_replace(reason, '^line [0-9]+:', 'line:') as reason_alone,
                count(*) as times
            from reasons
            group by all
            order by feed, file_name, load_id, times desc, reason_alone
            """,
            {"quoted": "'.*?' ", "instead": "'…' "},
        ).fetchall()
    return [WaitingRows(*row) for row in rows]


def export_waiting_rows(home: Path, feed: str | None, load_id: str | None, target: Path) -> int:
    """Writes the waiting rows of one feed as a CSV to correct; the number of rows.

    The file holds personal values in clear, so that only its owner may read it.

    Raises:
        ConfigurationError: nothing waits, rows of several feeds do, or `target` exists.
    """
    lake = loaded_lake(home)
    waiting = f"from ({waiting_rows_sql(lake)}) where {_filter(feed, load_id)}"
    with connect(MEMORY, lake.home / "tmp") as connection:
        feeds = [row[0] for row in connection.execute(f"select distinct feed {waiting}").fetchall()]
        if not feeds:
            raise ConfigurationError("No such row waits; see `tierwise quarantine list`.")
        if len(feeds) > 1:
            raise ConfigurationError(
                f"Rows of several feeds wait ({', '.join(sorted(feeds))}); a file holds one. "
                "Choose it with --feed."
            )
        found = connection.execute(
            f"select load_id, row_number, file_name, reasons, line, original {waiting}"
        )
        return _write(target, feed_contract()[feeds[0]], _fetched(found))


def waiting_rows_sql(lake: Lake) -> str:
    """Select of the rows that wait, in order of delivery.

    A row waits while its load counts and no released row has taken its place. What was
    released in vain stands for the row it was to correct, with its reasons and values.
    """
    return f"""
        with ledger as (
            select * from {ledger_relation(lake)} where status = 'loaded'
        ),
        links as (
            select links.*, ledger.loaded_at
            from {_all(lake.releases)} as links
            inner join ledger on links.load_id = ledger.load_id
        ),
        attempts as (
            select
                *,
                row_number() over (
                    partition by origin_load_id, origin_row_number
                    order by loaded_at desc, load_id desc
                ) as recency
            from links
            where outcome = 'quarantined'
        ),
        faulty as (
            select
                masked.load_id,
                masked.row_number,
                masked.reasons,
                originals.original,
                originals.line
            from {_all(lake.quarantine)} as masked
            inner join {_all(lake.originals)} as originals using (load_id, row_number)
        )
        select
            ledger.feed,
            faulty.load_id,
            faulty.row_number,
            ledger.file_name,
            coalesce(latest.reasons, faulty.reasons) as reasons,
            coalesce(latest.original, faulty.original) as original,
            faulty.line
        from faulty
        inner join ledger
            on faulty.load_id = ledger.load_id and ledger.origin_load_id is null
        inner join read_parquet({literal(lake.active_loads)}) as active
            on faulty.load_id = active.load_id
        left join attempts
            on faulty.load_id = attempts.origin_load_id
            and faulty.row_number = attempts.origin_row_number
            and attempts.recency = 1
        left join faulty as latest
            on attempts.load_id = latest.load_id and attempts.row_number = latest.row_number
        where not exists (
            select 1 from links
            where links.origin_load_id = faulty.load_id
                and links.origin_row_number = faulty.row_number
                and links.outcome <> 'quarantined'
        )
        order by active.delivery_rank, faulty.row_number
    """


def loaded_lake(home: Path) -> Lake:
    """The lake of a home. Raises ConfigurationError if nothing was ever loaded."""
    lake = Lake(home.absolute())
    if not lake.active_loads.exists() or not lake.releases.exists():
        raise ConfigurationError(f"Nothing is loaded in {home}; start with `tierwise run`.")
    return lake


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[Sequence[str]]:
    while rows := found.fetchmany(FETCHED):
        yield from rows


def _write(target: Path, feed: Feed, rows: Iterator[Sequence[str]]) -> int:
    names = [column.name for column in feed.columns]
    count = 0
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{target} is there already and may hold corrections. Give --out a new name."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written ({error.strerror}).") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*ORIGIN_COLUMNS, *names])
        for *origin, original in rows:
            values = json.loads(original) if original else {}
            writer.writerow([*origin, *(values.get(name) for name in names)])
            count += 1
    return count


def _all(folder: Path) -> str:
    return f"read_parquet({literal(folder / '**' / '*.parquet')}, union_by_name = true)"


def _filter(feed: str | None, load_id: str | None) -> str:
    if feed is not None and feed not in feed_contract():
        raise ConfigurationError(
            f"--feed {feed}: no such feed. There are: {', '.join(feed_contract())}."
        )
    wanted = {"feed": feed, "load_id": load_id}
    return " and ".join(
        ["true", *(f"{name} = {literal(value)}" for name, value in wanted.items() if value)]
    )
