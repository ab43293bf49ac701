"""Thousands of damaged deliveries: no row lost, none changed, nothing loaded twice.

Every fault in every format, and every format in every encoding, gets its share of the examples.
TIERWISE_FAULT_EXAMPLES=20000 runs that many, each time others.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings

from orchestration.ingest import load as loading
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.feed_load import load_file
from orchestration.ingest.lake import Lake, write_schemas
from orchestration.ingest.landing import survey
from orchestration.ingest.ledger import LedgerEntry, Status, write_ledger_schema
from orchestration.ingest.quarantine import write_quarantine_schema
from orchestration.ingest.sources import read_sources
from orchestration.ingest.sql import connect
from orchestration.settings import Settings
from tests.faults.deliveries import (
    BOMB_SIZE,
    DAMAGED,
    FEED_FAULTS,
    FILE_FAULTS,
    SOUND,
    Delivery,
    Expected,
    File,
    all_faults,
    deliveries,
    expected,
    faults_of,
    snapshot,
    write,
)
from tests.support.loading import rows_of_files

BY_HAND = os.environ.get("TIERWISE_FAULT_EXAMPLES")
EXAMPLES = int(BY_HAND or 2000)
KINDS = {f"{kind.fault or kind.encoding} of {kind.form}": kind for kind in [*SOUND, *DAMAGED]}
PARTS = len(DAMAGED) + 3 * len(SOUND)  # rows tell more where the file as a whole is sound
TRIED: Counter[str] = Counter()


def examples(number: int) -> Any:
    return settings(
        max_examples=number,
        deadline=None,
        derandomize=BY_HAND is None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def own_seed(name: str) -> Callable[[Any], Any]:
    """Other examples for each name, the same ones in every run; by hand others each time."""
    return (lambda test: test) if BY_HAND else seed(name)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        made = Bench(Path(folder))
        with pytest.MonkeyPatch.context() as patch:
            # The empty lake is copied from a template: the same files, written once.
            for name in ("write_schemas", "write_ledger_schema", "write_quarantine_schema"):
                patch.setattr(loading, name, lambda *_: None)
            yield made
        made.connection.close()


class Bench:
    """One connection for all examples, and a fresh lake and landing folder for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connection = connect("1GB", folder / "spill")
        self.connection.execute("set threads = 1")
        self.template = Lake(folder / "template")
        write_schemas(self.connection, self.template)
        write_ledger_schema(self.connection, self.template)
        write_quarantine_schema(self.connection, self.template)
        self.numbers = itertools.count()

    @contextmanager
    def place(self) -> Iterator[Place]:
        folder = self.folder / str(next(self.numbers))
        shutil.copytree(self.template.home, folder / "home")
        try:
            yield Place(self.connection, folder)
        finally:
            shutil.rmtree(folder)


