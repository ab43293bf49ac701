"""Times the main job on the bundled sample, phase by phase, whole processes, medians.

Each run starts from an empty home; set-up of the environment is not counted, the parse of
the dbt project is (it is done once per home and shown under Prepare).
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "seeds" / "sample"
PHASE = re.compile(r"^(?P<title>[A-Z][^:]+): (?P<seconds>[0-9.]+) s$")
VALIDATION = ("Validate the raw data", "Validate the marts")


def run_once(home: Path) -> tuple[float, dict[str, float]]:
    """Wall seconds of one whole run, and of each phase as the run reports it."""
    began = time.monotonic()
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
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    wall = time.monotonic() - began
    phases = {
        match["title"]: float(match["seconds"])
        for match in map(PHASE.match, outcome.stdout.splitlines())
        if match
    }
    return wall, phases


def main() -> None:
    """Run and print a table: first run of a home, and a second run with nothing new."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="homes to run, default 3")
    runs = parser.parse_args().runs
    measured: dict[str, list[tuple[float, dict[str, float]]]] = {"first run": [], "run again": []}
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            for kind in measured:
                measured[kind].append(run_once(Path(folder) / "home"))
    for kind, results in measured.items():
        print(f"\n{kind}: median of {runs}, seconds")
        titles = list(results[0][1])
        for title in titles:
            print(f"  {title:<48}{statistics.median(phases[title] for _, phases in results):8.1f}")
        print(f"  {'whole process':<48}{statistics.median(wall for wall, _ in results):8.1f}")
        share = statistics.median(
            sum(phases[title] for title in VALIDATION) / wall for wall, phases in results
        )
        print(f"  {'of it validation':<48}{share:8.1%}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\npeak memory of the largest process: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
