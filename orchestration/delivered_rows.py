"""What the commands on delivered rows show in a terminal: quarantine and history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.errors import DataBlockedError
from orchestration.ingest.history import DeliveredRow
from orchestration.ingest.release import Release
from orchestration.ingest.waiting import WaitingRows


def print_waiting_rows(console: Console, waiting: Sequence[WaitingRows]) -> None:
    """One line per feed, file and reason."""
    if not waiting:
        console.print("No row waits in quarantine.")
        return
    table = Table("feed", "file", "load", "reason", "rows")
    for each in waiting:
        cells = (each.feed, each.file_name, each.load_id, each.reason, f"{each.rows:,}")
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)
    console.print(
        "Write them to be corrected with `tierwise quarantine export --feed FEED --out FILE`, "
        "load them with `tierwise quarantine release FILE`.",
        highlight=False,
        soft_wrap=True,
    )


def print_export(console: Console, rows: int, target: Path) -> None:
    """Where the rows are, and what to do with them."""
    console.print(
        f"{rows:,} rows in {target}, personal values in clear: only you may read it, delete it "
        "when done. Correct the values, leave the columns that begin with _ as they are, then: "
        f"tierwise quarantine release {target}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


def print_release(console: Console, released: Release) -> None:
    """What was released. Raises DataBlockedError if some rows are still at fault."""
    counts = released.counts
    if released.is_known:
        console.print("This file was released before; nothing changed.")
        return
    console.print(
        f"{released.feed}: {counts.loaded:,} rows released, {counts.duplicate:,} repeated, "
        f"{counts.quarantined:,} still at fault. They count from the next `tierwise run`.",
        highlight=False,
        soft_wrap=True,
    )
    if counts.quarantined:
        raise DataBlockedError(
            f"{counts.quarantined:,} of {counts.in_file:,} rows are still at fault and stay in "
            "quarantine; see `tierwise quarantine list`, or export them again."
        )


def print_history(console: Console, rows: Sequence[DeliveredRow]) -> None:
    """One line per appearance of a row."""
    if not rows:
        console.print("No such row was ever loaded.")
        return
    table = Table("delivered (UTC)", "file", "row", "version", "load", "outcome")
    for row in rows:
        cells = (
            f"{row.delivered_at:%Y-%m-%d %H:%M}",
            row.file_name,
            f"{row.row_number:,}",
            str(row.version or ""),
            row.load_id,
            row.outcome,
        )
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)
