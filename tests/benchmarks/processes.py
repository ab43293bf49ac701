"""Runs a command as a process of its own and says what it cost, as a whole and in between."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROCESSES = Path("/proc")
SAMPLED_SECONDS = 0.5
# Fields of /proc/<id>/stat after the name, and of statm. The times are a process's own and those
# of its children that ended, each in user and in kernel mode.
PARENT, TIMES, RESIDENT_PAGES = 1, slice(11, 15), 1


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


@dataclass(frozen=True)
class Moment:
    """What a process and all below it had used by a moment: seconds, and megabytes then."""

    at: float
    processor: float
    memory: float


@dataclass(frozen=True)
class Measured:
    """A command that ended well: its cost, its lines with their moments, and its use of both."""

    cost: Cost
    lines: list[tuple[float, str]]
    moments: list[Moment]

    def between(self, begin: float, end: float) -> Cost:
        """What was used between two moments; its peak is that of all processes.

        As near as the moments looked at allow: twice a second.
        """
        within = [moment for moment in self.moments if begin <= moment.at <= end]
        processor = self._processor_by(end) - self._processor_by(begin)
        peak = max((moment.memory for moment in within), default=0.0)
        return Cost(end - begin, processor, peak, peak)

    def _processor_by(self, at: float) -> float:
        """Seconds used by a moment, on the straight line between those before and after it."""
        before = [moment for moment in self.moments if moment.at <= at]
        after = [moment for moment in self.moments if moment.at > at]
        if not before or not after:
            return (before or after)[-1 if before else 0].processor if self.moments else 0.0
        first, last = before[-1], after[0]
        passed = (at - first.at) / (last.at - first.at)
        return first.processor + passed * (last.processor - first.processor)


class TreeWatch(threading.Thread):
    """Looks at a process and all below it until told to stop."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.moments: list[Moment] = []
        self.ended = threading.Event()

    def run(self) -> None:
        """Look, twice a second."""
        while not self.ended.wait(SAMPLED_SECONDS):
            processor, memory = tree_use(self.process)
            # A process that ends within a look is missed in it; time never runs back.
            if self.moments:
                processor = max(processor, self.moments[-1].processor)
            self.moments.append(Moment(time.monotonic(), processor, memory))


def tree_use(process: int) -> tuple[float, float]:
    """Seconds that a process and all below it have used, and megabytes they hold now."""
    children: dict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for entry in PROCESSES.glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        children[int(fields[PARENT])].append(int(entry.name))
        ticks[int(entry.name)] = sum(map(int, fields[TIMES]))
    used, pages, waiting = 0, 0, [process]
    while waiting:
        current = waiting.pop()
        waiting += children[current]
        used += ticks.get(current, 0)
        try:
            pages += int((PROCESSES / str(current) / "statm").read_text().split()[RESIDENT_PAGES])
        except OSError:
            continue
    return used / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def run_measured(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
) -> Measured:
    """What a command cost and printed; RunFailedError if it fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    watch = TreeWatch(process.pid)
    watch.start()
    assert process.stdout is not None
    with process.stdout as told:
        lines = [(time.monotonic(), line) for line in told]
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.ended.set()
    watch.join()
    if status != 0:
        text = "".join(line for _, line in lines)
        raise RunFailedError(f"{' '.join(map(str, command))} failed:\n{text}")
    peak = used.ru_maxrss / 1024
    tree_peak = max([peak, *(moment.memory for moment in watch.moments)])
    return Measured(
        Cost(wall, used.ru_utime + used.ru_stime, peak, tree_peak), lines, watch.moments
    )
