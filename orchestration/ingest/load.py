"""Loading a landing folder: every feed, the ledger, and what the run is to cover."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

import seeds
from orchestration.errors import ConfigurationError, DataBlockedError
from orchestration.ingest.closing_month import RunMonths, run_months
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.exchange_rates import require_rates
from orchestration.ingest.file_load import FileLoad, control_hash_fault, load_file, refusal
from orchestration.ingest.files import FileFault, Fingerprint, delivered_at, fingerprint
from orchestration.ingest.lake import (
    Lake,
    create_raw_views,
    discard,
    make_folder,
    sweep,
    write_parquet,
    write_schemas,
)
from orchestration.ingest.landing import DeliveredFile, Landing, survey
from orchestration.ingest.ledger import (
    LedgerEntry,
    LoadedBefore,
    Status,
    ledger_target,
    loads_by_content,
    write_active_loads,
    write_ledger,
    write_ledger_schema,
)
from orchestration.ingest.months import current_month, shown
from orchestration.ingest.policy import policies_in_force, require_policy
from orchestration.ingest.quarantine import write_quarantine_schema
from orchestration.ingest.reference import ReferenceSet, compose_reference
from orchestration.ingest.sql import connect
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class FeedProgress:
    """How far the files of a feed are."""

    feed: str
    files_done: int
    files: int


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """What this run saw of a feed: files by outcome, rows of the files newly read."""

    files: int = 0
    files_loaded: int = 0
    files_skipped: int = 0
    files_rejected: int = 0
    rows_in_file: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_duplicate: int = 0


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did and what the run covers. `incomplete_months` are months after
    the closing month with the number of their counted invoices."""

    feeds: Mapping[str, FeedCounts]
    warnings: tuple[str, ...]
    first_month: date
    closing_month: date
    incomplete_months: tuple[tuple[date, int], ...]
    config_sha256: str
    policy_sha256: str


@dataclass(slots=True)
class _Load:
    """One load in progress."""

    connection: duckdb.DuckDBPyConnection
    lake: Lake
    settings: Settings
    run_id: str
    ledger_file: Path
    known: dict[tuple[str, str], LoadedBefore]
    fresh: set[tuple[str, str]] = field(default_factory=set)
    entries: list[LedgerEntry] = field(default_factory=list)


def load(
    settings: Settings,
    *,
    run_id: str,
    started_at: datetime,
    code_version: str,
    progress: Callable[[FeedProgress], None] | None = None,
) -> LoadResult:
    """Loads what is new in the landing folder into the lake and settles the run.

    The caller holds the home's lock. `started_at` carries a zone. Sound files stay
    loaded even if the run is then blocked.

    Raises ConfigurationError for wrong settings, landing or reference folders, and
    DataBlockedError for a refused file, a missing required feed or exchange rate.
    """
    contract = feed_contract()
    lake = Lake(settings.home.absolute())
    landing = survey(settings.landing, contract)
    reference = _compose_reference(settings, lake)
    require_policy(lake.reference, settings.tier_policy)
    make_folder(lake.scratch)
    connection = connect(settings.memory_limit, lake.scratch / "spill")
    try:
        entries = _load_files(connection, lake, settings, run_id, landing, progress)
        warnings = (*landing.warnings, *_drift(entries))
        create_raw_views(connection, lake.home)
        _require_sound_delivery(connection, entries, landing)
        months = _settle(connection, lake, settings, started_at)
        config_sha256 = _config_sha256(settings)
        _write_run_settings(
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
                "policy_sha256": reference.sha256,
            },
        )
    finally:
        connection.close()
        shutil.rmtree(lake.scratch, ignore_errors=True)
    return LoadResult(
        feeds=_counts(entries, landing),
        warnings=(*warnings, *_incomplete(months)),
        first_month=months.first_month,
        closing_month=months.closing_month,
        incomplete_months=months.incomplete,
        config_sha256=config_sha256,
        policy_sha256=reference.sha256,
    )


def _compose_reference(settings: Settings, lake: Lake) -> ReferenceSet:
    override = settings.reference
    if override is not None and not override.is_dir():
        raise ConfigurationError(
            f"The reference folder {override} is not there. Check --reference or "
            "reference in tierwise.toml."
        )
    make_folder(lake.root)
    defaults = Path(seeds.__file__).parent / "reference"
    return compose_reference(defaults, override, lake.reference)


