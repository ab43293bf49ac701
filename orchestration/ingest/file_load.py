"""Loading one file: typed, judged, counted, and its rows written to the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.control_totals import ControlTotals
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.files import FileRefusedError, Fingerprint, require_unchanged
from orchestration.ingest.lake import Lake, make_folder, write_parquet
from orchestration.ingest.landing import DeliveredFile
from orchestration.ingest.quarantine import as_parameter, faulty_rows
from orchestration.ingest.readers import Delivery, read_csv, read_mended_csv, read_parquet
from orchestration.ingest.rules import judged, row_json
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


@dataclass(frozen=True, slots=True)
class FileLoad:
    """A file whose rows are in the lake but not yet in the ledger."""

    counts: FileCounts
    unknown_columns: tuple[str, ...]
    commonest_reasons: tuple[str, ...]


def load_file(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    feed: Feed,
    file: DeliveredFile,
    taken: Fingerprint,
    load_id: str,
    timezone: str,
    expansion: Expansion,
) -> FileLoad:
    """Reads, judges and writes one file. Raises FileRefusedError if it is refused whole."""
    if file.format == "parquet":
        expansion.require_parquet(connection, _plain_link(lake, file), taken.size)
    delivery = _judge(connection, lake, feed, file, taken, timezone)
    require_unchanged(file.path, taken)
    _judge_repeated_keys(connection, feed)
    counts = _count(connection, file, delivery)
    if file.totals:
        _require_totals(connection, feed, file.totals, counts)
    if counts.loaded:
        _write_rows(connection, lake, feed, taken.sha256, load_id)
    reasons: tuple[str, ...] = ()
    if counts.quarantined:
        rows = faulty_rows(feed.name, load_id, ROW_NUMBER)
        broken = {"broken": as_parameter(delivery.broken)}
        target = lake.quarantine_file(feed.name, taken.sha256)
        write_parquet(connection, rows, target, broken)
        reasons = _commonest_reasons(connection, target)
    connection.execute("drop table judged")
    return FileLoad(counts, tuple(delivery.unknown), reasons)


def _judge(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    feed: Feed,
    file: DeliveredFile,
    taken: Fingerprint,
    timezone: str,
) -> Delivery:
    """Fills the temporary table `judged` with every row of the file."""
    path = _plain_link(lake, file)
    if file.format == "parquet":
        delivery = read_parquet(connection, feed, path)
        if not _fill(connection, feed, delivery, timezone):
            raise FileRefusedError("it is no sound Parquet file (damaged or truncated)")
        return delivery
    delivery = read_csv(feed, path, file.format, taken)
    if _fill(connection, feed, delivery, timezone):
        return delivery
    scratch = lake.scratch / "mended.csv"
    delivery = read_mended_csv(feed, path, file.format, taken, scratch)
    if not _fill(connection, feed, delivery, timezone):
        raise FileRefusedError("it cannot be split into rows and fields even line by line")
    return delivery


def _plain_link(lake: Lake, file: DeliveredFile) -> Path:
    """A link to the file under a name without characters that mean something to DuckDB."""
    make_folder(lake.scratch)
    link = lake.scratch / f"delivered.{file.format}"
    link.unlink(missing_ok=True)
    link.symlink_to(file.path.absolute())
    return link


def _fill(
    connection: duckdb.DuckDBPyConnection, feed: Feed, delivery: Delivery, timezone: str
) -> bool:
    """Whether the file could be read whole.

    False where the reader refuses it, or finds another number of rows than it has lines.
    """
    try:
        connection.execute(
            f"create or replace temp table judged as {judged(feed, delivery, timezone)}"
        )
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException):
        return False
    return delivery.rows is None or delivery.rows == _one(connection, "select count(*) from judged")


def _judge_repeated_keys(connection: duckdb.DuckDBPyConnection, feed: Feed) -> None:
    """Of equal rows the first counts; rows that differ under one key are all at fault."""
    key = ", ".join(identifier(name) for name in feed.version_key)
    whole_key = " and ".join(f"{identifier(name)} is not null" for name in feed.version_key)
    connection.execute(
        f"create or replace temp table repeated as select {key}, count(*) as appearances "
        f"from judged where {whole_key} group by all having count(*) > 1"
    )
    if not _one(connection, "select count(*) from repeated"):
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
            _is_duplicate = verdicts.is_repeat
        from verdicts
        where judged.rowid = verdicts.row_id
            and (verdicts.is_conflict or verdicts.is_repeat)
        """
    )


