"""What in a delivery stops the run: refused files, required feeds without a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from orchestration.errors import DataBlockedError
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.landing import Landing
from orchestration.ingest.ledger import LedgerEntry, Status


def require_sound_delivery(
    connection: duckdb.DuckDBPyConnection, entries: Sequence[LedgerEntry], landing: Landing
) -> None:
    """Raises DataBlockedError for every refused file and every required feed without rows."""
    refused = [entry for entry in entries if entry.status is Status.REJECTED]
    faults = [
        f"{where} was refused: {reason}."
        for reason, where in _grouped(refused, landing.folder).items()
    ]
    for feed in feed_contract().values():
        if feed.required and not _has_rows(connection, feed):
            because = _why_empty(feed, landing, refused)
            faults.append(f"The required feed {feed.name} has no loaded row: {because}.")
    if faults:
        raise DataBlockedError("\n".join([*faults, "Correct the delivery and run again."]))


def _grouped(refused: Sequence[LedgerEntry], folder: Path) -> dict[str, str]:
    """The refused files by reason: a delivery refused for one reason is one line."""
    grouped: dict[str, list[LedgerEntry]] = {}
    for entry in refused:
        grouped.setdefault(entry.reason or "", []).append(entry)
    return {
        reason: f"{folder / same[0].feed / same[0].file_name}"
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
        return f"{folder} holds no .csv, .csv.gz or .parquet file"
    return f"the files in {folder} hold no sound row"