class Place:
    """A lake and a landing folder; the loader works on them as in a run."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
        self.connection = connection
        self.landing = folder / "landing"
        self.lake = Lake(folder / "home")
        self.attempts = itertools.count(1)

    def load(self, delivery: Delivery) -> dict[str, LedgerEntry]:
        """What the ledger says of each file."""
        declared = {"encoding": delivery.declared} if delivery.declared else None
        growing = {file.file_name for file in delivery.files if file.fault == "grows"}
        locked = [
            self.landing / file.feed / file.file_name
            for file in delivery.files
            if file.fault == "no permission"
        ]
        real_open = Path.open

        def guarded_open(path: Path, *arguments: Any, **options: Any) -> Any:
            if path in locked:
                raise PermissionError(13, "Permission denied")
            return real_open(path, *arguments, **options)

        def load_growing_file(*arguments: Any) -> Any:
            file = arguments[3]
            if file.name in growing:
                with real_open(file.path, "ab") as stream:
                    stream.write(b"\n")
            return load_file(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "open", guarded_open)
            patch.setattr("orchestration.ingest.feed_load.load_file", load_growing_file)
            entries = loading.load_files(
                self.connection,
                self.lake,
                Settings(
                    home=self.lake.home,
                    quarantine_share_limit=delivery.limit,
                    expanded_size_limit=f"{BOMB_SIZE}B",
                ),
                f"run-{next(self.attempts)}",
                survey(self.landing, feed_contract()),
                None,
                read_sources(None, {delivery.feed: declared} if declared else {}),
            )
        return {entry.file_name: entry for entry in entries}

    def rows(self, folder: Path, order: str) -> list[dict[str, Any]]:
        return rows_of_files(self.connection, folder, order)

    def content(self) -> dict[str, tuple[Any, ...]]:
        """The lake without the ledger, which tells of the runs themselves."""
        found = snapshot(self.lake.root)
        return {
            name: told[2:]
            for name, told in found.items()
            if not name.startswith("ledger") and told[2] is not None
        }


def name_in_ledger(file: File) -> str:
    return file.file_name.replace("\x07", "\\x07")


def check(place: Place, delivery: Delivery) -> None:
    """Load a delivery twice, and compare all that is left with what was delivered."""
    write(delivery, place.landing)
    unchanged = not any(file.fault == "grows" for file in delivery.files)
    before = snapshot(place.landing)
    entries = place.load(delivery)
    assert set(entries) == {name_in_ledger(file) for file in delivery.files}
    compare(place, delivery, entries)

    settled = place.content()
    again = place.load(delivery)
    assert place.content() == settled, "a second run changes nothing"
    for name, entry in entries.items():
        kept = entry.status is Status.REJECTED
        assert again[name].status is (Status.REJECTED if kept else Status.SKIPPED_IDENTICAL)
    if unchanged:
        assert snapshot(place.landing) == before, "the landing folder is never touched"


def compare(place: Place, delivery: Delivery, entries: dict[str, LedgerEntry]) -> None:
    readable = [file for file in delivery.files if not refusal_words(delivery, file)]
    judged = {file.file_name: expected(file) for file in readable}
    first: dict[str, str] = {}  # content, by the name it is loaded under
    for file in sorted(readable, key=lambda each: order_of(place, each)):
        first.setdefault(entries[file.file_name].file_sha256 or "", file.file_name)
    loaded_names = set(first.values())
    rows = sum(judged[name].rows for name in loaded_names)
    faulty = sum(len(judged[name].quarantined) for name in loaded_names)
    is_refused = faulty > delivery.limit * rows

    loaded = {
        (row["_load_id"], row["_row_number"]): row
        for row in place.rows(place.lake.raw(delivery.feed), "_load_id, _row_number")
    }
    quarantined = {
        (row["load_id"], row["row_number"]): row["reasons"]
        for row in place.rows(place.lake.quarantine, "load_id, row_number")
    }
    originals = {
        (row["load_id"], row["row_number"])
        for row in place.rows(place.lake.originals, "load_id, row_number")
    }
    assert originals == quarantined.keys()
    assert all(quarantined.values()), "every quarantined row has its reasons"
    seen_loaded, seen_quarantined = 0, 0
    for file in delivery.files:
        entry = entries[name_in_ledger(file)]
        assert entry.rows_in_file == (
            entry.rows_loaded + entry.rows_quarantined + entry.rows_duplicate
        )
        words = refusal_words(delivery, file)
        if words or is_refused:
            assert entry.status is Status.REJECTED
            wanted = words or "rows delivered could not be loaded"
            assert wanted in (entry.reason or "")
            assert entry.rows_in_file == 0
        elif file.file_name in loaded_names:
            assert entry.status is Status.LOADED
            compare_rows(judged[file.file_name], entry, loaded, quarantined)
            seen_loaded += entry.rows_loaded
            seen_quarantined += entry.rows_quarantined
        else:
            assert entry.status is Status.SKIPPED_IDENTICAL
    assert seen_loaded == len(loaded), "nothing else is in the lake"
    assert seen_quarantined == len(quarantined)


def compare_rows(
    wanted: Expected,
    entry: LedgerEntry,
    loaded: dict[tuple[str, int], dict[str, Any]],
    quarantined: dict[tuple[str, int], str],
) -> None:
    assert entry.rows_in_file == wanted.rows
    assert entry.rows_duplicate == wanted.duplicate
    own = {number: row for (load, number), row in loaded.items() if load == entry.load_id}
    assert own.keys() == wanted.loaded.keys()
    for number, values in wanted.loaded.items():
        assert {name: own[number][name] for name in values} == values
    assert {number for load, number in quarantined if load == entry.load_id} == wanted.quarantined


def order_of(place: Place, file: File) -> tuple[int, str]:
    return (place.landing / file.feed / file.file_name).stat().st_mtime_ns // 1000, file.file_name


def refusal_words(delivery: Delivery, file: File) -> str | None:
    if delivery.control_fault:
        return FEED_FAULTS[delivery.control_fault]
    return FILE_FAULTS[file.fault] if file.fault else None


@pytest.mark.parametrize("name", KINDS)
def test_one_file(bench: Bench, name: str) -> None:
    kind = KINDS[name]
    share = 1 if kind.fault else 3

    @own_seed(name)
    @examples(max(EXAMPLES * share // PARTS, 1))
    @given(delivery=deliveries(kind))
    def holds(delivery: Delivery) -> None:
        TRIED.update(faults_of(delivery))
        with bench.place() as place:
            check(place, delivery)

    holds()


@examples(max(EXAMPLES // 10, 1))
@given(delivery=deliveries(most_files=4))
def test_several_files_delivered_together(bench: Bench, delivery: Delivery) -> None:
    with bench.place() as place:
        check(place, delivery)


def test_every_fault_was_tried() -> None:
    if not TRIED:
        pytest.skip("says something only after test_one_file")
    assert all_faults() - TRIED.keys() == set()
