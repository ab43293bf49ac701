"""Loading a landing folder: every feed, the ledger, and the months the run covers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

import seeds
from orchestration.ingest.blocking import require_feeds, require_months
from orchestration.ingest.cache import local_landing, told_by_address
from orchestration.ingest.changes import EVERYTHING, Built, ChangedMonths, changed_months
from orchestration.ingest.closing_month import RunMonths, run_months
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.exchange_rates import require_rates
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.feed_load import FeedProgress, LoadInProgress, load_feed
from orchestration.ingest.lake import Lake, create_raw_views, make_folder, sweep, write_schemas
from orchestration.ingest.landing import Landing, survey
from orchestration.ingest.ledger import (
    LedgerEntry,
    Status,
    active_loads,
    ledger_target,
    loads_by_content,
    months_of_loads,
    released_loads,
    standing_files,
    write_active_loads,
    write_ledger,
    write_ledger_schema,
)
from orchestration.ingest.months import current_month, shown
from orchestration.ingest.policy import policies_in_force, require_policy
from orchestration.ingest.quarantine import write_quarantine_schema
from orchestration.ingest.reference import ReferenceSet, compose_reference
from orchestration.ingest.run_settings import (
    config_sha256,
    shaping_sha256,
    write_run_settings,
)
from orchestration.ingest.sources import Sources, read_sources
from orchestration.ingest.sql import connect
from orchestration.ingest.superseded import write_superseded_rows
from orchestration.settings import Settings, byte_count, months_at_once, recent_months


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """What this run saw of a feed: files by outcome, rows of the files newly loaded."""

    files: int
    files_loaded: int
    files_skipped: int
    files_rejected: int
    rows_in_file: int
    rows_loaded: int
    rows_quarantined: int
    rows_duplicate: int


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did and what the run covers.

    `feeds` has every feed of the contract. `restated_months` are the months (YYYY-MM) of
    the rows that this load made count or cease to count, by feed, of the feeds that have a
    month (a release tells its own in the ledger). `incomplete_months` are the months after the
    closing month, each with the number of its counted invoices. `changed` are the months to
    build anew, `built` is what a warehouse is built from that is built now.
    """

    feeds: Mapping[str, FeedCounts]
    warnings: tuple[str, ...]
    restated_months: Mapping[str, tuple[str, ...]]
    first_month: date
    closing_month: date
    incomplete_months: tuple[tuple[date, int], ...]
    config_sha256: str
    policy_sha256: str
    changed: ChangedMonths
    built: Built


def load(
    settings: Settings,
    *,
    run_id: str,
    started_at: datetime,
    code_version: str,
    progress: Callable[[FeedProgress], None] | None = None,
    built: Built | None = None,
) -> LoadResult:
    """Load what is new in the landing folder into the lake, and settle the run.

    The caller holds the home's lock. `started_at` carries a zone. `built` is what the
    warehouse was last built from, if it still stands. What is sound stays loaded even if
    the run is then blocked.

    Raises:
        ConfigurationError: settings, landing or reference folder cannot be used.
        DataBlockedError: a refused file, a missing required feed or exchange rate.
    """
    lake = Lake(settings.home.absolute())
    folder = local_landing(settings)
    sources = read_sources(folder, settings.sources)
    landing = survey(folder, feed_contract(), sources)
    reference = _compose_reference(settings, lake)
    require_policy(lake.reference, settings.tier_policy)
    make_folder(lake.scratch)
    connection = connect(settings.engine_limit, lake.scratch / "spill")
    try:
        counted = active_loads(connection, lake)
        entries = load_files(connection, lake, settings, run_id, landing, progress, sources)
        restated = months_of_loads(connection, lake, counted ^ active_loads(connection, lake))
        create_raw_views(connection, lake.home)
        standing = standing_files(connection, lake)
        with told_by_address(settings):
            require_feeds(connection, entries, landing, standing)
        months = settle_months(connection, lake, settings, started_at)
        with told_by_address(settings):
            stood_by = require_months(
                connection, entries, landing, standing, months.closing_month, settings.timezone
            )
        hashed = config_sha256(settings, sources)
        now = Built(
            loads=active_loads(connection, lake),
            shaped_by=shaping_sha256(
                # The month chosen to close with is compared as a month.
                config_sha256(settings.model_copy(update={"through": None}), sources),
                reference.sha256,
                code_version,
            ),
            first_month=months.first_month,
            closing_month=months.closing_month,
        )
        changed = changed_months(connection, lake, built, now)
        settle_settings(
            connection,
            lake,
            settings,
            months,
            run_id=run_id,
            started_at=started_at,
            code_version=code_version,
            config_sha256=hashed,
            policy_sha256=reference.sha256,
            changed=changed,
        )
    finally:
        connection.close()
        shutil.rmtree(lake.scratch, ignore_errors=True)
    return LoadResult(
        feeds={feed: _counts(entries, feed) for feed in feed_contract()},
        warnings=(
            *landing.warnings,
            *reference.warnings,
            *stood_by,
            *_drift(entries),
            *_incomplete(months),
        ),
        restated_months=restated,
        first_month=months.first_month,
        closing_month=months.closing_month,
        incomplete_months=months.incomplete,
        config_sha256=hashed,
        policy_sha256=reference.sha256,
        changed=changed,
        built=now,
    )