def _load_files(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    settings: Settings,
    run_id: str,
    landing: Landing,
    progress: Callable[[FeedProgress], None] | None,
) -> list[LedgerEntry]:
    """Loads every file of every feed and commits them with the run's ledger file."""
    write_ledger_schema(connection, lake)
    write_quarantine_schema(connection, lake)
    write_schemas(connection, lake)
    known = loads_by_content(connection, lake)
    sweep(lake, known.keys())
    target = ledger_target(lake, run_id)
    work = _Load(connection, lake, settings, run_id, target, known)
    for name, files in landing.files.items():
        _load_feed(work, feed_contract()[name], files, progress)
    write_ledger(connection, target, work.entries)
    write_active_loads(connection, lake)
    return work.entries


def _load_feed(
    work: _Load,
    feed: Feed,
    files: Sequence[DeliveredFile],
    progress: Callable[[FeedProgress], None] | None,
) -> None:
    """Loads the files of a feed; a delivery with too many faulty rows is taken back."""
    taken = {file.name: _look(file) for file in files}
    ordered = sorted(files, key=lambda file: _delivery_order(file, taken[file.name]))
    loads: dict[str, FileLoad] = {}
    entries: list[LedgerEntry] = []
    for done, file in enumerate(ordered, start=1):
        entry, loaded = _load_one(work, feed, file, taken[file.name])
        entries.append(entry)
        if loaded:
            loads[file.name] = loaded
        if progress:
            progress(FeedProgress(feed.name, done, len(files)))
    reason = refusal(loads, work.settings.quarantine_share_limit)
    if reason:
        entries = [_taken_back(work, entry, reason) for entry in entries]
    work.entries.extend(entries)


def _look(file: DeliveredFile) -> Fingerprint | FileFault:
    if file.fault:
        return FileFault(file.fault)
    try:
        return fingerprint(file.path, file.format)
    except FileFault as fault:
        return fault


def _delivery_order(
    file: DeliveredFile, taken: Fingerprint | FileFault
) -> tuple[datetime, str]:
    moment = taken.delivered_at if isinstance(taken, Fingerprint) else datetime.min
    return moment, file.name


def _load_one(
    work: _Load, feed: Feed, file: DeliveredFile, taken: Fingerprint | FileFault
) -> tuple[LedgerEntry, FileLoad | None]:
    if isinstance(taken, FileFault):
        return _rejected(work, file, None, str(taken)), None
    before = work.known.get((feed.name, taken.sha256))
    if before:
        return _skipped(work, file, taken, before), None
    fault = control_hash_fault(file.totals, taken)
    if fault:
        return _rejected(work, file, taken, fault), None
    load_id = f"{feed.name}-{taken.sha256[:24]}"
    try:
        loaded = load_file(
            work.connection, work.lake, feed, file, taken, load_id, work.settings.timezone
        )
    except FileFault as refused:
        return _rejected(work, file, taken, str(refused)), None
    work.known[feed.name, taken.sha256] = LoadedBefore(load_id, file.name, work.run_id)
    work.fresh.add((feed.name, taken.sha256))
    entry = LedgerEntry(
        load_id=load_id,
        run_id=work.run_id,
        feed=feed.name,
        file_name=file.name,
        file_sha256=taken.sha256,
        file_bytes=taken.size,
        delivered_at=taken.delivered_at,
        loaded_at=_now(),
        status=Status.LOADED,
        rows_in_file=loaded.counts.in_file,
        rows_loaded=loaded.counts.loaded,
        rows_quarantined=loaded.counts.quarantined,
        rows_duplicate=loaded.counts.duplicate,
        reason=_drift_reason(loaded),
    )
    return entry, loaded


def _drift_reason(loaded: FileLoad) -> str | None:
    unknown = ", ".join(loaded.unknown_columns)
    return f"unknown columns: {unknown}" if unknown else None


def _entry(
    work: _Load, file: DeliveredFile, taken: Fingerprint | None, status: Status, reason: str
) -> LedgerEntry:
    """An entry for a file that brought no rows; its id is of this run alone."""
    seen = f"{work.ledger_file.stem}\n{file.feed}\n{file.name}"
    return LedgerEntry(
        load_id=f"{file.feed}-{status}-{hashlib.sha256(seen.encode()).hexdigest()[:24]}",
        run_id=work.run_id,
        feed=file.feed,
        file_name=file.name,
        file_sha256=taken.sha256 if taken else None,
        file_bytes=taken.size if taken else None,
        delivered_at=taken.delivered_at if taken else delivered_at(file.path),
        loaded_at=_now(),
        status=status,
        reason=reason,
    )


