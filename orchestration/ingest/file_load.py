"""Loading one file: typed, judged, counted, and its rows written to the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.control_totals import ControlTotals
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.files import FileRefusedError, Fingerprint, require_unchanged
from orchestration.ingest.judged_rows import (
    SHOWN_REASONS,
    FileCounts,
    count_rows,
    judge_repeated_keys,
    one_value,
    write_faulty_rows,
    write_rows,
)
from orchestration.ingest.lake import Lake, make_folder
from orchestration.ingest.landing import DeliveredFile
from orchestration.ingest.readers import Delivery, read_csv, read_mended_csv, read_parquet
from orchestration.ingest.rules import judged
from orchestration.ingest.sql import identifier


@dataclass(frozen=True, slots=True)
class FileLoad:
    """A file whose rows are in the lake but not yet in the ledger.

    `months` are those of its loaded rows, where the feed has a month.
    """

    counts: FileCounts
    unknown_columns: tuple[str, ...]
    commonest_reasons: tuple[str, ...]
    months: tuple[date, ...]


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
    try:
        if file.format == "parquet":
            expansion.require_parquet(connection, _plain_link(lake, file), taken.size)
        delivery = _judge(connection, lake, feed, file, taken, timezone)
    finally:
        # What changed under the reader is told as that, not as damage.
        require_unchanged(file.path, taken)
    judge_repeated_keys(connection, feed)
    counts = count_rows(connection, f"{file.feed}/{file.name}", delivery.rows, len(delivery.broken))
    if file.totals:
        _require_totals(connection, feed, file.totals, counts)
    months: tuple[date, ...] = ()
    reasons: tuple[str, ...] = ()
    if counts.loaded:
        months = write_rows(connection, lake, feed, taken.sha256, load_id)
    if counts.quarantined:
        reasons = write_faulty_rows(connection, lake, feed, taken.sha256, load_id, delivery.broken)
    connection.execute("drop table judged")
    return FileLoad(counts, tuple(delivery.unknown), reasons, months)


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
        if not fill(connection, feed, delivery, timezone):
            raise FileRefusedError("it is no sound Parquet file (damaged or truncated)")
        return delivery
    delivery = read_csv(feed, path, file.format, taken)
    if fill(connection, feed, delivery, timezone):
        return delivery
    scratch = lake.scratch / "mended.csv"
    delivery = read_mended_csv(feed, path, file.format, taken, scratch)
    if not fill(connection, feed, delivery, timezone):
        raise FileRefusedError("it cannot be split into rows and fields even line by line")
    return delivery


def _plain_link(lake: Lake, file: DeliveredFile) -> Path:
    """A link to the file under a name without characters that mean something to DuckDB."""
    make_folder(lake.scratch)
    link = lake.scratch / f"delivered.{file.format}"
    link.unlink(missing_ok=True)
    link.symlink_to(file.path.absolute())
    return link


def fill(
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
    return delivery.rows is None or delivery.rows == one_value(
        connection, "select count(*) from judged"
    )


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
    found = one_value(
        connection,
        f"select coalesce(sum(cast({identifier(name)} as decimal(38, {scale}))), 0) from judged",
    )
    return Decimal(str(found))


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