def _compose_reference(settings: Settings, lake: Lake) -> ReferenceSet:
    make_folder(lake.reference)
    defaults = Path(seeds.__file__).parent / "reference"
    return compose_reference(
        defaults, settings.reference, lake.reference, tier_policy=settings.tier_policy
    )


def load_files(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    run_id: str,
    landing: Landing,
    progress: Callable[[FeedProgress], None] | None,
    sources: Sources | None = None,
) -> list[LedgerEntry]:
    """Load every file of every feed and commit them with the run's ledger file."""
    write_ledger_schema(connection, lake)
    write_quarantine_schema(connection, lake)
    write_schemas(connection, lake)
    known = loads_by_content(connection, lake)
    released = released_loads(connection, lake)
    sweep(lake, known.keys() | released.keys(), set(released.values()))
    make_folder(lake.scratch)
    target = ledger_target(lake, run_id)
    work = LoadInProgress(
        connection=connection,
        lake=lake,
        run_id=run_id,
        attempt=target.stem,
        timezone=settings.timezone,
        quarantine_share_limit=settings.share_limit_of,
        known=known,
        standing=standing_files(connection, lake).keys(),
        expansion=Expansion(
            byte_count(settings.expanded_size_limit), settings.expanded_ratio_limit
        ),
        sources=sources or Sources(),
        progress=progress,
    )
    entries = [
        entry
        for name, files in landing.files.items()
        for entry in load_feed(work, feed_contract()[name], files)
    ]
    write_ledger(connection, lake, target, entries, work.fresh)
    write_active_loads(connection, lake)
    write_superseded_rows(connection, lake)
    return entries


def settle_months(
    connection: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, started_at: datetime
) -> RunMonths:
    """The months of the run, once policy and exchange rates are known to cover them.

    Reads the raw views of `connection` and the reference tables of the lake.
    """
    current = current_month(started_at, settings.timezone)
    months = run_months(connection, settings.through, current)
    policies = policies_in_force(
        lake.reference, settings.tier_policy, months.first_month, months.closing_month
    )
    require_rates(connection, lake.reference, settings.reporting_currency, months, policies)
    return months


def settle_settings(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    months: RunMonths,
    *,
    run_id: str,
    started_at: datetime,
    code_version: str,
    config_sha256: str,
    policy_sha256: str,
    changed: ChangedMonths = EVERYTHING,
) -> None:
    """Write the settings of the run for the models. Reads the raw views of `connection`."""
    row = connection.execute("select count(distinct customer_id) from raw.customers").fetchone()
    customers = row[0] if row else 0
    write_run_settings(
        connection,
        lake,
        {
            "run_id": run_id,
            "started_at": started_at.astimezone(UTC).replace(tzinfo=None),
            "reporting_currency": settings.reporting_currency,
            "tier_policy": settings.tier_policy,
            "timezone": settings.timezone,
            "first_month": months.first_month,
            "closing_month": months.closing_month,
            "code_version": code_version,
            "config_sha256": config_sha256,
            "policy_sha256": policy_sha256,
            "changed_since": changed.since,
            "late_changed_since": changed.late_since,
            "months_at_once": months_at_once(settings.memory_limit, customers),
            "recent_months": recent_months(customers),
        },
    )


def _counts(entries: Sequence[LedgerEntry], feed: str) -> FeedCounts:
    own = [entry for entry in entries if entry.feed == feed]
    return FeedCounts(
        files=len(own),
        files_loaded=sum(entry.status is Status.LOADED for entry in own),
        files_skipped=sum(entry.status is Status.SKIPPED_IDENTICAL for entry in own),
        files_rejected=sum(entry.status is Status.REJECTED for entry in own),
        rows_in_file=sum(entry.rows_in_file for entry in own),
        rows_loaded=sum(entry.rows_loaded for entry in own),
        rows_quarantined=sum(entry.rows_quarantined for entry in own),
        rows_duplicate=sum(entry.rows_duplicate for entry in own),
    )


def _drift(entries: Sequence[LedgerEntry]) -> list[str]:
    """One line per feed and set of columns that the contract does not know."""
    seen: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        if entry.status is Status.LOADED and entry.reason:
            seen.setdefault((entry.feed, entry.reason), []).append(entry.file_name)
    return [
        f"{feed}: {reason}; kept aside (files: {len(names)}, e.g. {names[0]})"
        for (feed, reason), names in seen.items()
    ]


def _incomplete(months: RunMonths) -> list[str]:
    return [
        f"{shown(month)} is incomplete (counted invoices: {count}) and left out; the closing "
        f"month is {shown(months.closing_month)}"
        for month, count in months.incomplete
    ]
