"""The short summary at the end of a run, read from what the run left behind."""

from __future__ import annotations

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from expectations.context import data_docs_folder
from expectations.results import gravest_first, told_concern
from orchestration.audit.run_page import run_page_path
from orchestration.publish.publication import CURRENT, readers_database
from orchestration.report.page import REPORT
from orchestration.session import RunSession


def print_summary(console: Console, session: RunSession) -> None:
    """Rows in, quarantined, checks failed, what moved between tiers, where it all is."""
    _print_load(console, session)
    _print_checks(console, session)
    _print_tiers(console, session)
    _print_places(console, session)


def _print_load(console: Console, session: RunSession) -> None:
    loaded = session.load_result
    if loaded is None:
        return
    table = Table("feed", "files", "skipped", "rows in", "loaded", "quarantined", "repeated")
    for name, counts in loaded.feeds.items():
        if counts.files or counts.files_skipped:
            table.add_row(
                name,
                f"{counts.files:,}",
                f"{counts.files_skipped:,}",
                f"{counts.rows_in_file:,}",
                f"{counts.rows_loaded:,}",
                f"{counts.rows_quarantined:,}",
                f"{counts.rows_duplicate:,}",
            )
    if table.row_count:
        console.print(table)
    for warning in loaded.warnings:
        console.print(f"[yellow]Note:[/] {warning}", highlight=False)
    since = loaded.changed.late_since
    built = f"; built anew from {max(since, loaded.first_month):%Y-%m}" if since else ""
    console.print(
        f"Months {loaded.first_month:%Y-%m} to {loaded.closing_month:%Y-%m}{built}.",
        highlight=False,
    )


def _print_checks(console: Console, session: RunSession) -> None:
    results = [result for layer in session.layers.values() for result in layer.results]
    failed = [result for result in results if not result.success]
    console.print(f"{len(results)} expectations checked, {len(failed)} failed.", highlight=False)
    for result in gravest_first(failed):
        colour = "red" if result.severity == "critical" else "yellow"
        observed = f" ({result.observed})" if result.observed else ""
        console.print(
            f"[{colour}]{result.severity}[/] {result.expectation_id}: "
            f"{result.expectation}{observed} {escape(told_concern(result))}".rstrip(),
            highlight=False,
        )
        if result.accepted_by:
            console.print(
                f"  accepted by {result.accepted_by}: {result.accepted_reason}",
                highlight=False,
                markup=False,
            )
    for answer in session.unused_acceptances:
        console.print(
            f"[yellow]Note:[/] --accept {answer.check}: no critical check of that name failed; "
            "nothing was accepted.",
            highlight=False,
        )


def _print_tiers(console: Console, session: RunSession) -> None:
    current = readers_database(session.home)
    if not current.exists():
        return
    with duckdb.connect(str(current), read_only=True) as connection:
        moves = connection.execute(
            """
            select tier_from, tier_to, customers, revenue
            from marts.tier_migration_monthly
            where month = (select max(month) from marts.dim_month where is_closed)
                and tier_from <> tier_to
            order by customers desc, tier_from, tier_to
            limit 8
            """
        ).fetchall()
    if not moves:
        return
    table = Table("tier before", "tier now", "customers", "revenue", title="Moved between tiers")
    for tier_from, tier_to, customers, revenue in moves:
        table.add_row(tier_from, tier_to, f"{customers:,}", f"{revenue:,.2f}")
    console.print(table)


def _print_places(console: Console, session: RunSession) -> None:
    home = session.home
    lines = {
        "Report": home.published / CURRENT / REPORT,
        "Query": readers_database(home),
        "Parquet": home.published / CURRENT / "parquet",
        "This run": run_page_path(home, session.run_id),
        "All runs": data_docs_folder(home.root) / "index.html",
    }
    for name, path in lines.items():
        console.print(f"{name + ':':<12}{path}", highlight=False, soft_wrap=True)
