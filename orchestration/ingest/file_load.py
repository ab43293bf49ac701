"""Loading one file: typed, judged, counted, and its rows written to the lake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.control_totals import ROWS, ComparedTotal, ControlTotals
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.files import FileRefusedError, Fingerprint, is_json, require_unchanged
from orchestration.ingest.judged_rows import (
    SHOWN_REASONS,
    FileCounts,
    write_faulty_rows,
    write_unknown,
)
from orchestration.ingest.lake import Lake, make_folder
from orchestration.ingest.landing import DeliveredFile
from orchestration.ingest.readers import (
    Delivery,
    layout_of,
    read_csv,
    read_mended_csv,
    read_mended_ndjson,
    read_ndjson,
    read_parquet,
    read_uniform_ndjson,
)
from orchestration.ingest.sources import CONTRACT, FeedSource
from orchestration.ingest.sql import identifier
from orchestration.ingest.staging import Staging
from orchestration.ingest.unpacking import plain_text


@dataclass(frozen=True, slots=True)
class FileLoad:
    """A file whose rows are in the lake but not yet in the ledger.

    `months` are those of its loaded rows, where the feed has a month; `totals` what the
    sender declared of it, all of it met.
    """

    counts: FileCounts
    unknown_columns: tuple[str, ...]
    commonest_reasons: tuple[str, ...]
    months: tuple[date, ...]
    totals: tuple[ComparedTotal, ...] = ()


class TotalsDifferError(FileRefusedError):
    """A file whose rows or sums are not those declared; `totals` says of each which it is."""

    def __init__(self, message: str, totals: tuple[ComparedTotal, ...]) -> None:
        super().__init__(message)
        self.totals = totals


def load_file(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    feed: Feed,
    file: DeliveredFile,
    taken: Fingerprint,
    load_id: str,
    timezone: str,
    expansion: Expansion,
    declared: FeedSource = CONTRACT,
    stem: str | None = None,
) -> FileLoad:
    """Reads, judges and writes one file. Raises FileRefusedError if it is refused whole.

    `declared` is how the feed's files differ from the contract, `stem` the name of
    its files in the lake (without one, its SHA-256).
    """
    stem = stem or taken.sha256
    staging = Staging(connection, lake, feed, stem, load_id, timezone, declared)
    try:
        try:
            if file.format == "parquet":
                expansion.require_parquet(connection, _plain_link(lake, file), taken.size)
            delivery = _taken(staging, file, taken, expansion)
        finally:
            # What changed under the reader is told as that, not as damage.
            require_unchanged(file.path, taken)
        counts = staging.count(f"{file.feed}/{file.name}", delivery)
        totals = _compared(connection, feed, file.totals, counts) if file.totals else ()
        _require_met(totals)
        reasons: tuple[str, ...] = ()
        if counts.quarantined:
            reasons = write_faulty_rows(connection, lake, feed, stem, load_id, delivery.broken)
        if delivery.unknown:
            write_unknown(connection, lake, feed, stem, load_id)
        months = staging.write() if counts.loaded else ()
    finally:
        staging.clear()
    return FileLoad(counts, tuple(delivery.unknown), reasons, months, totals)


def _taken(
    staging: Staging, file: DeliveredFile, taken: Fingerprint, expansion: Expansion
) -> Delivery:
    """Stages every row of the file."""
    connection, lake, feed = staging.connection, staging.lake, staging.feed
    declared = staging.declared
    path = _plain_link(lake, file)
    if file.format == "parquet":
        delivery = read_parquet(connection, feed, declared, path)
        if not staging.take(delivery):
            raise FileRefusedError("it is no sound Parquet file (damaged or truncated)")
        return delivery
    text = plain_text(path, file.format, taken, declared.encoding, lake.scratch, expansion)
    mended = lake.scratch / "mended.txt"
    if is_json(file.format):
        found = _first_taken(
            staging,
            lambda: read_uniform_ndjson(feed, declared, text),
            lambda: read_ndjson(connection, feed, declared, text),
            lambda: read_mended_ndjson(connection, feed, declared, text, mended),
        )
    else:
        layout = layout_of(feed, declared, text)
        found = _first_taken(
            staging,
            lambda: read_csv(feed, declared, text, layout),
            lambda: read_mended_csv(feed, declared, text, layout, mended),
        )
    if found is None:
        raise FileRefusedError("it cannot be split into rows and fields even line by line")
    return found


def _first_taken(staging: Staging, *readings: Callable[[], Delivery | None]) -> Delivery | None:
    """The first of several ways to read a file that works."""
    for reading in readings:
        delivery = reading()
        if delivery is not None and staging.take(delivery):
            return delivery
    return None


def _plain_link(lake: Lake, file: DeliveredFile) -> Path:
    """A link to the file under a name without characters that mean something to DuckDB."""
    make_folder(lake.scratch)
    link = lake.scratch / f"delivered.{file.format}"
    link.unlink(missing_ok=True)
    link.symlink_to(file.path.absolute())
    return link


def _compared(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    totals: ControlTotals,
    counts: FileCounts,
) -> tuple[ComparedTotal, ...]:
    """Every declared total beside what the file holds, by what became of its rows.

    Raises FileRefusedError if one is of a column that cannot be summed.
    """
    found = []
    if totals.rows is not None:
        parts = (counts.loaded, counts.quarantined, counts.duplicate)
        found.append(ComparedTotal(ROWS, Decimal(totals.rows), *map(Decimal, parts)))
    return (
        *found,
        *(
            ComparedTotal(name, total, *_sums(connection, feed, name))
            for name, total in totals.sums.items()
        ),
    )


def _sums(connection: duckdb.DuckDBPyConnection, feed: Feed, name: str) -> Iterator[Decimal]:
    """The sums of a column over the rows loaded, quarantined and repeated.

    Of faulty rows as far as they can be read.
    """
    column = next((column for column in feed.columns if column.name == name), None)
    if column is None or not (column.precision_and_scale or column.type == "integer"):
        raise FileRefusedError(
            f"its control totals name {name}, which is no numeric column of the feed"
        )
    scale = column.precision_and_scale[1] if column.precision_and_scale else 0
    value = f"cast({identifier(name)} as decimal(38, {scale}))"
    outcomes = (
        "_reasons is null and not _is_duplicate",
        "_reasons is not null",
        "_reasons is null and _is_duplicate",
    )
    sums = ", ".join(f"coalesce(sum({value}) filter (where {rows}), 0)" for rows in outcomes)
    row = connection.execute(f"select {sums} from judged").fetchone()
    assert row is not None
    return (Decimal(str(total)) for total in row)


def _require_met(totals: tuple[ComparedTotal, ...]) -> None:
    """Raises TotalsDifferError if rows or sums are not those the sender declared."""
    for total in totals:
        if total.found == total.declared:
            continue
        told = (
            f"{total.declared} rows, it has {total.found}"
            if total.measure == ROWS
            else f"{total.measure} adds up to {total.declared}, it is {total.found}"
        )
        raise TotalsDifferError(f"its control totals say {told}", totals)


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
