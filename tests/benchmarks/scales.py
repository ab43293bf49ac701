"""Times the main job over operators of growing size, beside what computes the same by hand.

    python -m tests.benchmarks.scales [--customers 10000 100000 1000000 --months 24]
        [--landing FOLDER ...] [--runs 3] [--skip pandas dbt ...]

Per operator, on the same files: the full run, one with nothing new, all months but the last and
then the last month, `baseline.sql`, the same in pandas, and a plain `dbt build` on the loaded
lake. Medians of the runs, and over the operators the slope of cost over size. Every measurement
is printed when it exists and kept as a line of JSON, so that a later failure loses nothing.
With `--skip full`, for operators too large to be built twice, the run of all months but the last
stands for the full run: the baselines compute its months, and the last month comes to its home.

A baseline whose sums are not those of the marts, or an increment that publishes other contents
than the full run, is told beside the times and makes the benchmark end with 1.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import duckdb

from orchestration.home import Home
from orchestration.publish.publication import CURRENT, readers_database
from orchestration.settings import Settings
from orchestration.warehouse.project import PROJECT_DIR, dbt_environment, dbt_executable
from seeds.operator.generate import write_sample
from tests.benchmarks.baseline import closing_month, complete_reference, differences
from tests.benchmarks.contents import OF_RUNS, different_tables
from tests.benchmarks.main_job import (
    BUT_LAST,
    FULL,
    INCREMENT,
    NOTHING_NEW,
    REPOSITORY,
    Operator,
    Run,
    deliver,
    keep_settings,
    megabytes,
    operator_in,
    run_once,
    set_up,
    whole_run,
)
from tests.benchmarks.processes import Cost, RunFailedError, run_measured

BASELINE, PANDAS, DBT = "baseline.sql", "pandas", "dbt build"
BASELINE_RESULT, PANDAS_RESULT = "baseline.duckdb", "pandas"
KINDS = (FULL, NOTHING_NEW, BUT_LAST, INCREMENT, BASELINE, PANDAS, DBT)
SKIPPED = {
    "full": (FULL,),
    "nothing": (NOTHING_NEW,),
    "increment": (BUT_LAST, INCREMENT),
    "baseline": (BASELINE,),
    "pandas": (PANDAS,),
    "dbt": (DBT,),
}
RATIOS = (
    ("full / baseline.sql", FULL, BASELINE),
    ("pandas / full", PANDAS, FULL),
    ("last month / full", INCREMENT, FULL),
    ("dbt build / full", DBT, FULL),
)
MEASURES: tuple[tuple[str, Callable[[Run], float], str], ...] = (
    ("**whole process**, s", lambda run: run.wall, ",.1f"),
    ("processors, s", lambda run: run.processor, ",.1f"),
    ("peak of the largest process, MB", lambda run: run.peak, ",.0f"),
    ("peak of all processes, MB", lambda run: run.tree_peak, ",.0f"),
)
BUILD = ("build", "--exclude-resource-type", "unit_test", "--quiet")


@dataclass
class Scale:
    """One operator: its size, and what was measured of it."""

    customers: int
    rows: int
    megabytes: float
    runs: dict[str, list[Run]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)

    @property
    def full(self) -> str:
        """The kind that stands for a full run."""
        return FULL if self.runs.get(FULL) else BUT_LAST

    def median(self, kind: str, measure: Callable[[Run], float]) -> float | None:
        """The median of a measure over the runs of a kind; none if there was no run."""
        runs = self.runs.get(kind)
        return statistics.median(map(measure, runs)) if runs else None


@dataclass(frozen=True)
class Plan:
    """What to measure, and where."""

    runs: int
    kinds: frozenset[str]
    memory_limit: str
    folder: Path
    results: Path


def tell(text: str) -> None:
    """A line of progress, at once."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def measure_scale(operator: Operator, plan: Plan) -> Iterator[Scale]:
    """The operator after each round of runs."""
    delivered = megabytes(operator.parts if FULL in plan.kinds else operator.parts[:1])
    scale = Scale(customers_delivered(operator), 0, delivered)
    for number in range(1, plan.runs + 1):
        with tempfile.TemporaryDirectory(dir=plan.folder) as made:
            round_ = Round(operator, Path(made), plan)
            for kind, part in round_.parts():
                tell(f"{scale.customers:,} customers, round {number}, {kind}")
                try:
                    run = part()
                except RunFailedError as error:
                    tell(str(error))
                    scale.faults.append(f"{kind} failed in round {number}")
                    if kind in (FULL, BUT_LAST):
                        break  # what follows builds on it
                    continue
                scale.rows = scale.rows or rows_loaded(round_.home)
                scale.runs[kind].append(run)
                round_.done.add(kind)
                tell(f"{run.wall:.1f} s, {run.processor:.1f} s of processors, {run.peak:,.0f} MB")
                keep(plan.results, scale, kind, run)
            scale.faults += round_.faults()
        yield scale


