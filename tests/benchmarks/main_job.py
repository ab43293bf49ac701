"""Times the main job on the bundled sample, phase by phase, whole processes, medians.

Each home is set up first, as `make run` does (dbt parses the project; shown apart). Then it
runs three times: on an empty lake, all again (`--rebuild`), and with nothing new.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "seeds" / "sample"
PHASE = re.compile(r"^(?P<title>[A-Z][^:]+): (?P<seconds>[0-9.]+) s$")
KINDS: dict[str, tuple[str, ...]] = {
    "first run": (),
    "all again": ("--rebuild",),
    "nothing new": (),
}
VALIDATION = ("Validate the raw data", "Validate the marts")


@dataclass(frozen=True)
class Run:
    """Seconds of one whole run, those of its processors, and those of each phase as it says."""

    wall: float
    processor: float
    phases: dict[str, float]


def processor_seconds() -> float:
    """What all processes that ended so far used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def set_up(home: Path) -> float:
    """Parse the project for a home; seconds."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "orchestration.warehouse.prepare"],
        env={**os.environ, "TIERWISE_HOME": str(home)},
        cwd=REPOSITORY,
        check=True,
    )
    return time.monotonic() - began


def run_once(home: Path, *options: str) -> Run:
    """One run of the sample as a process of its own."""
    began, used = time.monotonic(), processor_seconds()
    outcome = subprocess.run(
        [
            Path(sys.executable).with_name("tierwise"),
            "run",
            "--landing",
            SAMPLE / "landing",
            "--reference",
            SAMPLE / "reference",
            "--home",
            home,
            *options,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    phases = {
        match["title"]: float(match["seconds"])
        for match in map(PHASE.match, outcome.stdout.splitlines())
        if match
    }
    return Run(time.monotonic() - began, processor_seconds() - used, phases)


def told(kind: str, runs: Sequence[Run]) -> Iterator[str]:
    """The lines of one kind of run."""

    def line(title: str, seconds: Callable[[Run], float]) -> str:
        return f"  {title:<48}{statistics.median(map(seconds, runs)):8.1f}"

    yield f"\n{kind}: median of {len(runs)}, seconds"
    for title in runs[0].phases:
        yield line(title, lambda run, title=title: run.phases[title])  # type: ignore[misc]
    yield line("whole process", lambda run: run.wall)
    yield line("processors", lambda run: run.processor)
    if set(VALIDATION) <= runs[0].phases.keys():
        shares = [sum(run.phases[title] for title in VALIDATION) / run.wall for run in runs]
        yield f"  {'of it validation':<48}{statistics.median(shares):8.1%}"


def main() -> None:
    """Run and print a table of each kind of run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="homes to run, default 3")
    number = parser.parse_args().runs
    measured: dict[str, list[Run]] = {kind: [] for kind in KINDS}
    parsed = []
    for _ in range(number):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder) / "home"
            parsed.append(set_up(home))
            for kind, options in KINDS.items():
                measured[kind].append(run_once(home, *options))
    print(f"set-up of a home: median of {number}, {statistics.median(parsed):.1f} seconds")
    for kind, runs in measured.items():
        print(*told(kind, runs), sep="\n")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\npeak memory of the largest process: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