def _skipped(
    work: _Load, file: DeliveredFile, taken: Fingerprint, before: LoadedBefore
) -> LedgerEntry:
    reason = f"identical to {before.file_name}, load {before.load_id} of run {before.run_id}"
    return _entry(work, file, taken, Status.SKIPPED_IDENTICAL, reason)


def _rejected(
    work: _Load, file: DeliveredFile, taken: Fingerprint | None, reason: str
) -> LedgerEntry:
    return _entry(work, file, taken, Status.REJECTED, reason)


def _taken_back(work: _Load, entry: LedgerEntry, reason: str) -> LedgerEntry:
    """A file of a refused delivery: its rows leave the lake again, also where a copy
    of it in the same delivery was skipped."""
    content = (entry.feed, entry.file_sha256 or "")
    if content not in work.fresh or entry.status is Status.REJECTED:
        return entry
    discard(work.lake, *content)
    seen = f"{work.ledger_file.stem}\n{entry.feed}\n{entry.file_name}"
    return replace(
        entry,
        load_id=f"{entry.feed}-{Status.REJECTED}-{hashlib.sha256(seen.encode()).hexdigest()[:24]}",
        status=Status.REJECTED,
        rows_in_file=0,
        rows_loaded=0,
        rows_quarantined=0,
        rows_duplicate=0,
        reason=reason,
    )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _drift(entries: Sequence[LedgerEntry]) -> list[str]:
    """One line per feed with columns the contract does not know."""
    seen: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        if entry.status is Status.LOADED and entry.reason:
            seen.setdefault((entry.feed, entry.reason), []).append(entry.file_name)
    return [
        f"{feed}: {reason}; kept aside ({len(names)} files, e.g. {names[0]})"
        for (feed, reason), names in seen.items()
    ]


def _require_sound_delivery(
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


def _settle(
    connection: duckdb.DuckDBPyConnection, lake: Lake, settings: Settings, started_at: datetime
) -> RunMonths:
    """The months of the run, once policy and exchange rates cover them."""
    current = current_month(started_at, settings.timezone)
    months = run_months(connection, settings.through, current)
    policies = policies_in_force(
        lake.reference, settings.tier_policy, months.first_month, months.closing_month
    )
    require_rates(connection, lake.reference, settings.reporting_currency, months, policies)
    return months


def _incomplete(months: RunMonths) -> list[str]:
    return [
        f"{shown(month)} is incomplete ({count} counted invoices) and left out; the closing "
        f"month is {shown(months.closing_month)}"
        for month, count in months.incomplete
    ]


def _config_sha256(settings: Settings) -> str:
    """Hash of the settings that shape figures; not of places or memory."""
    shaping = {
        "reporting_currency": settings.reporting_currency,
        "timezone": settings.timezone,
        "tier_policy": settings.tier_policy,
        "through": settings.through.isoformat() if settings.through else None,
        "quarantine_share_limit": settings.quarantine_share_limit,
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()


RUN_SETTINGS_TYPES = {
    "run_id": "varchar",
    "started_at": "timestamp",
    "reporting_currency": "varchar",
    "tier_policy": "varchar",
    "timezone": "varchar",
    "first_month": "date",
    "closing_month": "date",
    "code_version": "varchar",
    "config_sha256": "varchar",
    "policy_sha256": "varchar",
}


def _write_run_settings(
    connection: duckdb.DuckDBPyConnection, lake: Lake, values: Mapping[str, object]
) -> None:
    columns = ", ".join(f"cast(${n} as {t}) as {n}" for n, t in RUN_SETTINGS_TYPES.items())
    write_parquet(connection, f"select {columns}", lake.run_settings, values)


def _counts(entries: Sequence[LedgerEntry], landing: Landing) -> dict[str, FeedCounts]:
    counts = {}
    for feed in landing.files:
        own = [entry for entry in entries if entry.feed == feed]
        by_status = {status: sum(entry.status is status for entry in own) for status in Status}
        counts[feed] = FeedCounts(
            files=len(own),
            files_loaded=by_status[Status.LOADED],
            files_skipped=by_status[Status.SKIPPED_IDENTICAL],
            files_rejected=by_status[Status.REJECTED],
            rows_in_file=sum(entry.rows_in_file for entry in own),
            rows_loaded=sum(entry.rows_loaded for entry in own),
            rows_quarantined=sum(entry.rows_quarantined for entry in own),
            rows_duplicate=sum(entry.rows_duplicate for entry in own),
        )
    return counts
