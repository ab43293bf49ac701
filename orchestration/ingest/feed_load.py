"""Loading the files of one feed in order of delivery: what becomes of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.control_totals import declared_totals
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.file_load import (
    FileLoad,
    TotalsDifferError,
    load_file,
    refusal,
    require_hash,
)
from orchestration.ingest.files import FileRefusedError, Fingerprint, delivered_at, fingerprint
from orchestration.ingest.lake import Lake, discard
from orchestration.ingest.landing import DeliveredFile
from orchestration.ingest.ledger import LedgerEntry, LoadedBefore, Status
from orchestration.ingest.months import shown
from orchestration.ingest.sources import Sources

Content = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FeedProgress:
    """A file of a feed is done: the `done`-th of the feed's `total` files."""

    feed: str
    file_name: str
    done: int
    total: int


@dataclass(slots=True)
class LoadInProgress:
    """What the files of a run share.

    `attempt` names this run's ledger file. `known` are the contents loaded before, by
    feed and stem (see Sources.stem), `standing` the (feed, file name) accepted before;
    `fresh` are the contents this run added.
    """

    connection: duckdb.DuckDBPyConnection
    lake: Lake
    run_id: str
    attempt: str
    timezone: str
    quarantine_share_limit: Callable[[str], float]
    known: dict[Content, LoadedBefore]
    standing: Set[tuple[str, str]]
    expansion: Expansion
    sources: Sources = field(default_factory=Sources)
    progress: Callable[[FeedProgress], None] | None = None
    fresh: set[Content] = field(default_factory=set)


def load_feed(
    work: LoadInProgress, feed: Feed, files: Sequence[DeliveredFile]
) -> list[LedgerEntry]:
    """Load the files of a feed; a delivery with too many faulty rows is taken back whole."""
    # What was taken out of the landing folder after it was loaded is not missing.
    files = [
        file
        for file in files
        if not (file.is_announced_only and (feed.name, file.name) in work.standing)
    ]
    looks = {file.name: _look(file) for file in files}
    ordered = sorted(files, key=lambda file: _delivery_order(file, looks[file.name]))
    loads: dict[str, FileLoad] = {}
    entries: list[LedgerEntry] = []
    for done, file in enumerate(ordered, start=1):
        entry, loaded = _load_one(work, feed, file, looks[file.name])
        entries.append(entry)
        if loaded:
            loads[file.name] = loaded
        if work.progress:
            work.progress(FeedProgress(feed.name, file.name, done, len(files)))
    reason = refusal(loads, work.quarantine_share_limit(feed.name))
    return [_taken_back(work, entry, reason) for entry in entries] if reason else entries


def _look(file: DeliveredFile) -> Fingerprint | FileRefusedError:
    if file.fault:
        return FileRefusedError(file.fault)
    try:
        return fingerprint(file.path, file.format)
    except FileRefusedError as fault:
        return fault


def _delivery_order(
    file: DeliveredFile, look: Fingerprint | FileRefusedError
) -> tuple[datetime, str]:
    moment = look.delivered_at if isinstance(look, Fingerprint) else datetime.min
    return moment, file.name


def _load_one(
    work: LoadInProgress, feed: Feed, file: DeliveredFile, look: Fingerprint | FileRefusedError
) -> tuple[LedgerEntry, FileLoad | None]:
    if isinstance(look, FileRefusedError):
        return _rejected(work, file, None, look), None
    stem = work.sources.stem(feed.name, look.sha256)
    content = (feed.name, stem)
    before = work.known.get(content)
    if before:
        return _skipped(work, file, look, before), None
    load_id = f"{feed.name}-{stem[:24]}"
    try:
        require_hash(file.totals, look)
        loaded = load_file(
            work.connection,
            work.lake,
            feed,
            file,
            look,
            load_id,
            work.timezone,
            work.expansion,
            work.sources.of(feed.name),
            stem,
        )
    except FileRefusedError as fault:
        return _rejected(work, file, look, fault), None
    work.known[content] = LoadedBefore(load_id, file.name, work.run_id)
    work.fresh.add(content)
    return _loaded(work, file, look, load_id, loaded), loaded


def _loaded(
    work: LoadInProgress, file: DeliveredFile, taken: Fingerprint, load_id: str, loaded: FileLoad
) -> LedgerEntry:
    unknown = ", ".join(loaded.unknown_columns)
    return LedgerEntry(
        load_id=load_id,
        run_id=work.run_id,
        feed=file.feed,
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
        reason=f"unknown columns: {unknown}" if unknown else None,
        months=", ".join(map(shown, loaded.months)) or None,
        source_sha256=work.sources.sha256(file.feed),
        totals=loaded.totals,
    )


def _skipped(
    work: LoadInProgress, file: DeliveredFile, taken: Fingerprint, before: LoadedBefore
) -> LedgerEntry:
    reason = f"identical to {before.file_name}, load {before.load_id} of run {before.run_id}"
    return _without_rows(work, file, taken, Status.SKIPPED_IDENTICAL, reason)


def _rejected(
    work: LoadInProgress, file: DeliveredFile, taken: Fingerprint | None, fault: FileRefusedError
) -> LedgerEntry:
    entry = _without_rows(work, file, taken, Status.REJECTED, str(fault))
    if isinstance(fault, TotalsDifferError):
        return replace(entry, totals=fault.totals)
    return replace(entry, totals=declared_totals(file.totals))


def _without_rows(
    work: LoadInProgress,
    file: DeliveredFile,
    taken: Fingerprint | None,
    status: Status,
    reason: str,
) -> LedgerEntry:
    return LedgerEntry(
        load_id=_own_id(work, file.feed, file.name, status),
        run_id=work.run_id,
        feed=file.feed,
        file_name=file.name,
        file_sha256=taken.sha256 if taken else None,
        file_bytes=taken.size if taken else None,
        delivered_at=taken.delivered_at if taken else delivered_at(file.path),
        loaded_at=_now(),
        status=status,
        reason=reason,
        source_sha256=work.sources.sha256(file.feed),
    )


def _taken_back(work: LoadInProgress, entry: LedgerEntry, reason: str) -> LedgerEntry:
    """The entry of a file of a refused delivery; its rows leave the lake again.

    A copy of it that was skipped in the same delivery is refused with it.
    """
    content = (entry.feed, work.sources.stem(entry.feed, entry.file_sha256 or ""))
    if content not in work.fresh or entry.status is Status.REJECTED:
        return entry
    discard(work.lake, *content)
    return replace(
        entry,
        load_id=_own_id(work, entry.feed, entry.file_name, Status.REJECTED),
        status=Status.REJECTED,
        rows_in_file=0,
        rows_loaded=0,
        rows_quarantined=0,
        rows_duplicate=0,
        reason=reason,
        months=None,
    )


def _own_id(work: LoadInProgress, feed: str, file_name: str, status: Status) -> str:
    """Identity of an entry that stands for no rows: one per file and attempt."""
    seen = hashlib.sha256(f"{work.attempt}\n{feed}\n{file_name}".encode()).hexdigest()
    return f"{feed}-{status}-{seen[:24]}"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
