"""Runs a command as a process of its own and says what it cost."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
SAMPLED_SECONDS = 0.5
PARENT, RESIDENT_PAGES = 1, 1  # fields of /proc/<id>/stat after the name, and of statm


class RunFailedError(Exception):
    """A measured command ended with an error; the message is what it printed."""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of the processors, and megabytes at most.

    `peak` is that of the largest process; `tree_peak` the most that all of them held at one of
    the moments looked at, pages that they share counted for each; 0 where no /proc tells.
    """

    wall: float
    processor: float
    peak: float
    tree_peak: float


class TreeMemory(threading.Thread):
    """Looks at the memory of a process and all below it until told to stop."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.peak = 0.0
        self.ended = threading.Event()

    def run(self) -> None:
        """Look, twice a second."""
        while not self.ended.wait(SAMPLED_SECONDS):
            self.peak = max(self.peak, tree_megabytes(self.process))


def tree_megabytes(process: int) -> float:
    """What a process and all below it hold in memory now."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in PROCESSES.glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        children[int(fields[PARENT])].append(int(entry.name))
    pages, waiting = 0, [process]
    while waiting:
        current = waiting.pop()
        waiting += children[current]
        try:
            pages += int((PROCESSES / str(current) / "statm").read_text().split()[RESIDENT_PAGES])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def run_measured(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
) -> tuple[Cost, str]:
    """Cost of a command and what it printed; RunFailedError if it fails."""
    with tempfile.TemporaryFile("w+") as told:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            stdout=told,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        memory = TreeMemory(process.pid)
        memory.start()
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        memory.ended.set()
        memory.join()
        told.seek(0)
        text = told.read()
    if status != 0:
        raise RunFailedError(f"{' '.join(map(str, command))} failed:\n{text}")
    peak = used.ru_maxrss / 1024
    return Cost(wall, used.ru_utime + used.ru_stime, peak, max(memory.peak, peak)), text
