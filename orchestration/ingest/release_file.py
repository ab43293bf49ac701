"""A file of corrected rows: read, and each row led back to the quarantined row it corrects.

Whatever is not as `tierwise quarantine export` wrote it refuses the file: unlike a
delivery, it can be corrected on the spot.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.lake import Lake
from orchestration.ingest.ledger import ledger_relation
from orchestration.ingest.sources import Sources
from orchestration.ingest.sql import literal
from orchestration.ingest.waiting import LOAD_ID, ORIGIN_COLUMNS, ROW_NUMBER

AGAIN = "Export the rows again, and correct that file."
Origin = tuple[str, int]


@dataclass(frozen=True, slots=True)
class CorrectedRow:
    """A row by its number in the file and in the load it corrects; values as the contract's."""

    row_number: int
    origin_row_number: int
    values: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of the file that correct one load."""

    load_id: str
    origin_load_id: str
    origin_file: str
    rows: Sequence[CorrectedRow]


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A file of corrected rows of one feed."""

    path: Path
    content: bytes
    sha256: str
    feed: Feed
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class _Delivery:
    feed: str
    file_name: str
    is_active: bool
    source_sha256: str | None


def read_released_file(
    connection: duckdb.DuckDBPyConnection, lake: Lake, path: Path, sources: Sources
) -> ReleasedFile:
    """Raises ConfigurationError, naming the row, if the file cannot be used as it is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}).") from error
    header, rows = _table(path, content)
    origins = _named_origins(header, rows)
    deliveries = _deliveries(connection, lake)
    _require_waiting(path, origins, _quarantined(connection, lake, origins), deliveries)
    feeds = sorted({deliveries[load_id].feed for load_id, _ in origins})
    if len(feeds) > 1:
        raise ConfigurationError(f"{path} holds rows of several feeds: {', '.join(feeds)}.")
    feed = feed_contract()[feeds[0]]
    if {deliveries[load_id].source_sha256 for load_id, _ in origins} != {sources.sha256(feed.name)}:
        raise ConfigurationError(
            f"{path}: the rows of {feed.name} were read under another declaration (sources.toml) "
            "than the one found now. Give --landing, so that the same one is read."
        )
    _require_columns(path, header, feed)
    places = [header.index(column.name) for column in feed.columns]
    grouped: dict[str, list[CorrectedRow]] = {}
    for number, (row, (load_id, origin)) in enumerate(zip(rows, origins, strict=True), start=1):
        values = [row[place] or None for place in places]
        grouped.setdefault(load_id, []).append(CorrectedRow(number, origin, values))
    sha256 = hashlib.sha256(content).hexdigest()
    parts = [
        Part(_load_id(feed, sha256, load_id), load_id, deliveries[load_id].file_name, corrected)
        for load_id, corrected in sorted(grouped.items())
    ]
    return ReleasedFile(path, content, sha256, feed, parts)


def _load_id(feed: Feed, sha256: str, origin_load_id: str) -> str:
    corrected = hashlib.sha256(f"{sha256}\n{origin_load_id}".encode()).hexdigest()
    return f"{feed.name}-release-{corrected[:24]}"


def _table(path: Path, content: bytes) -> tuple[list[str], list[list[str]]]:
    try:
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        header, *rows = [line for line in csv.reader(text, strict=True) if line] or [[]]
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8; save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise ConfigurationError(f"{path} is no CSV ({error}). {AGAIN}") from error
    if LOAD_ID not in header or ROW_NUMBER not in header:
        raise ConfigurationError(
            f"{path} has no columns {LOAD_ID} and {ROW_NUMBER}, as a file has that "
            f"`tierwise quarantine export` wrote. {AGAIN}"
        )
    if not rows:
        raise ConfigurationError(f"{path} holds no row.")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ConfigurationError(
                f"{path}, row {number}: {len(row)} fields where the header has {len(header)}. "
                "A comma inside a value wants quotes around the value."
            )
    return header, rows


def _named_origins(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Origin]:
    """The load and row number each row names; row 0, which no load has, for no number."""
    load_at, number_at = header.index(LOAD_ID), header.index(ROW_NUMBER)
    return [
        (row[load_at].strip(), int(number) if (number := row[number_at].strip()).isdecimal() else 0)
        for row in rows
    ]


def _deliveries(connection: duckdb.DuckDBPyConnection, lake: Lake) -> dict[str, _Delivery]:
    rows = connection.execute(
        f"""
        select loads.load_id, loads.feed, loads.file_name, active.load_id is not null,
            loads.source_sha256
        from {ledger_relation(lake)} as loads
        left join read_parquet({literal(lake.active_loads)}) as active using (load_id)
        where loads.status = 'loaded' and loads.origin_load_id is null
        """
    ).fetchall()
    return {row[0]: _Delivery(*row[1:]) for row in rows}


def _quarantined(
    connection: duckdb.DuckDBPyConnection, lake: Lake, origins: Sequence[Origin]
) -> set[Origin]:
    files = literal(lake.quarantine / "**" / "*.parquet")
    rows = connection.execute(
        f"select load_id, row_number from read_parquet({files}) "
        "where list_contains($loads, load_id)",
        {"loads": sorted({load_id for load_id, _ in origins})},
    ).fetchall()
    return {(row[0], row[1]) for row in rows}


def _require_waiting(
    path: Path,
    origins: Sequence[Origin],
    quarantined: set[Origin],
    deliveries: dict[str, _Delivery],
) -> None:
    """Raises ConfigurationError for the first row that corrects nothing, or in vain."""
    times = Counter(origins)
    for number, origin in enumerate(origins, start=1):
        delivery = deliveries.get(origin[0])
        if delivery is None or origin not in quarantined:
            raise ConfigurationError(
                f"{path}, row {number}: its {LOAD_ID} and {ROW_NUMBER} name no row in "
                f"quarantine. {AGAIN}"
            )
        named = f"{delivery.feed}/{delivery.file_name}"
        if not delivery.is_active:
            raise ConfigurationError(
                f"{path}, row {number}: {named} was delivered again since, so that its rows "
                f"count no more. {AGAIN}"
            )
        if times[origin] > 1:
            raise ConfigurationError(
                f"{path}, row {number}: {times[origin]} rows correct row {origin[1]} of {named}. "
                "Keep one of them."
            )


def _require_columns(path: Path, header: Sequence[str], feed: Feed) -> None:
    """All columns of the feed and no others: a lost one would null its values in silence."""
    wanted = [column.name for column in feed.columns]
    for fault, names in {
        "lacks the columns": [name for name in wanted if name not in header],
        "has unknown columns": [name for name in header if name not in (*wanted, *ORIGIN_COLUMNS)],
        "has twice": sorted(name for name, times in Counter(header).items() if times > 1),
    }.items():
        if names:
            raise ConfigurationError(f"{path} {fault} {', '.join(names)}. {AGAIN}")
