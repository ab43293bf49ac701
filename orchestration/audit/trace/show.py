"""A trace for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from orchestration.audit.trace.traced import Row, Trace


def print_trace(console: Console, found: Trace) -> None:
    """The trace for people: figure, rows on the way, delivered rows, files."""
    console.print(
        f"{found.mart}, customer {found.customer_id}, {found.month:%Y-%m}, run {found.run_id}",
        markup=False,
    )
    for row in found.rows:
        for name, value in row.items():
            console.print(f"  {name + ':':<26}{'' if value is None else value}", markup=False)
    for title, tables in (
        ("published", found.between),
        ("delivered", found.sources),
        ("rule table", found.rules),
    ):
        for name, rows in tables.items():
            if rows:
                console.print(f"{name} ({title})", markup=False)
            for row in rows:
                console.print(_shown(row), markup=False)
    table = Table("month", "figure", "published", "rows add up to", "", title="Sums")
    for each in found.sums:
        if not each.published and not each.traced:
            continue
        table.add_row(
            f"{each.month:%Y-%m}",
            each.figure,
            f"{each.published:,}",
            f"{each.traced:,}",
            "ties" if each.ties else "DIFFERS",
        )
    console.print(table)
    for file in found.files:
        console.print(
            f"{file['feed']:<14}{file['file']}  {file['rows']:,} rows  SHA-256 {file['sha256']}",
            markup=False,
        )


def _shown(row: Row) -> str:
    """A row on one line: what is not empty, then where it stands."""
    values = ", ".join(
        f"{name} {value}"
        for name, value in row.items()
        if value not in (None, "") and not name.startswith("_")
    )
    if "_file" not in row:
        return f"  {values}"
    place = f"{row['_file']}, row {row['_row']}" if "_row" in row else row["_file"]
    return f"  {values}  [{place}]"
