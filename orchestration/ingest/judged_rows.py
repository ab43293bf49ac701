"""The view `judged`: every row of one file, typed, each sound, faulty or repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

SHOWN_REASONS = 3
TEXTS = ("_reasons", "_row_json", "_original", "_unknown")
KEYS_AT_ONCE = 8_000_000  # some 300 MB


@dataclass(frozen=True, slots=True)
class FileCounts:
    """Rows of one file; in_file = loaded + quarantined + duplicate."""

    in_file: int
    loaded: int
    quarantined: int
    duplicate: int


def show_sound(connection: duckdb.DuckDBPyConnection, feed: Feed, staged: Path) -> None:
    """Creates the view `judged` of a Parquet file of sound rows (see rules.sound)."""
    columns = ", ".join(identifier(column.name) for column in feed.columns)
    nothing = ", ".join(f"cast(null as varchar) as {name}" for name in TEXTS)
    connection.execute(
        f"create or replace temp view judged as select {columns}, "
        f"coalesce(_row_number, file_row_number + 1) as _row_number, {nothing}, "
        f"false as _is_duplicate from read_parquet({literal(staged)})"
    )


def show_judged(connection: duckdb.DuckDBPyConnection, feed: Feed, staged: Path) -> None:
    """Creates the view `judged` of a Parquet file of all rows with their reasons.

    They are those of rules.judged and the verdicts on them, of which there are none yet.
    """
    connection.execute(
        "create or replace temp table verdicts "
        "(_judged_row bigint, _verdict varchar, _is_repeat boolean)"
    )
    columns = ", ".join(identifier(column.name) for column in feed.columns)
    connection.execute(
        f"""
        create or replace temp view judged as
        with staged as (
            select
                {columns},
                {", ".join(TEXTS)},
                coalesce(_line, file_row_number + 1) as _row_number
            from read_parquet({literal(staged)})
        )
        select
            {columns},
            _row_number,
            case when _verdict is null then _reasons
                else concat_ws('; ', _reasons, _verdict) end as _reasons,
            case when _verdict is null then _row_json
                else coalesce(_row_json, {row_json(feed)}) end as _row_json,
            case when _verdict is null then _original
                else coalesce(_original, {row_json(feed, masked=False)}) end as _original,
            _unknown,
            coalesce(_is_repeat, false) as _is_duplicate
        from staged left join verdicts on staged._row_number = verdicts._judged_row
        """
    )


def has_repeated_keys(connection: duckdb.DuckDBPyConnection, feed: Feed, rows: int) -> bool:
    """Whether any key could stand twice among the judged rows; `rows` is their number."""
    return not _has_ascending_keys(connection, feed) and any(
        one_value(connection, f"select count(*) from ({hashes})")
        for hashes in _repeated_hashes(feed, rows)
    )


def _has_ascending_keys(connection: duckdb.DuckDBPyConnection, feed: Feed) -> bool:
    """Whether each key is greater than the one before, so that none can stand twice.

    Extracts are often in this order, and it is asked in a sixth of the time that counting
    keys takes.
    """
    key = f"row({_key(feed)})" if len(feed.version_key) > 1 else _key(feed)
    is_ascending = f"{key} > lag({key}) over ()"  # null of the first row, and beside nulls
    return bool(
        one_value(
            connection,
            "select count(*) - count(is_ascending) <= 1 and coalesce(bool_and(is_ascending), true) "
            f"from (select {is_ascending} as is_ascending from judged)",
        )
    )


def _repeated_hashes(feed: Feed, rows: int) -> Iterator[str]:
    """Selects of the hashes of keys that stand twice.

    Hashes are small, and seldom one does. They are taken a part at a time, so that a large
    file needs no more memory than others.
    """
    key, whole_key = _key(feed), _is_whole_key(feed)
    parts = 1 + rows // KEYS_AT_ONCE
    for part in range(parts):
        in_part = f" and hash({key}) % {parts} = {part}" if parts > 1 else ""
        yield (
            f"select hash({key}) as key_hash from judged where {whole_key}{in_part} "
            "group by all having count(*) > 1"
        )


def _key(feed: Feed) -> str:
    return ", ".join(identifier(name) for name in feed.version_key)


def _is_whole_key(feed: Feed) -> str:
    return " and ".join(f"{identifier(name)} is not null" for name in feed.version_key)


def judge_repeated_keys(connection: duckdb.DuckDBPyConnection, feed: Feed, rows: int) -> None:
    """Of equal rows the first counts; rows that differ under one key are all at fault."""
    key, whole_key = _key(feed), _is_whole_key(feed)
    connection.execute("create or replace temp table repeated (key_hash ubigint)")
    for hashes in _repeated_hashes(feed, rows):
        connection.execute(f"insert into repeated {hashes}")
    if not one_value(connection, "select count(*) from repeated"):
        return
    columns = ", ".join(identifier(column.name) for column in feed.columns)
    named_key = ", ".join(feed.version_key)
    shown_key = " || ', ' || ".join(
        f"cast({identifier(name)} as varchar)" for name in feed.version_key
    )
    connection.execute(
        f"""
        insert into verdicts
        with suspects as (
            select
                _row_number,
                {key},
                row({columns}, _reasons) as content,
                _reasons
            from judged semi join repeated on hash({key}) = key_hash
            where {whole_key}
        ),
        groups as (
            select {key}, count(distinct content) as variants, count(*) as appearances
            from suspects group by {key} having count(*) > 1
        ),
        told as (
            select
                suspects._row_number as _judged_row,
                case when groups.variants > 1 then
                    {literal(named_key + ": '")} || {shown_key} || ''' stands on '
                    || groups.appearances || ' rows of the file that differ'
                end as _verdict,
                groups.variants = 1 and suspects._reasons is null
                    and row_number() over (partition by {key} order by suspects._row_number) > 1
                    as _is_repeat
            from suspects inner join groups using ({key})
        )
        select * from told where _verdict is not null or _is_repeat order by _judged_row
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


def months_of_rows(connection: duckdb.DuckDBPyConnection, feed: Feed) -> tuple[date, ...]:
    """The months of the sound rows, where the feed has a month."""
    if feed.month is None:
        return ()
    month = identifier(feed.month)
    rows = connection.execute(
        f"select distinct {month} from judged "
        f"where _reasons is null and not _is_duplicate order by {month}"
    ).fetchall()
    return tuple(row[0] for row in rows)


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    feed: Feed,
    stem: str,
    load_id: str,
    months: Sequence[date],
) -> None:
    """Writes the sound rows to one Parquet file, or one per month."""
    columns = ", ".join(identifier(column.name) for column in feed.columns)
    rows = (
        f"select {columns}, {literal(load_id)} as _load_id, _row_number "
        "from judged where _reasons is null and not _is_duplicate"
    )
    if feed.month is None:
        write_parquet(connection, rows, lake.raw_file(feed, stem, None))
        return
    month = identifier(feed.month)
    for first_day in months:
        target = lake.raw_file(feed, stem, first_day)
        write_parquet(connection, f"{rows} and {month} = date '{first_day}'", target)


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
    write_parquet(connection, faulty_rows(feed.name, load_id), target, lines)
    originals = lake.originals_file(feed.name, stem)
    write_parquet(connection, original_rows(load_id), originals, lines)
    return _commonest_reasons(connection, target)


def write_unknown(
    connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed, stem: str, load_id: str
) -> None:
    """Writes the values of columns the contract does not know, of every row that has any."""
    write_parquet(
        connection,
        f"select {literal(load_id)} as load_id, _row_number as row_number, "
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
