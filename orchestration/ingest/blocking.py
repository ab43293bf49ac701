"""What in a delivery stops the run: gaps that refused files leave, required feeds without a row.

A refused file leaves no gap only where content accepted earlier under the same name
already reaches the month the file stands for: then the run goes on with that, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from orchestration.errors import DataBlockedError
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.landing import KNOWN_TYPES, Landing
from orchestration.ingest.ledger import LedgerEntry, Standing, Status
from orchestration.ingest.months import next_month, shown
from orchestration.ingest.sql import identifier, literal

MONTH_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])(?:\2(?:0[1-9]|[12]\d|3[01]))?(?!\d)"
)
ADVICE = "Correct the delivery and run again."


def require_feeds(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[LedgerEntry],
    landing: Landing,
    standing: Mapping[tuple[str, str], Standing],
) -> None:
    """What can be judged before the closing month is known.

    Raises DataBlockedError for every refused file whose name was never accepted, and
    every required feed without rows.
    """
    refused = _refused(entries)
    gaps = [entry for entry in refused if (entry.feed, entry.file_name) not in standing]
    faults = [
        f"{where} was refused: {reason}." for reason, where in _grouped(gaps, landing).items()
    ]
    for feed in feed_contract().values():
        if feed.required and not _has_rows(connection, feed):
            because = _why_empty(feed, landing, refused)
            faults.append(f"The required feed {feed.name} has no loaded row: {because}.")
    if faults:
        raise DataBlockedError("\n".join([*faults, ADVICE]))


def require_months(
    connection: duckdb.DuckDBPyConnection,
    entries: Sequence[LedgerEntry],
    landing: Landing,
    standing: Mapping[tuple[str, str], Standing],
    closing_month: date,
    timezone: str,
) -> list[str]:
    """What the run goes on without: a warning for each refused file that leaves no gap.

    Raises DataBlockedError where the content accepted before under the name of a refused
    file does not reach the month the file stands for, at most the closing month.
    """
    faults: list[str] = []
    warnings: list[str] = []
    for entry in _refused(entries):
        before = standing[entry.feed, entry.file_name]
        month = min(_month_of_name(entry.file_name) or closing_month, closing_month)
        refusal = f"{entry.feed}/{entry.file_name} was refused: {entry.reason}"
        held = f"what was accepted under this name on {before.delivered_at:%Y-%m-%d %H:%M} UTC"
        if _reaches(connection, feed_contract()[entry.feed], before, month, timezone):
            warnings.append(f"{refusal}; {held} (load {before.load_id}) stays in force")
        else:
            faults.append(
                f"{landing.path_of(entry.feed, entry.file_name)} was refused: {entry.reason}. "
                f"The run cannot go on without it: {held} does not "
                f"reach the end of {shown(month)}."
            )
    if faults:
        raise DataBlockedError("\n".join([*faults, ADVICE]))
    return warnings


def _refused(entries: Sequence[LedgerEntry]) -> list[LedgerEntry]:
    return [entry for entry in entries if entry.status is Status.REJECTED]


def _month_of_name(name: str) -> date | None:
    """The month a file's name tells (2025-03, 202503, 2025_03_31), if it tells just one."""
    found = {(int(m[1]), int(m[3])) for m in MONTH_IN_NAME.finditer(Path(name).name)}
    return date(*found.pop(), 1) if len(found) == 1 else None


def _reaches(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    standing: Standing,
    month: date,
    timezone: str,
) -> bool:
    """Whether accepted content is complete for a month.

    A feed with months tells by its rows; of the others, only what was delivered after
    the month had ended can hold all of it.
    """
    if feed.month is None:
        after = next_month(month)
        ended = datetime(after.year, after.month, 1, tzinfo=ZoneInfo(timezone))
        return standing.delivered_at >= ended.astimezone(UTC).replace(tzinfo=None)
    row = connection.execute(
        f"select max({identifier(feed.month)}) from raw.{identifier(feed.name)} "
        f"where _load_id = {literal(standing.load_id)}"
    ).fetchone()
    return bool(row and row[0] and row[0] >= month)


def _grouped(refused: Sequence[LedgerEntry], landing: Landing) -> dict[str, str]:
    """The refused files by reason: a delivery refused for one reason is one line."""
    grouped: dict[str, list[LedgerEntry]] = {}
    for entry in refused:
        grouped.setdefault(entry.reason or "", []).append(entry)
    return {
        reason: f"{landing.path_of(same[0].feed, same[0].file_name)}"
        + (f" (and {len(same) - 1} more of {same[0].feed})" if len(same) > 1 else "")
        for reason, same in grouped.items()
    }


def _has_rows(connection: duckdb.DuckDBPyConnection, feed: Feed) -> bool:
    return connection.execute(f"select 1 from raw.{feed.name} limit 1").fetchone() is not None


def _why_empty(feed: Feed, landing: Landing, refused: Sequence[LedgerEntry]) -> str:
    folder = landing.folder / feed.name
    if any(entry.feed == feed.name for entry in refused):
        return f"every file in {folder} was refused (see above)"
    if feed.name not in landing.files:
        return f"there is no folder {folder}"
    if not landing.files[feed.name]:
        return f"{folder} holds no file of a known type ({KNOWN_TYPES})"
    return f"the files in {folder} hold no sound row"
