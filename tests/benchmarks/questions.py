"""How fast a publication answers the example questions to readers who all ask at once.

Every reader is a process with a connection of its own, opened as a BI tool opens it, and asks
all questions in turn without a pause, each reader starting at another one. A time is from the
question to the last row, the first asking included.

    python -m tests.benchmarks.questions [--publication FOLDER] [--readers 8] [--rounds 10]

Without a publication, one of a million customers and 24 months is made: an operator of 2 000 is
made and run, and each of its customers then stands in the tables 500 times.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.documentation.questions import Question, read_questions
from orchestration.home import Home
from orchestration.publish.publication import DATABASE_FOR_READERS, readers_database
from seeds.operator.generate import write_sample
from tests.benchmarks.main_job import run_once
from tests.benchmarks.multiplied import multiply

CUSTOMERS, MONTHS, TIMES = 2_000, 24, 500
Times = dict[str, list[float]]
MOST_MILLISECONDS = 200  # what the 95th percentile of all answers may be


def main() -> None:
    """Ask, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--publication", type=Path, help="default: a million customers are made")
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        publication = chosen.publication or made_in(Path(folder))
        database = publication.resolve() / DATABASE_FOR_READERS
        started = time.perf_counter()
        times = ask(database, read_questions(), chosen.readers, chosen.rounds)
        show(times, database, chosen.readers, time.perf_counter() - started)


def made_in(folder: Path) -> Path:
    """A publication of a million customers, made in a folder; takes some minutes."""
    home = Home(folder / "home")
    write_sample(folder, CUSTOMERS, MONTHS)
    run_once(home.root, folder / "landing", folder / "reference")
    target = folder / "published"
    target.mkdir()
    multiply(
        readers_database(home), home.dbt / "manifest.json", TIMES, target / DATABASE_FOR_READERS
    )
    return target


def ask(database: Path, questions: Sequence[Question], readers: int, rounds: int) -> Times:
    """Seconds of every answer by question, over all readers."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(readers)
    results: multiprocessing.Queue[Times] = context.Queue()
    processes = [
        context.Process(
            target=_read,
            args=(database, _from(questions, reader, readers), rounds, ready, results),
        )
        for reader in range(readers)
    ]
    for process in processes:
        process.start()
    times: Times = defaultdict(list)
    for _ in processes:
        for name, seconds in results.get(timeout=3600).items():
            times[name] += seconds
    for process in processes:
        process.join()
    return {question.name: times[question.name] for question in questions}


def _from(questions: Sequence[Question], reader: int, readers: int) -> list[tuple[str, str]]:
    start = reader * len(questions) // readers
    return [(each.name, each.sql) for each in (*questions[start:], *questions[:start])]


def _read(
    database: Path,
    queries: Sequence[tuple[str, str]],
    rounds: int,
    ready: Barrier,
    results: multiprocessing.Queue[Times],
) -> None:
    times: Times = defaultdict(list)
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set enable_progress_bar = false")
        ready.wait()
        for _ in range(rounds):
            for name, sql in queries:
                asked = time.perf_counter()
                connection.execute(sql).fetchall()
                times[name].append(time.perf_counter() - asked)
    results.put(dict(times))


def show(times: Times, database: Path, readers: int, seconds: float) -> None:
    """Print the median, the 95th percentile and the longest of each question and of all."""
    table = Table(title=f"{database}, {readers} readers on {os.cpu_count()} cores, {seconds:.0f} s")
    table.add_column("question")
    for heading in ("answers", "median ms", "p95 ms", "longest ms"):
        table.add_column(heading, justify="right")
    for name, each in times.items():
        table.add_row(name, *_figures(each))
    everything = [second for each in times.values() for second in each]
    table.add_section()
    table.add_row("all", *_figures(everything))
    Console().print(table)
    p95 = 1000 * percentile(everything, 0.95)
    verdict = "within" if p95 <= MOST_MILLISECONDS else "above"
    print(f"The 95th percentile of all answers is {p95:.0f} ms, {verdict} {MOST_MILLISECONDS} ms.")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def _figures(seconds: Sequence[float]) -> list[str]:
    milliseconds = (percentile(seconds, 0.5), percentile(seconds, 0.95), max(seconds))
    return [str(len(seconds)), *(f"{1000 * each:.0f}" for each in milliseconds)]


if __name__ == "__main__":
    main()
