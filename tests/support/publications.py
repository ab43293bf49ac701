"""Publications of a made-up warehouse: the real publisher and evidence, without a run."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, cast

import duckdb

from orchestration.audit.manifest import Published
from orchestration.audit.runs import ensure_ledger
from orchestration.home import Home
from orchestration.progress import Progress
from orchestration.publish.contract import PublishedTable
from orchestration.publish.recovery import recover
from orchestration.publish.release import Released, release
from orchestration.publish.writing import write_publication
from orchestration.session import RunSession
from orchestration.settings import Settings

TABLES = [
    PublishedTable("marts", "dim_customer", ("customer_id",), "One row per customer.", {}),
    PublishedTable(
        "marts",
        "customer_monthly",
        ("customer_id", "month"),
        "One row per customer and month; it's all there is.",
        {"revenue": "Revenue of the month, in CNY.", "margin_share": "Margin, 0 to 1."},
    ),
    PublishedTable(
        "snapshots",
        "customer_tier_snapshot",
        ("customer_id", "dbt_valid_from"),
        "One row per belief.",
        {},
    ),
    PublishedTable("audit", "run", ("run_id",), "One row per run.", {}),
]


class Loaded:
    """What the manifest asks of a load."""

    first_month = dt.date(2025, 1, 1)
    closing_month = dt.date(2025, 3, 1)
    config_sha256 = "made up"


def run_id_of(number: int) -> str:
    """The name of a made-up run, from 1."""
    return f"202501{number:02d}T000000Z-{number:08x}"


def build_warehouse(home: Home, number: int, customers: int = 5) -> None:
    """Fill the warehouse; every revenue of a run is its number, so that a mixture shows."""
    with duckdb.connect(str(home.warehouse)) as connection:
        for schema in ("marts", "snapshots", "audit"):
            connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"""
            create or replace table marts.dim_customer as
            select 'C' || lpad(n::varchar, 7, '0') as customer_id, {number}::bigint as made_by
            from range({customers}) as each(n)
        """)
        connection.execute(f"""
            create or replace table marts.customer_monthly as
            select customer_id, month::date as month, {number}.0001::decimal(18, 4) as revenue,
                0.25 + {number} / 1000.0 as margin_share, true as is_ranked,
                case when customer_id like '%3' then null else 'gold' end as tier_code,
                timestamp '2025-01-31 23:59:59.123456' as opened_at
            from marts.dim_customer
            cross join generate_series(date '2025-01-01', date '2025-03-01', interval 1 month)
                as months(month)
        """)
        connection.execute(f"""
            create or replace table snapshots.customer_tier_snapshot as
            select customer_id, timestamp '2025-01-01' as dbt_valid_from, {number}::bigint as run
            from marts.dim_customer
        """)
        connection.execute(
            f"create or replace table audit.run as select '{run_id_of(number)}' as run_id"
        )


def publish(home: Home, number: int, *, keep: int = 10, tables: Any = None) -> Released:
    """What a run does once its marts are accepted; the warehouse is there already."""
    home.prepare()
    ensure_ledger(home)
    recover(home)
    session = RunSession(
        settings=Settings(home=home.root, publications_kept=keep),
        home=home,
        run_id=run_id_of(number),
        started_at=dt.datetime(2025, 1, number, tzinfo=dt.UTC),
        code_version="test",
        progress=cast(Progress, None),
        load_result=cast(Any, Loaded()),
    )
    written = write_publication(
        home,
        session.run_id,
        tables or TABLES,
        lambda table, rows: None,
        memory_limit=session.settings.memory_limit,
    )
    return release(session, Published(*written))


def home_with(folder: Path, publications: int, *, keep: int = 10, customers: int = 5) -> Home:
    """A home with as many publications."""
    home = Home(folder / "home")
    home.prepare()
    for number in range(1, publications + 1):
        build_warehouse(home, number, customers)
        publish(home, number, keep=keep)
    return home
