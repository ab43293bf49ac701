"""A loader killed anywhere and run again leaves the lake of an undisturbed run.

The loader runs in a process of its own, which kills itself (SIGKILL) at a chosen
operation on the file system, is killed from outside at a random time, or meets a full
disk. TIERWISE_FAULT_EXAMPLES=500 kills it at that many more random times.
"""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest.lake import SCHEMA_FILE, Lake
from orchestration.ingest.release import release
from orchestration.ingest.waiting import export_waiting_rows
from orchestration.settings import load_settings
from tests.support.loading import SmallOperator, lake_content, settled

CHANGES = frozenset(
    {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.fsync", "open"}
)
RANDOM_KILLS = int(os.environ.get("TIERWISE_FAULT_EXAMPLES") or 8)
Stop = Callable[[], None]


class Watch:
    """Counts what a process changes below a folder, and stops it at one of the changes."""

    def __init__(self, folder: Path, at: int | None, stop: Stop) -> None:
        self.folder = str(folder)
        self.at = at
        self.stop = stop
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CHANGES:
            return
        path = str(arguments[event == "os.symlink"])
        if not path.startswith(self.folder):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        # Empty files with the schema are written anew by every run: one of them will do.
        name = Path(path).name
        if name.startswith(SCHEMA_FILE) and any(SCHEMA_FILE in seen for seen in self.seen):
            return
        self.seen.append(f"{event} {name}")
        if len(self.seen) == self.at:
            self.stop()


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def disk_full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def in_a_process(work: Callable[[], object], watch: Watch, told: Path | None = None) -> int:
    """Run `work` in a child; its exit status, negative for a signal. Its steps go to `told`."""
    child = os.fork()
    if child == 0:
        try:
            real_fsync = os.fsync

            def fsync(descriptor: int) -> None:
                watch("os.fsync", (Path(f"/proc/self/fd/{descriptor}").readlink(),))
                real_fsync(descriptor)

            os.fsync = fsync
            sys.addaudithook(watch)
            work()
            if told:
                told.write_text(json.dumps(watch.seen))
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def deliver_more(operator: SmallOperator) -> None:
    """A correction, a new file with a fault, a copy and a versioned change."""
    january = operator.landing / "invoices" / "2025-01.csv.gz"
    operator.write("invoices", "copy.csv.gz", january.read_bytes(), hour=1)
    header = "invoice_id,account_id,billing_month,issued_on,due_on,currency,total_amount,tax_amount"
    rows = [f"N{n},A-C1,2025-0{n % 3 + 1}-01,2025-03-05,2025-03-25,CNY,{n},0" for n in range(9)]
    rows.append("N9,A-C1,2025-03-01,2025-03-05,2025-03-25,CNY,many,0")
    operator.write("invoices", "more.csv", "\n".join([header, *rows]) + "\n", hour=2)
    managers = "manager_id,manager_name,region_code,updated_at\n"
    operator.write("managers", "m.csv", managers + "M1,Li,GD,2025-01-01 00:00:00\n", hour=3)


class Rehearsal:
    """A home before a load, the load, and what the home is after it undisturbed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.operator = SmallOperator(folder, months=1)
        self.before, self.undisturbed = folder / "before", folder / "undisturbed"
        self.load(self.before)
        deliver_more(self.operator)
        shutil.copytree(self.before, self.undisturbed)
        told = folder / "steps.json"
        watch = Watch(self.undisturbed, None, kill)
        began = time.monotonic()
        assert in_a_process(lambda: self.load(self.undisturbed), watch, told) == 0
        self.seconds = time.monotonic() - began
        self.steps: list[str] = json.loads(told.read_text())
        self.expected = lake_content(self.undisturbed), settled(self.undisturbed)

    def load(self, home: Path) -> None:
        self.operator.load(home, quarantine_share_limit=1)

    def home(self, name: object) -> Path:
        home = self.folder / f"stopped at {name}"
        shutil.copytree(self.before, home)
        return home

    def check(self, home: Path, where: str) -> None:
        """Run again, and compare."""
        self.load(home)
        assert (lake_content(home), settled(home)) == self.expected, where
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    yield Rehearsal(tmp_path_factory.mktemp("killed"))


def test_the_steps_of_a_load_are_seen(rehearsal: Rehearsal) -> None:
    kinds = {step.split()[0] for step in rehearsal.steps}
    assert kinds >= {"os.rename", "os.mkdir", "os.symlink", "os.fsync"}
    written = [step for step in rehearsal.steps if ".parquet" in step and "rename" in step]
    assert len(written) >= 8, written


def test_killed_at_every_step_and_run_again(rehearsal: Rehearsal) -> None:
    for step, what in enumerate(rehearsal.steps, start=1):
        home = rehearsal.home(step)
        outcome = in_a_process(lambda: rehearsal.load(home), Watch(home, step, kill))  # noqa: B023
        assert outcome == -signal.SIGKILL
        rehearsal.check(home, f"step {step}: {what}")


def test_full_disk_at_every_step_and_run_again(rehearsal: Rehearsal) -> None:
    failed = 0
    for step, what in enumerate(rehearsal.steps, start=1):
        if what.startswith(("os.remove", "os.rmdir")):
            continue
        home = rehearsal.home(step)
        watch = Watch(home, step, disk_full)
        failed += in_a_process(lambda: rehearsal.load(home), watch) != 0  # noqa: B023
        rehearsal.check(home, f"step {step}: {what}")
    assert failed


@pytest.mark.parametrize("largest", [0, 700, 1500])
def test_writes_cut_short_and_run_again(rehearsal: Rehearsal, largest: int) -> None:
    """No file may grow beyond `largest` bytes: every longer write fails half-way."""
    home = rehearsal.home(f"{largest} bytes")

    def cramped() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        rehearsal.load(home)

    assert in_a_process(cramped, Watch(home, None, kill)) == 1
    rehearsal.check(home, f"{largest} bytes")


def test_killed_at_random_times_and_run_again(rehearsal: Rehearsal) -> None:
    moments = random.Random(None if "TIERWISE_FAULT_EXAMPLES" in os.environ else 1)
    killed = 0
    for number in range(RANDOM_KILLS):
        home = rehearsal.home(f"random time {number}")
        child = os.fork()
        if child == 0:
            rehearsal.load(home)
            os._exit(0)
        moment = moments.uniform(0, rehearsal.seconds)
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        rehearsal.check(home, f"after {moment:.3f} s")
    assert killed


def test_release_killed_at_every_step_and_run_again(tmp_path: Path) -> None:
    operator = SmallOperator(tmp_path, months=1)
    header = "payment_id,account_id,paid_on,amount\n"
    operator.write("payments", "bad.csv", header + "X1,A-C1,2025-01-02,x\nX2,A-C1,soon,5\n")
    before, undisturbed = tmp_path / "before", tmp_path / "undisturbed"
    operator.load(before, quarantine_share_limit=1)
    corrected = tmp_path / "corrected.csv"
    export_waiting_rows(before, None, None, corrected)
    corrected.write_text(corrected.read_text().replace(",x,", ",5.00,"))

    def released(home: Path) -> None:
        release(load_settings(home), corrected)

    def told(home: Path) -> tuple[dict[str, bytes], list[tuple[Any, ...]]]:
        with duckdb.connect() as connection:
            active = connection.execute(
                f"select load_id, delivery_rank from read_parquet('{Lake(home).active_loads}') "
                "order by 2"
            ).fetchall()
        return lake_content(home), active

    shutil.copytree(before, undisturbed)
    steps_file = tmp_path / "steps.json"
    watch = Watch(undisturbed, None, kill)
    assert in_a_process(lambda: released(undisturbed), watch, steps_file) == 0
    steps: list[str] = json.loads(steps_file.read_text())
    assert told(undisturbed) != told(before)
    assert len(steps) > 8, steps
    for step, what in enumerate(steps, start=1):
        home = tmp_path / f"killed at {step}"
        shutil.copytree(before, home)
        outcome = in_a_process(lambda: released(home), Watch(home, step, kill))  # noqa: B023
        assert outcome == -signal.SIGKILL
        released(home)
        assert told(home) == told(undisturbed), f"step {step}: {what}"


def test_rows_of_a_killed_run_do_not_count(tmp_path: Path) -> None:
    operator = SmallOperator(tmp_path)
    operator.load()
    text = (operator.landing / "payments" / "2025-01.csv").read_text().replace("P-", "Q-")
    operator.write("payments", "more.csv", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.ingest.load.write_ledger", _killed)
        with pytest.raises(KeyboardInterrupt):
            operator.load()
    assert operator.query("select count(*) from raw.payments") == [(9,)]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