def _count(
    connection: duckdb.DuckDBPyConnection, file: DeliveredFile, delivery: Delivery
) -> FileCounts:
    row = connection.execute(
        "select count(*), "
        "count(*) filter (where _reasons is null and not _is_duplicate), "
        "count(*) filter (where _reasons is not null), "
        "count(*) filter (where _is_duplicate) from judged"
    ).fetchone()
    assert row is not None
    broken = len(delivery.broken)
    in_file = row[0] + broken if delivery.rows is None else delivery.rows
    counts = FileCounts(in_file, row[1], row[2] + broken, row[3])
    if counts.loaded + counts.quarantined + counts.duplicate != counts.in_file:
        raise AssertionError(f"{file.feed}/{file.name}: rows lost in loading: {counts}")
    return counts


def _require_totals(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    totals: ControlTotals,
    counts: FileCounts,
) -> None:
    """Raises FileRefusedError if rows or sums are not those the sender declared."""
    if totals.rows is not None and totals.rows != counts.in_file:
        raise FileRefusedError(
            f"its control totals say {totals.rows} rows, it has {counts.in_file}"
        )
    for name, total in totals.sums.items():
        found = _sum(connection, feed, name)
        if found != total:
            raise FileRefusedError(
                f"its control totals say {name} adds up to {total}, it is {found}"
            )


def _sum(connection: duckdb.DuckDBPyConnection, feed: Feed, name: str) -> Decimal:
    """The sum of a column over all rows delivered.

    Duplicates and faulty rows count, as far as they can be read.
    """
    column = next((column for column in feed.columns if column.name == name), None)
    if column is None or not (column.precision_and_scale or column.type == "integer"):
        raise FileRefusedError(
            f"its control totals name {name}, which is no numeric column of the feed"
        )
    scale = column.precision_and_scale[1] if column.precision_and_scale else 0
    found = _one(
        connection,
        f"select coalesce(sum(cast({identifier(name)} as decimal(38, {scale}))), 0) from judged",
    )
    return Decimal(str(found))


def _write_rows(
    connection: duckdb.DuckDBPyConnection, lake: Lake, feed: Feed, sha256: str, load_id: str
) -> None:
    """One Parquet file, or one per month where the feed has one."""
    columns = ", ".join(identifier(column.name) for column in feed.columns)
    sound = (
        f"select {columns}, {literal(load_id)} as _load_id, {ROW_NUMBER} as _row_number "
        "from judged where _reasons is null and not _is_duplicate"
    )
    if feed.month is None:
        write_parquet(connection, sound, lake.raw_file(feed, sha256, None))
        return
    month = identifier(feed.month)
    months = connection.execute(
        f"select distinct {month} from judged "
        f"where _reasons is null and not _is_duplicate order by {month}"
    ).fetchall()
    for (first_day,) in months:
        target = lake.raw_file(feed, sha256, f"{first_day:%Y-%m}")
        write_parquet(connection, f"{sound} and {month} = date '{first_day}'", target)


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


def _one(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    row = connection.execute(select).fetchone()
    assert row is not None
    value: int = row[0]
    return value


def require_hash(totals: ControlTotals | None, taken: Fingerprint) -> None:
    """Raise FileRefusedError if the file is not the one whose hash the sender declared."""
    if totals and totals.sha256 and totals.sha256 != taken.sha256:
        raise FileRefusedError(
            f"its control totals say SHA-256 {totals.sha256}, it is {taken.sha256}"
        )


def refusal(loads: Mapping[str, FileLoad], limit: float) -> str | None:
    """Why the files of a feed delivered together are refused, or None.

    They are if more than `limit` (a share) of their rows went to quarantine. `loads` goes
    by file name.
    """
    rows = sum(load.counts.in_file for load in loads.values())
    faulty = sum(load.counts.quarantined for load in loads.values())
    if faulty <= limit * rows:
        return None
    examples = [
        f"{name} {reason}" for name, load in loads.items() for reason in load.commonest_reasons
    ]
    return (
        f"{faulty} of {rows} rows delivered could not be loaded, above the limit of "
        f"{limit:.2%} (quarantine_share_limit); e.g. {' | '.join(examples[:SHOWN_REASONS])}"
    )