class Round:
    """Every kind of run once, in a folder of its own."""

    def __init__(self, operator: Operator, folder: Path, plan: Plan) -> None:
        self.operator, self.folder, self.plan = operator, folder, plan
        self.home, self.second = Home(folder / "home"), Home(folder / "second")
        self.landing = folder / "whole"
        self.done: set[str] = set()
        self.published = folder  # by the first run, from its end on

    def parts(self) -> Iterator[tuple[str, Callable[[], Run]]]:
        """The runs, to be started in this order; the others build on the first."""
        kinds, operator = self.plan.kinds, self.operator
        keep_settings(operator, self.folder)
        first = FULL if FULL in kinds else BUT_LAST
        for files in operator.parts if first == FULL else operator.parts[:1]:
            deliver(operator, files, self.landing)
        yield first, lambda: self.first_run()
        if NOTHING_NEW in kinds:
            yield NOTHING_NEW, lambda: run_once(self.home.root, self.landing, operator.reference)
        if BASELINE in kinds:
            yield BASELINE, lambda: self.by_hand("baseline", BASELINE_RESULT)
        if PANDAS in kinds:
            yield PANDAS, lambda: self.by_hand("pandas_baseline", PANDAS_RESULT)
        if INCREMENT in kinds and first == BUT_LAST:
            deliver(operator, operator.parts[1], self.landing)
            yield INCREMENT, lambda: run_once(self.home.root, self.landing, operator.reference)
        if DBT in kinds:
            yield DBT, lambda: plain_dbt(self.home, self.plan.memory_limit)
        if INCREMENT in kinds and first == FULL:
            set_up(self.second.root)
            partly = self.folder / "landing"
            for kind, files in zip((BUT_LAST, INCREMENT), operator.parts, strict=True):
                deliver(operator, files, partly)
                yield kind, lambda: run_once(self.second.root, partly, operator.reference)

    def first_run(self) -> Run:
        """The run that the others build on."""
        set_up(self.home.root)
        run = run_once(self.home.root, self.landing, self.operator.reference)
        self.published = (self.home.published / CURRENT).resolve()
        return run

    def by_hand(self, module: str, result: str) -> Run:
        """A baseline in a process of its own, over the months that the first run published."""
        reference = complete_reference(self.operator.reference, self.folder / "every_reference")
        command: list[str | Path] = [sys.executable, "-m", f"tests.benchmarks.{module}"]
        command += ["--landing", self.landing, "--reference", reference]
        command += ["--out", self.folder / result, "--memory-limit", self.plan.memory_limit]
        command += ["--closing-month", str(closing_month(self.published))]
        return whole_run(run_measured(command).cost, {})

    def faults(self) -> Iterator[str]:
        """What is not as it must be of the parts that were done."""
        for kind, result in ((BASELINE, BASELINE_RESULT), (PANDAS, PANDAS_RESULT)):
            if kind in self.done:
                tell(f"comparing {kind} with the marts")
                found = differences(self.folder / result, self.published)
                yield from (f"{kind}: {each}" for each in found)
        if {FULL, INCREMENT} <= self.done:
            tell("comparing the increment with the full run")
            different = different_tables(self.published, self.second.published / CURRENT)
            for name, columns in different.items():
                yield f"{INCREMENT}: {name} differs from the full run in {', '.join(columns)}"


