"""Times a whole run on a large sample and says what part of it validation is.

The run is a process of its own that starts from an empty home; the share is that of both
validations in the time of the whole process. The aim is under 20 % at 10 million charges,
which the default size reaches; it takes half an hour and some 20 GB of disk on two cores.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.main_job import VALIDATION, run_once

TIERWISE = Path(sys.executable).with_name("tierwise")
AIM = 0.20
_CHARGES = re.compile(r"^charges\s+([0-9,]+) rows$", re.MULTILINE)


def write_sample(folder: Path, customers: int, months: int) -> int:
    """Write the landing area; the number of its charges."""
    arguments = ("--customers", str(customers), "--months", str(months), "--out", str(folder))
    outcome = subprocess.run(
        [TIERWISE, "sample", *arguments], capture_output=True, text=True, check=True
    )
    found = _CHARGES.search(outcome.stdout)
    return int(found[1].replace(",", "")) if found else 0


def main() -> int:
    """Print the phases and the share; 1 if validation is above the aim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=250_000)
    parser.add_argument("--months", type=int, default=18)
    parser.add_argument("--folder", type=Path, help="where to work; a scratch folder if not given")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
        sample = Path(scratch) / "sample"
        charges = write_sample(sample, asked.customers, asked.months)
        print(f"{asked.customers:,} customers, {asked.months} months, {charges:,} charges, seconds")
        run = run_once(Path(scratch) / "home", sample / "landing", sample / "reference")
    for title, phase in run.phases.items():
        print(f"  {title:<48}{phase.wall:8.1f}{phase.wall / run.wall:8.1%}")
    print(f"  {'whole process':<48}{run.wall:8.1f}")
    share = sum(run.phases[title].wall for title in VALIDATION) / run.wall
    print(f"validation {share:.1%} (aim: under {AIM:.0%}), peak memory {run.peak:,.0f} MB")
    return int(share >= AIM)


if __name__ == "__main__":
    sys.exit(main())
