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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.settings import SETTINGS_FILE
from seeds.operator.generate import write_sample
from tests.benchmarks.processes import Cost, run_measured

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "seeds" / "sample"
PHASE = re.compile(r"(?P<title>[A-Z][^:]+): (?P<seconds>[0-9.]+) s")
FULL, AGAIN, NOTHING_NEW = "full", "all again", "nothing new"
BUT_LAST, INCREMENT = "all months but the last", "the last month"
VALIDATION = ("Validate the raw data", "Validate the marts")


@dataclass(frozen=True)
class Run(Cost):
    """One whole run: what it cost, and what each phase did."""

    phases: dict[str, Cost]


@dataclass(frozen=True)
class Operator:
    """Folders to run on; the landing area is in parts: all months but the last, and the last.

    The last is the latest that a run can close: files of months still to come are in no part.
    """

    landing: Path
    reference: Path
    parts: tuple[list[Path], list[Path]]


def operator_in(folder: Path) -> Operator:
    """The operator whose landing area lies in a folder."""
    landing = folder / "landing"
    months = sorted({month_of(path) for path in landing.glob("invoices/*")})
    last = max(month for month in months if month <= f"{date.today():%Y-%m}")
    files = sorted(path for path in landing.rglob("*") if path.is_file())
    held_back = [path for path in files if month_of(path) == last]
    kept = [path for path in files if not last <= month_of(path) <= months[-1]]
    return Operator(landing, folder / "reference", (kept, held_back))


def megabytes(parts: Iterable[Iterable[Path]]) -> float:
    """Size of the files of some parts of a landing area."""
    return sum(path.stat().st_size for part in parts for path in part) / 1e6


def month_of(path: Path) -> str:
    """The month that a delivered file is named after."""
    return path.name[: len("2025-01")]


def deliver(operator: Operator, files: Sequence[Path], landing: Path) -> None:
    """Put files into a landing area, as links to the same bytes where that is possible."""
    for path in files:
        target = landing / path.relative_to(operator.landing)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(path)
        except OSError:
            target.write_bytes(path.read_bytes())


def keep_settings(operator: Operator, folder: Path) -> None:
    """Put the operator's settings where a run of a landing area in this folder finds them."""
    settings = operator.landing.with_name(SETTINGS_FILE)
    (folder / SETTINGS_FILE).write_bytes(settings.read_bytes())


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
    """One run as a process of its own. RunFailedError if it does not publish."""
    tierwise = Path(sys.executable).with_name("tierwise")
    folders = ("--landing", landing, "--reference", reference, "--home", home)
    measured = run_measured((tierwise, "run", *folders, *options))
    phases = {
        match["title"]: measured.between(at - float(match["seconds"]), at)
        for at, line in measured.lines
        if (match := PHASE.fullmatch(line.strip()))
    }
    return whole_run(measured.cost, phases)


def whole_run(cost: Cost, phases: Mapping[str, Cost]) -> Run:
    """A run of a cost, with its phases."""
    return Run(cost.wall, cost.processor, cost.peak, cost.tree_peak, dict(phases))


def measure(operator: Operator, folder: Path) -> dict[str, Run]:
    """Every kind of run once, and the set-up of a home as a run without phases."""
    home, second = folder / "home", folder / "second"
    whole, landing = folder / "whole", folder / "landing"
    keep_settings(operator, folder)
    deliver(operator, [path for part in operator.parts for path in part], whole)
    set_up(second)
    measured = {"set-up of a home": Run(set_up(home), 0, 0, 0, {})}
    for kind, options in ((FULL, ()), (AGAIN, ("--rebuild",)), (NOTHING_NEW, ())):
        measured[kind] = run_once(home, whole, operator.reference, *options)
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
        yield line(title, lambda run, title=title: run.phases[title].wall)  # type: ignore[misc]
    yield line("whole process", lambda run: run.wall)
    if runs[0].processor:
        yield line("processors", lambda run: run.processor)
        yield line("peak memory of the largest process, MB", lambda run: run.peak, "8,.0f")
        yield line("peak memory of all processes, MB", lambda run: run.tree_peak, "8,.0f")
    if set(VALIDATION) <= runs[0].phases.keys():
        share = line(
            "of it validation",
            lambda run: sum(run.phases[title].wall for title in VALIDATION) / run.wall,
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
        print(f"landing area: {megabytes(operator.parts):,.1f} MB", flush=True)
        for _ in range(chosen.runs):
            with tempfile.TemporaryDirectory() as folder:
                measured.append(measure(operator, Path(folder)))
    for kind in measured[0]:
        print(*told(kind, [runs[kind] for runs in measured]), sep="\n")


if __name__ == "__main__":
    main()
