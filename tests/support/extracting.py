"""Extraction in tests: a home that declares sources, and what reached the landing folder."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.extract.extract import Extracted, extract
from orchestration.settings import load_settings

DSN_VARIABLE = "TEST_EXTRACT_DSN"
MEASURE = """
import resource, sys
from pathlib import Path
from orchestration.extract.extract import extract
from orchestration.settings import load_settings
extract(load_settings(Path(sys.argv[1]), landing=sys.argv[2]), "billing")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@dataclass(frozen=True)
class ExtractHome:
    """A home whose tierwise.toml declares the source `billing`."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    def declare(self, feeds: str, source: str = "") -> None:
        """Write tierwise.toml; `feeds` holds the sections below the source."""
        self.home.mkdir(exist_ok=True)
        (self.home / "tierwise.toml").write_text(
            f'[extract.billing]\ndsn_variable = "{DSN_VARIABLE}"\n{source}\n{feeds}\n'
        )

    def extract(self) -> dict[str, Extracted]:
        """Extract in this process; what was delivered, by feed."""
        settings = load_settings(self.home, landing=self.landing)
        return {extracted.feed: extracted for extracted in extract(settings, "billing")}

    def files(self, feed: str) -> list[str]:
        """The names of what a loader would see."""
        return sorted(path.name for path in (self.landing / feed).glob("*.parquet"))

    def rows(self, feed: str, columns: str = "*", order: str = "all") -> list[tuple[Any, ...]]:
        """Every delivered row of a feed."""
        files = [str(self.landing / feed / name) for name in self.files(feed)]
        if not files:
            return []
        with duckdb.connect() as connection:
            return connection.execute(
                f"select {columns} from read_parquet({files}, union_by_name = true) "
                f"order by {order}"
            ).fetchall()

    def totals(self, feed: str) -> dict[str, Any]:
        """The control totals of a feed, by file."""
        control = json.loads((self.landing / feed / "_control.json").read_text())
        files: dict[str, Any] = control["files"]
        return files


def peak_memory(home: ExtractHome) -> int:
    """Extract in a process of its own; the megabytes it took at most."""
    outcome = subprocess.run(
        [sys.executable, "-c", MEASURE, home.home, home.landing],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(outcome.stdout)
