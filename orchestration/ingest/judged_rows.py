"""The temporary table `judged`: every row of one file, typed, each sound, faulty or repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.lake import Lake, write_parquet
from orchestration.ingest.mending import BrokenLine
from orchestration.ingest.quarantine import as_parameter, faulty_rows, original_rows
from orchestration.ingest.rules import row_json
from orchestration.ingest.sql import identifier, literal

ROW_NUMBER = "coalesce(_line, rowid + 1)"
SHOWN_REASONS = 3


@dataclass(frozen=True, slots=True)
class FileCounts:
    """Rows of one file; in_file = loaded + quarantined + duplicate."""

    in_file: int
    loaded: int
    quarantined: int
    duplicate: int


def judge_repeated_keys(connection: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """Of equal rows the first counts; rows that differ under one key are all at fault."""
    key = ", ".join(identifier(name) for name in feed.version_key)
    whole_key = " and ".join(f"{identifier(name)} is not null" for name in feed.version_key)
    # Hashes, which are small, tell whether any key could stand twice: seldom one does.
    if not one_value(
        connection,
        f"select count(*) - count(distinct hash({key})) from judged where {whole_key}",
    ):
        return
    connection.execute(
        f"create or replace temp table repeated as select {key}, count(*) as appearances "
        f"from judged where {whole_key} group by all having count(*) > 1"
    )
    if not one_value(connection, "select count(*) from repeated"):
        return
    columns = ", ".join(identifier(column.name) for column in feed.columns)
    named_key = ", ".join(feed.version_key)
    shown_key = " || ', ' || ".join(
        f"cast({identifier(name)} as varchar)" for name in feed.version_key
    )
    connection.execute(
        f"""
        create or replace temp table verdicts as
        with suspects as (
            select
                judged.rowid as row_id,
                {key},
                row({columns}, _reasons) as content,
                _reasons
            from judged semi join repeated using ({key})
        ),
        groups as (
            select {key}, count(distinct content) as variants, count(*) as appearances
            from suspects group by {key}
        )
        select
            suspects.row_id,
            groups.variants > 1 as is_conflict,
            {literal(named_key + ": '")} || {shown_key} || ''' stands on '
                || groups.appearances || ' rows of the file that differ' as reason,
            groups.variants = 1 and suspects._reasons is null
                and row_number() over (partition by {key} order by suspects.row_id) > 1
                as is_repeat
        from suspects inner join groups using ({key})
        """
    )
    connection.execute(
        f"""
        update judged set
            _reasons = case when verdicts.is_conflict
                then concat_ws('; ', judged._reasons, verdicts.reason)
                else judged._reasons end,
            _row_json = case when verdicts.is_conflict
                then coalesce(judged._row_json, {row_json(feed)})
                else judged._row_json end,
            _original = case when verdicts.is_conflict
                then coalesce(judged._original, {row_json(feed, masked=False)})
                else judged._original end,
            _is_duplicate = verdicts.is_repeat
        from verdicts
        where judged.rowid = verdicts.row_id
            and (verdicts.is_conflict or verdicts.is_repeat)
        """
    )


def count_rows(
    connection: duckdb.DuckDBPyConnection, name: str, rows: int | None, broken: int
) -> FileCounts:
    """The counts of the judged rows and of `broken` lines; `rows` if counted before."""
    row = connection.execute(
        "select count(*), "
        "count(*) filter (where _reasons is null and not _is_duplicate), "
        "count(*) filter (where _reasons is not null), "
        "count(*) filter (where _is_duplicate) from judged"
    ).fetchone()
    assert row is not None
    in_file = row[0] + broken if rows is None else rows
    counts = FileCounts(in_file, row[1], row[2] + broken, row[3])
    if counts.loaded + counts.quarantined + counts.duplicate != counts.in_file:
        raise AssertionError(f"{name}: rows lost in loading: {counts}")
    return counts


def write_rows(
    connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed, stem: str, load_id: str
) -> tuple[date, ...]:
    """Writes the sound rows to one Parquet file, or one per month; the months written."""
    columns = ", ".join(identifier(column.name) for column in feed.columns)
    sound = (
        f"select {columns}, {literal(load_id)} as _load_id, {ROW_NUMBER} as _row_number "
        "from judged where _reasons is null and not _is_duplicate"
    )
    if feed.month is None:
        write_parquet(connection, sound, lake.raw_file(feed, stem, None))
        return ()
    month = identifier(feed.month)
    months = connection.execute(
        f"select distinct {month} from judged "
        f"where _reasons is null and not _is_duplicate order by {month}"
    ).fetchall()
    for (first_day,) in months:
        target = lake.raw_file(feed, stem, f"{first_day:%Y-%m}")
        write_parquet(connection, f"{sound} and {month} = date '{first_day}'", target)
    return tuple(first_day for (first_day,) in months)


def write_faulty_rows(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    feed: Feed,
    stem: str,
    load_id: str,
    broken: Sequence[BrokenLine],
) -> tuple[str, ...]:
    """Writes the quarantined rows, masked and as delivered; their commonest reasons."""
    lines = {"broken": as_parameter(broken)}
    target = lake.quarantine_file(feed.name, stem)
    write_parquet(connection, faulty_rows(feed.name, load_id, ROW_NUMBER), target, lines)
    originals = lake.originals_file(feed.name, stem)
    write_parquet(connection, original_rows(load_id, ROW_NUMBER), originals, lines)
    return _commonest_reasons(connection, target)


def write_unknown(
    connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed, stem: str, load_id: str
) -> None:
    """Writes the values of columns the contract does not know, of every row that has any."""
    write_parquet(
        connection,
        f"select {literal(load_id)} as load_id, {ROW_NUMBER} as row_number, "
        f"{literal(feed.name)} as feed, _unknown as values_json "
        "from judged where _unknown is not null order by row_number",
        lake.unknown_file(feed.name, stem),
    )


def _commonest_reasons(connection: duckdb.DuckDBPyConnection, target: Path) -> tuple[str, ...]:
    rows = connection.execute(
        "select reasons, count(*) as times, min(row_number) from "
        f"read_parquet({literal(target)}) group by reasons "
        f"order by times desc, reasons limit {SHOWN_REASONS}"
    ).fetchall()
    return tuple(
        f"row {first}: {reasons}" + (f" (and {times - 1} more)" if times > 1 else "")
        for reasons, times, first in rows
    )


def one_value(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    """The value of a select of one."""
    row = connection.execute(select).fetchone()
    assert row is not None
    value: int = row[0]
    return value