def plain_dbt(home: Home, memory_limit: str) -> Run:
    """`dbt build` into an empty warehouse from the lake of a home: no Dagster, no validation.

    The publication stays, so that it can still be compared.
    """
    home.warehouse.unlink()
    environment = dbt_environment(home, memory_limit)
    command = (dbt_executable(), *BUILD, "--project-dir", PROJECT_DIR)
    return whole_run(run_measured(command, environment).cost, {})


def rows_loaded(home: Home) -> int:
    """Rows loaded from the landing area."""
    with duckdb.connect(str(readers_database(home)), read_only=True) as connection:
        row = connection.execute("select sum(rows_loaded) from audit.load").fetchone()
    assert row is not None
    return int(row[0])


def keep(results: Path, scale: Scale, kind: str, run: Run) -> None:
    """Add a measurement to the file of results."""
    line = {"customers": scale.customers, "rows": scale.rows, "megabytes": scale.megabytes}
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps({**line, "kind": kind, **asdict(run)}) + "\n")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a Markdown table, the first column of text and the others of numbers."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join(('---', *('---:' for _ in headings[1:])))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def shown(value: float | None, form: str) -> str:
    """A number, or nothing where none was measured."""
    return "" if value is None else format(value, form)


def scale_report(scale: Scale) -> Iterator[str]:
    """What was measured of one operator."""
    kinds = [kind for kind in KINDS if scale.runs.get(kind)]
    counts = {len(runs) for runs in scale.runs.values()}
    yield f"\n### {scale.customers:,} customers\n"
    yield (
        f"{scale.megabytes:,.1f} MB delivered, {scale.rows:,} rows loaded; phases in seconds; "
        f"runs of each kind, of which medians: {' to '.join(map(str, sorted(counts)))}.\n"
    )
    phases = list(dict.fromkeys(phase for kind in kinds for phase in scale.runs[kind][0].phases))
    rows = [
        [
            phase,
            *(shown(scale.median(kind, phase_seconds(phase)) or None, ",.1f") for kind in kinds),
        ]
        for phase in phases
    ]
    rows += [
        [name, *(shown(scale.median(kind, measure), form) for kind in kinds)]
        for name, measure, form in MEASURES
    ]
    yield from table(("", *kinds), rows)
    for kind in (scale.full, INCREMENT):
        if kind in kinds:
            yield from phase_report(scale, kind)
    wall = scale.median(scale.full, lambda run: run.wall)
    if wall:
        yield (
            f"\n{scale.full}: {scale.megabytes / wall:,.2f} MB and {scale.rows / wall:,.0f} rows "
            "a second.\n"
        )
    yield from (f"- {name}: {value:.2f}" for name, value in ratios(scale))
    yield from (f"- **fault:** {fault}" for fault in scale.faults)
    if {FULL, INCREMENT} <= scale.runs.keys() and not any(
        INCREMENT in each for each in scale.faults
    ):
        yield (
            "- Content of the increment equals that of the full run in every published table"
            f" (apart from {', '.join(sorted(OF_RUNS))}, which tell of the runs)."
        )


def phase_report(scale: Scale, kind: str) -> Iterator[str]:
    """What each phase of a kind of run cost."""
    yield f"\nPhases of {kind}:\n"
    measures: tuple[tuple[Callable[[Cost], float], str], ...] = (
        (lambda phase: phase.wall, ",.1f"),
        (lambda phase: phase.processor, ",.1f"),
        (lambda phase: phase.tree_peak, ",.0f"),
    )
    rows = []
    for title in scale.runs[kind][0].phases:
        costs = [run.phases[title] for run in scale.runs[kind] if title in run.phases]
        rows.append(
            [title, *(shown(statistics.median(map(of, costs)), form) for of, form in measures)]
        )
    yield from table(("", "clock, s", "processors, s", "peak of all processes, MB"), rows)


