"""Times the main job, phase by phase: whole processes, medians, processors and memory.

    python -m tests.benchmarks.main_job [--runs 3] [--customers 10000 --months 24]

Of the bundled sample, or of an operator of another size that is made first. Each home is set up
as `make run` does (dbt parses the project; shown apart). Then, on an empty lake, the job runs
with all files, all again (`--rebuild`) and with nothing new; and in a second home with all months
but the last, and with the last one when it has come.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.settings import SETTINGS_FILE
from seeds.operator.generate import write_sample

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "seeds" / "sample"
PHASE = re.compile(r"^(?P<title>[A-Z][^:]+): (?P<seconds>[0-9.]+) s$", re.MULTILINE)
FULL, AGAIN, NOTHING_NEW = "full", "all again", "nothing new"
BUT_LAST, INCREMENT = "all months but the last", "the last month"
VALIDATION = ("Validate the raw data", "Validate the marts")


@dataclass(frozen=True)
class Run:
    """One whole run: its seconds, those of the processors and of each phase, and peak MB.

    The peak is that of its largest process.
    """

    wall: float
    processor: float
    phases: dict[str, float]
    peak: float


@dataclass(frozen=True)
class Operator:
    """Folders to run on; the landing area is in parts: all months but the last, and the last."""

    landing: Path
    reference: Path
    parts: tuple[list[Path], list[Path]]

    @property
    def megabytes(self) -> float:
        """Size of the landing area."""
        return sum(path.stat().st_size for part in self.parts for path in part) / 1e6


def operator_in(folder: Path) -> Operator:
    """The operator whose landing area lies in a folder."""
    landing = folder / "landing"
    files = sorted(path for path in landing.rglob("*") if path.is_file())
    last = max(path.name for path in landing.glob("invoices/*"))[: len("2025-01")]
    held_back = [path for path in files if path.name.startswith(last)]
    kept = [path for path in files if path not in set(held_back)]
    return Operator(landing, folder / "reference", (kept, held_back))


def deliver(operator: Operator, files: Sequence[Path], landing: Path) -> None:
    """Put files into a landing area, as links to the same bytes where that is possible."""
    for path in files:
        target = landing / path.relative_to(operator.landing)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(path)
        except OSError:
            target.write_bytes(path.read_bytes())


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


def run_once(home: Path, landing: Path, reference: Path, *options: str) -> Run:
    """One run as a process of its own. Stops the benchmark if it does not publish."""
    folders = ["--landing", landing, "--reference", reference, "--home", home]
    with tempfile.TemporaryFile("w+") as told:
        began = time.monotonic()
        process = subprocess.Popen(
            [Path(sys.executable).with_name("tierwise"), "run", *folders, *options],
            stdout=told,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        told.seek(0)
        text = told.read()
    if status != 0:
        sys.exit(text)
    return Run(
        wall,
        used.ru_utime + used.ru_stime,
        {match["title"]: float(match["seconds"]) for match in PHASE.finditer(text)},
        used.ru_maxrss / 1024,
    )


def measure(operator: Operator, folder: Path) -> dict[str, Run]:
    """Every kind of run once, and the set-up of a home as a run without phases."""
    home, second, landing = folder / "home", folder / "second", folder / "landing"
    settings = operator.landing.with_name(SETTINGS_FILE)
    landing.with_name(SETTINGS_FILE).write_bytes(settings.read_bytes())
    set_up(second)
    measured = {"set-up of a home": Run(set_up(home), 0, {}, 0)}
    for kind, options in ((FULL, ()), (AGAIN, ("--rebuild",)), (NOTHING_NEW, ())):
        measured[kind] = run_once(home, operator.landing, operator.reference, *options)
    for kind, files in zip((BUT_LAST, INCREMENT), operator.parts, strict=True):
        deliver(operator, files, landing)
        measured[kind] = run_once(second, landing, operator.reference)
    return measured


def told(kind: str, runs: Sequence[Run]) -> Iterator[str]:
    """The lines of one kind of run."""

    def line(title: str, value: Callable[[Run], float], form: str = "8.1f") -> str:
        return f"  {title:<48}{statistics.median(map(value, runs)):{form}}"

    yield f"\n{kind}: median of {len(runs)}, seconds"
    for title in runs[0].phases:
        yield line(title, lambda run, title=title: run.phases[title])  # type: ignore[misc]
    yield line("whole process", lambda run: run.wall)
    if runs[0].processor:
        yield line("processors", lambda run: run.processor)
        yield line("peak memory of the largest process, MB", lambda run: run.peak, "8,.0f")
    if set(VALIDATION) <= runs[0].phases.keys():
        share = line(
            "of it validation",
            lambda run: sum(run.phases[title] for title in VALIDATION) / run.wall,
            "8.1%",
        )
        yield share


def main() -> None:
    """Run and print a table of each kind of run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="homes to run, default 3")
    parser.add_argument("--customers", type=int, help="make an operator of this size")
    parser.add_argument("--months", type=int, default=24, help="of the operator made")
    chosen = parser.parse_args()
    measured: list[dict[str, Run]] = []
    with tempfile.TemporaryDirectory() as made:
        place = SAMPLE
        if chosen.customers:
            place = Path(made) / "operator"
            began = time.monotonic()
            write_sample(place, chosen.customers, chosen.months)
            print(f"making the operator: {time.monotonic() - began:.1f} s", flush=True)
        operator = operator_in(place)
        print(f"landing area: {operator.megabytes:,.1f} MB", flush=True)
        for _ in range(chosen.runs):
            with tempfile.TemporaryDirectory() as folder:
                measured.append(measure(operator, Path(folder)))
    for kind in measured[0]:
        print(*told(kind, [runs[kind] for runs in measured]), sep="\n")


if __name__ == "__main__":
    main()
