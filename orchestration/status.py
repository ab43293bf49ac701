"""What `tierwise status` tells: what is loaded, published, late, and which checks fail."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.home import Home
from orchestration.ingest.contract import feed_contract
from orchestration.publish.publication import (
    current_publication,
    list_publications,
    readers_database,
)


@dataclass(frozen=True)
class FeedStatus:
    """One feed: files and rows loaded, the last delivery, the last month it covers."""

    feed: str
    files: int
    rows: int
    last_delivered: str | None
    last_month: str | None


@dataclass(frozen=True)
class Status:
    """The state of a home."""

    feeds: list[FeedStatus] = field(default_factory=list)
    current: str | None = None
    closing_month: str | None = None
    publications: int = 0
    last_run: tuple[str, str] | None = None
    failing: list[tuple[str, str, str]] = field(default_factory=list)


def read_status(home: Home) -> Status:
    """Read the ledgers of a home; nothing is opened for writing."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        current = current_publication(home)
        return Status(
            feeds=_feeds(connection, home),
            current=current,
            closing_month=_closing_month(home) if current else None,
            publications=len(list_publications(home)),
            last_run=_last_run(connection, home),
            failing=_failing(connection, home),
        )


def _feeds(connection: duckdb.DuckDBPyConnection, home: Home) -> list[FeedStatus]:
    if not (home.lake / "ledger").is_dir():
        return []
    loads = {
        feed: (files, rows, delivered)
        for feed, files, rows, delivered in connection.execute(
            f"""
            select feed, count(*), sum(rows_loaded)::bigint,
                strftime(max(delivered_at), '%Y-%m-%d %H:%M')
            from read_parquet('{home.lake}/ledger/*.parquet', union_by_name = true)
            where status = 'loaded' group by feed
            """
        ).fetchall()
    }
    return [
        FeedStatus(name, *loads[name], last_month=_last_month(connection, home, name, feed.month))
        for name, feed in feed_contract().items()
        if name in loads
    ]


def _last_month(
    connection: duckdb.DuckDBPyConnection, home: Home, feed: str, month: str | None
) -> str | None:
    if month is None:
        return None
    row = connection.execute(
        f"select strftime(max({month}), '%Y-%m') from "
        f"read_parquet('{home.lake}/raw/{feed}/**/*.parquet', hive_partitioning = false)"
    ).fetchone()
    return row[0] if row else None


def _closing_month(home: Home) -> str | None:
    with duckdb.connect(str(readers_database(home)), read_only=True) as connection:
        row = connection.execute(
            "select strftime(max(month), '%Y-%m') from marts.dim_month where is_closed"
        ).fetchone()
    return row[0] if row else None


def _last_run(connection: duckdb.DuckDBPyConnection, home: Home) -> tuple[str, str] | None:
    if not (home.audit / "runs").is_dir():
        return None
    return connection.execute(
        f"select run_id, status from read_parquet('{home.audit}/runs/*.parquet') "
        "order by run_id desc limit 1"
    ).fetchone()


def _failing(connection: duckdb.DuckDBPyConnection, home: Home) -> list[tuple[str, str, str]]:
    if not (home.audit / "validation").is_dir():
        return []
    return connection.execute(
        f"""
        with results as (
            select * from read_parquet('{home.audit}/validation/*.parquet', union_by_name = true)
        )
        select severity, expectation_id, coalesce(observed, '')
        from results
        where not success and run_id = (select max(run_id) from results)
        order by case severity when 'critical' then 0 when 'warning' then 1 else 2 end,
            expectation_id
        """
    ).fetchall()


def print_status(console: Console, home: Home) -> None:
    """Show the state of a home in a terminal."""
    status = read_status(home)
    if not status.feeds:
        console.print(f"Nothing is loaded in {home.root} yet; start with `tierwise run`.")
        return
    table = Table("feed", "files", "rows", "last delivered (UTC)", "months through")
    for feed in status.feeds:
        late = bool(
            feed.last_month and status.closing_month and feed.last_month < status.closing_month
        )
        table.add_row(
            feed.feed,
            f"{feed.files:,}",
            f"{feed.rows:,}",
            feed.last_delivered or "",
            f"{feed.last_month or ''}{' [yellow]late[/]' if late else ''}",
        )
    console.print(table)
    if status.last_run:
        console.print(f"Last run:    {status.last_run[0]} ({status.last_run[1]})", highlight=False)
    console.print(
        f"Published:   {status.current or 'nothing'}"
        + (f", closing month {status.closing_month}" if status.closing_month else "")
        + f"; {status.publications} kept",
        highlight=False,
    )
    console.print(
        f"Failing:     {len(status.failing)} checks in the last validation", highlight=False
    )
    for severity, expectation, observed in status.failing:
        console.print(f"  {severity:<9}{expectation} {observed}", highlight=False, markup=False)