def phase_seconds(phase: str) -> Callable[[Run], float]:
    """The measure of a phase; one that a run left out took no time."""
    return lambda run: run.phases[phase].wall if phase in run.phases else 0.0


def ratios(scale: Scale) -> Iterator[tuple[str, float]]:
    """How many times as long as another one kind of run took, where both were measured."""
    for name, kind, other in RATIOS:
        kinds = (scale.full if each == FULL else each for each in (kind, other))
        one, base = (scale.median(each, lambda run: run.wall) for each in kinds)
        if one and base:
            yield name, one / base


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """The slope of a straight line through the logarithms: 1 is cost in step with size."""
    if len({size for size, _ in points}) < 2:
        return None
    return statistics.linear_regression(
        [math.log(size) for size, _ in points], [math.log(cost) for _, cost in points]
    ).slope


def slope_report(scales: Sequence[Scale]) -> Iterator[str]:
    """How cost grows with the number of customers."""
    if len(scales) < 2:
        return
    names = [name.replace("*", "").rpartition(",")[0] for name, _, _ in MEASURES]
    yield f"\n### Slopes over {', '.join(f'{scale.customers:,}' for scale in scales)} customers\n"
    rows = []
    for kind in KINDS:
        points = [
            [
                (scale.customers, cost)
                for scale in scales
                if (cost := scale.median(scale.full if kind == FULL else kind, measure))
            ]
            for _, measure, _ in MEASURES
        ]
        if len(points[0]) > 1:
            rows.append([kind, *(shown(slope(each), ".2f") for each in points)])
    yield from table(("", *names), rows)


def conditions() -> str:
    """Where and with what the figures were taken."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("duckdb", "dbt-core", "dagster", "pandas")
    )
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors, {memory:.0f} GB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {versions}"
    )


def operators(chosen: argparse.Namespace, folder: Path) -> Iterator[Operator]:
    """The operators asked for, each made when its turn comes and removed after it."""
    for place in chosen.landing or ():
        yield operator_in(place)
    for customers in () if chosen.landing else chosen.customers:
        place = folder / "operator"
        tell(f"making an operator of {customers:,} customers")
        began = time.monotonic()
        write_sample(place, customers, chosen.months)
        tell(f"made in {time.monotonic() - began:.1f} s")
        yield operator_in(place)
        shutil.rmtree(place)


def main() -> int:
    """Measure every scale; 1 if something was computed that must not be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--months", type=int, default=24, help="of the operators made")
    parser.add_argument(
        "--landing",
        type=Path,
        nargs="+",
        help="ready-made operators (folders with landing/ and reference/) instead",
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--skip", nargs="+", choices=SKIPPED, default=[])
    parser.add_argument("--pandas-up-to", type=int, default=200_000, help="customers delivered")
    parser.add_argument(
        "--memory-limit",
        default=Settings.model_fields["memory_limit"].default,
        help="of baseline.sql and dbt build; the main job takes that of its settings",
    )
    parser.add_argument("--folder", type=Path, help="where to work; with room for two homes")
    parser.add_argument("--results", type=Path, default=REPOSITORY / "target" / "scales.jsonl")
    chosen = parser.parse_args()
    skipped = {kind for part in chosen.skip for kind in SKIPPED[part]}
    print(conditions(), flush=True)
    scales: list[Scale] = []
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for operator in operators(chosen, Path(folder)):
            kinds = frozenset(KINDS) - skipped
            if customers_delivered(operator) > chosen.pandas_up_to:
                kinds -= {PANDAS}
            plan = Plan(chosen.runs, kinds, chosen.memory_limit, Path(folder), chosen.results)
            for scale in measure_scale(operator, plan):
                latest = scale
                print(*scale_report(scale), sep="\n", flush=True)
            scales.append(latest)
    print(*slope_report(scales), sep="\n", flush=True)
    return int(any(scale.faults for scale in scales))


def customers_delivered(operator: Operator) -> int:
    """Customers in the landing area."""
    files = operator.landing / "customers" / "*.parquet"
    row = duckdb.execute(
        "select count(distinct customer_id) from read_parquet(?)", [str(files)]
    ).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    sys.exit(main())
