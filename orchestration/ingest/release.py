"""Releasing corrected rows: from quarantine into the lake, linked to the rows they correct.

A released file goes through the checks of any file, once for each load it corrects. Its
rows stand in the order of delivery right behind that load: a release puts right what was
delivered then, and never what was delivered since.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.ingest.cache import local_landing
from orchestration.ingest.contract import Feed
from orchestration.ingest.judged_rows import (
    FileCounts,
    count_rows,
    months_of_rows,
    write_faulty_rows,
    write_rows,
)
from orchestration.ingest.lake import (
    Lake,
    make_durable,
    make_folder,
    raw_rows,
    sweep,
    write_parquet,
)
from orchestration.ingest.ledger import (
    LedgerEntry,
    Status,
    ledger_relation,
    ledger_target,
    loads_by_content,
    released_loads,
    write_active_loads,
    write_ledger,
)
from orchestration.ingest.months import shown
from orchestration.ingest.readers import TEXT, Delivery, Source
from orchestration.ingest.release_file import Part, ReleasedFile, read_released_file
from orchestration.ingest.sources import Sources, read_sources
from orchestration.ingest.sql import connect, identifier, literal
from orchestration.ingest.staging import fill
from orchestration.ingest.superseded import write_superseded_rows
from orchestration.ingest.waiting import loaded_lake
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class Release:
    """What became of a released file: its rows, and whether it was released before."""

    feed: str
    counts: FileCounts
    is_known: bool


def release(settings: Settings, path: Path) -> Release:
    """Load the corrected rows of a file that `quarantine export` wrote.

    The caller holds the home's lock. What still is at fault stays quarantined. A file
    released before changes nothing.

    Raises:
        ConfigurationError: the file cannot be used as it is; nothing was loaded.
    """
    lake = loaded_lake(settings.home)
    sources = read_sources(local_landing(settings), settings.sources)
    make_folder(lake.scratch)
    connection = connect(settings.engine_limit, lake.scratch / "spill")
    try:
        file = read_released_file(connection, lake, path, sources)
        released = released_loads(connection, lake)
        known = loads_by_content(connection, lake).keys() | released.keys()
        sweep(lake, known, set(released.values()))
        make_folder(lake.scratch)
        entries = [
            _load_part(connection, lake, file, part, settings.timezone, sources)
            for part in file.parts
            if (file.feed.name, part.load_id) not in released
        ]
        if entries:
            _keep(lake, file)
            fresh = {(file.feed.name, entry.load_id) for entry in entries}
            target = ledger_target(lake, entries[0].run_id)
            write_ledger(connection, lake, target, entries, fresh)
        # Also for a file known before: a release killed after its ledger is made whole.
        write_active_loads(connection, lake)
        write_superseded_rows(connection, lake)
    finally:
        connection.close()
        shutil.rmtree(lake.scratch, ignore_errors=True)
    counts = FileCounts(
        in_file=sum(entry.rows_in_file for entry in entries),
        loaded=sum(entry.rows_loaded for entry in entries),
        quarantined=sum(entry.rows_quarantined for entry in entries),
        duplicate=sum(entry.rows_duplicate for entry in entries),
    )
    return Release(file.feed.name, counts, is_known=not entries)


def _load_part(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    file: ReleasedFile,
    part: Part,
    timezone: str,
    sources: Sources,
) -> LedgerEntry:
    """Judge and write the rows that correct one load: values as the operator writes them."""
    feed = file.feed
    declared = sources.of(feed.name).of_values()
    _fill_part(connection, feed, part)
    columns = {column.name: Source(f"c{at}", TEXT) for at, column in enumerate(feed.columns)}
    delivery = Delivery("part", columns, {}, len(part.rows), line="line")
    if not fill(connection, lake, feed, delivery, timezone, declared, keep_originals=True):
        raise AssertionError(f"{file.path}: rows lost in judging them")
    _judge_against_origin(connection, lake, feed, part)
    counts = count_rows(connection, str(file.path), len(part.rows), 0)
    months = months_of_rows(connection, feed)
    if counts.loaded:
        write_rows(connection, lake, feed, part.load_id, part.load_id, months)
    if counts.quarantined:
        write_faulty_rows(connection, lake, feed, part.load_id, part.load_id, ())
    _write_links(connection, lake, feed, part)
    now = datetime.now(UTC)
    return LedgerEntry(
        load_id=part.load_id,
        run_id=f"{now:%Y%m%dT%H%M%SZ}-release",
        feed=feed.name,
        file_name=file.path.name,
        file_sha256=file.sha256,
        file_bytes=len(file.content),
        delivered_at=now.replace(tzinfo=None),
        loaded_at=now.replace(tzinfo=None),
        status=Status.LOADED,
        rows_in_file=counts.in_file,
        rows_loaded=counts.loaded,
        rows_quarantined=counts.quarantined,
        rows_duplicate=counts.duplicate,
        reason=f"corrects rows of {part.origin_file}, load {part.origin_load_id}",
        months=", ".join(map(shown, months)) or None,
        origin_load_id=part.origin_load_id,
        source_sha256=sources.sha256(feed.name),
    )


def _fill_part(connection: duckdb.DuckDBPyConnection, feed: Feed, part: Part) -> None:
    width = range(len(feed.columns))
    columns = ", ".join(f"c{at} varchar" for at in width)
    rows = [
        {
            "line": row.row_number,
            "origin": row.origin_row_number,
            **{f"c{at}": row.values[at] for at in width},
        }
        for row in part.rows
    ]
    connection.execute(
        "create or replace temp table part as select row.* from (select unnest("
        f"cast($rows as struct(line bigint, origin bigint, {columns})[])) as row)",
        {"rows": rows},
    )


def _judge_against_origin(
    connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed, part: Part
) -> None:
    """A delivery and all that was released from it are one file: no key twice, no row twice.

    A row equal to one of its loaded rows is a duplicate, one that differs under the same
    key is at fault, and so is a second correction of a row that was released.
    """
    keys = [identifier(name) for name in feed.version_key]
    same_key = " and ".join(f"judged.{key} = family.{key}" for key in keys)
    shown_key = " || ', ' || ".join(f"cast(judged.{key} as varchar)" for key in keys)
    names = [identifier(column.name) for column in feed.columns]
    own, theirs = (
        f"row({', '.join(f'{table}.{name}' for name in names)})" for table in ("judged", "family")
    )
    is_repeat = f"(family.is_member is not null and {own} is not distinct from {theirs})"
    words = {
        "key": f"{', '.join(feed.version_key)}: '",
        "differs": f"' stands on another row of {part.origin_file} that differs",
        "before": f" of {part.origin_file} was released before, with other values",
        "origin": part.origin_load_id,
    }
    connection.execute(
        f"""
        insert into verdicts
        with members as (
            select $origin as load_id
            union all
            select load_id from {ledger_relation(lake)} where origin_load_id = $origin
        ),
        family as (
            select loaded.*, true as is_member
            from {raw_rows([lake.raw(feed.name) / "**" / "*.parquet"])} as loaded
            semi join members on loaded._load_id = members.load_id
        ),
        settled as (
            select distinct origin_row_number
            from read_parquet({literal(lake.releases / "**" / "*.parquet")})
            where origin_load_id = $origin and outcome <> 'quarantined'
        )
        select
            judged._row_number,
            case
                when {is_repeat} then null
                when family.is_member then $key || {shown_key} || $differs
                else 'row ' || part.origin || $before
            end,
            {is_repeat}
        from judged
        inner join part on judged._row_number = part.line
        left join family on {same_key}
        left join settled on part.origin = settled.origin_row_number
        where judged._reasons is null and not judged._is_duplicate
            and (family.is_member or settled.origin_row_number is not null)
        """,
        words,
    )


def _write_links(connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed, part: Part) -> None:
    """One row per row released, with the row it corrects and what became of it."""
    write_parquet(
        connection,
        f"""
        select
            {literal(part.load_id)} as load_id,
            part.line as row_number,
            {literal(part.origin_load_id)} as origin_load_id,
            part.origin as origin_row_number,
            case
                when judged._reasons is not null then 'quarantined'
                when judged._is_duplicate then 'duplicate'
                else 'loaded'
            end as outcome
        from part inner join judged on part.line = judged._row_number
        order by part.line
        """,
        lake.links_file(feed.name, part.load_id),
    )


def _keep(lake: Lake, file: ReleasedFile) -> None:
    """Keep the released file: unlike a delivery, it lies in no landing folder."""
    make_folder(lake.released_files)
    target = lake.released_files / f"{file.sha256}.csv"
    unfinished = target.with_name(f"{target.name}.tmp-{os.getpid()}")
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(file.content)
    unfinished.replace(target)
    make_durable([target])
