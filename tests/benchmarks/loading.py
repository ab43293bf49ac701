"""Times the loading of one file of charges per format against DuckDB's own COPY to Parquet.

Each measurement is a process of its own, the two sides take turns, the best of the rounds
counts: others on the machine only ever make a run slower. The loader does more than COPY: it
hashes the file, casts without rounding, judges every value and every key, and numbers the rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.ingest.contract import feed_contract
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.file_load import load_file
from orchestration.ingest.files import fingerprint
from orchestration.ingest.lake import Lake
from orchestration.ingest.landing import DeliveredFile, format_of
from orchestration.ingest.sql import connect

FORMATS = ("csv", "csv.gz", "csv.zst", "tsv", "ndjson", "parquet")
OPTIONS = {
    "csv": "format csv, header",
    "tsv": "format csv, header, delimiter '\t'",
    "ndjson": "format json",
    "parquet": "format parquet",
}
READERS = {
    "csv": "read_csv",
    "tsv": "read_csv",
    "ndjson": "read_ndjson",
    "parquet": "read_parquet",
}
COMPRESSION = {"gz": "gzip", "zst": "zstd"}
CHARGES = """
    select
        'H-' || lpad(cast(n as varchar), 10, '0') as charge_id,
        'I-' || lpad(cast(n // 5 as varchar), 9, '0') as invoice_id,
        'S-' || lpad(cast(n // 3 as varchar), 9, '0') as subscription_id,
        ['MOBILE', 'FIXED', 'BROADBAND', 'ROAMING', '0070'][1 + n % 5] as product_code,
        ['recurring', 'usage', 'one_off', 'discount'][1 + n // 5 % 4] as charge_type,
        cast(hash(n) % 100000000 / 10000 as decimal(18, 4)) as amount,
        cast(n % 1000 + 1 as decimal(18, 4)) as quantity,
        'month' as unit
    from range({rows}) as numbers(n)
"""


@dataclass(frozen=True)
class Cost:
    """What one run took: seconds on the clock, seconds of processor, megabytes at most."""

    wall: float
    cpu: float
    peak: float

    def or_better(self, other: Cost | None) -> Cost:
        """The lesser of the times, the greater of the peaks."""
        if other is None:
            return self
        return Cost(
            min(self.wall, other.wall), min(self.cpu, other.cpu), max(self.peak, other.peak)
        )


def write_charges(path: Path, kind: str, rows: int) -> None:
    """A file of sound charges."""
    layout, _, compression = kind.partition(".")
    packed = f", compression {COMPRESSION[compression]}" if compression else ""
    with duckdb.connect() as connection:
        connection.execute(
            f"copy ({CHARGES.format(rows=rows)}) to '{path}' ({OPTIONS[layout]}{packed})"
        )


def copy(path: Path, home: Path, memory_limit: str) -> None:
    """DuckDB alone: types guessed, nothing checked."""
    home.mkdir(parents=True)
    layout = (format_of(path.name) or "").partition(".")[0]
    connection = connect(memory_limit, home / "spill")
    connection.execute(
        f"copy (select * from {READERS[layout]}('{path}')) to '{home / 'x.parquet'}' "
        "(format parquet)"
    )


def load(path: Path, home: Path, memory_limit: str) -> None:
    """The loader, from the first byte of the file to the rows in the lake."""
    kind = format_of(path.name) or ""
    lake = Lake(home)
    connection = connect(memory_limit, lake.scratch / "spill")
    file = DeliveredFile("charges", path.name, path, kind)
    taken = fingerprint(path, kind)
    feed = feed_contract()["charges"]
    load_file(connection, lake, feed, file, taken, "benchmark", "Asia/Shanghai", Expansion())


SIDES: dict[str, Callable[[Path, Path, str], None]] = {"COPY": copy, "loader": load}


def measure(side: str, path: Path, memory_limit: str) -> None:
    """Run one side in this process and print its cost as JSON."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        began, used = time.monotonic(), time.process_time()
        SIDES[side](path, Path(folder) / "home", memory_limit)
        wall, cpu = time.monotonic() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))


def in_own_process(side: str, path: Path, memory_limit: str) -> Cost:
    """The cost of one side, with the memory of nothing else in it."""
    command = [sys.executable, "-m", "tests.benchmarks.loading", "--side", side]
    outcome = subprocess.run(
        [*command, "--file", path, "--memory-limit", memory_limit],
        capture_output=True,
        text=True,
        check=True,
    )
    return Cost(**json.loads(outcome.stdout))


def main() -> None:
    """Print a table: per format both sides, and the loader's time as a multiple of COPY's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--memory-limit", default="8GB", help="of both sides, default 8GB")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side:
        measure(asked.side, asked.file, asked.memory_limit)
        return
    print(f"{asked.rows:,} charges, best of {asked.rounds}, memory limit {asked.memory_limit}")
    print(
        f"{'format':<9}{'side':<8}{'seconds':>9}{'cpu s':>8}{'MB/s':>8}{'rows/s':>12}{'peak MB':>9}"
    )
    for kind in asked.formats:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"charges.{kind}"
            write_charges(path, kind, asked.rows)
            best: dict[str, Cost] = {}
            for _ in range(asked.rounds):
                for side in SIDES:
                    cost = in_own_process(side, path, asked.memory_limit)
                    best[side] = cost.or_better(best.get(side))
            size = path.stat().st_size / 1e6
        for side, cost in best.items():
            print(
                f"{kind:<9}{side:<8}{cost.wall:>9.1f}{cost.cpu:>8.1f}{size / cost.wall:>8.0f}"
                f"{asked.rows / cost.wall:>12,.0f}{cost.peak:>9,.0f}"
            )
        wall = best["loader"].wall / best["COPY"].wall
        cpu = best["loader"].cpu / best["COPY"].cpu
        print(f"{'':<9}loader / COPY: {wall:.2f} by the clock, {cpu:.2f} by processor time")


if __name__ == "__main__":
    main()
