"""A table as CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

from orchestration.publish.export.table import ExportedTable

# A spreadsheet takes a cell that begins so for a formula; the last four are the wide forms
# that it treats alike where Chinese or Japanese is written.
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write_csv(path: Path, table: ExportedTable) -> None:
    """Write the rows: UTF-8 with a mark that Excel knows it by, dates as ISO, null as empty.

    Numbers are written as they are, with every decimal. Text that a spreadsheet would
    take for a formula gets an apostrophe before it.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow([cell(column.name) for column in table.columns])
        for batch in table.batches():
            writer.writerows([cell(value) for value in row] for row in batch)


def cell(value: object) -> str:
    """A value as it stands in the file."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(STARTS_A_FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    return str(value)
