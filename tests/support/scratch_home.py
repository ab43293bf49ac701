"""A home in a scratch folder: the real loader and dbt, without the rest of a run."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.audit.runs import RunRecord, RunStatus, ensure_ledger, record_run
from orchestration.home import Home
from orchestration.ingest.load import load
from orchestration.settings import Settings
from orchestration.warehouse.project import PROJECT_DIR, dbt_environment, dbt_executable

MEMORY_LIMIT = "2GB"


@dataclass(frozen=True)
class ScratchHome:
    """A home, with landing and reference folders for a test to fill with rows."""

    folder: Path
    tier_policy: str = "house"
    through: dt.date | None = None

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def reference(self) -> Path:
        return self.folder / "reference"

    def load(self, run_id: str) -> None:
        """Load what is new in the landing folder and begin a run."""
        self.home.prepare()
        ensure_ledger(self.home)
        settings = Settings(
            home=self.home.root,
            landing=self.landing,
            reference=self.reference,
            tier_policy=self.tier_policy,
            through=self.through,
            memory_limit=MEMORY_LIMIT,
        )
        load(settings, run_id=run_id, started_at=dt.datetime.now(dt.UTC), code_version="test")

    def finish(self, run_id: str, status: RunStatus) -> None:
        """Write a run into the ledger of finished runs."""
        now = dt.datetime.now(dt.UTC)
        record_run(self.home, RunRecord(run_id, now, now, status, None, "test", None, None))

    def dbt(self, *arguments: str) -> None:
        """Run dbt on this home; what it prints is the message if it fails."""
        outcome = subprocess.run(
            [dbt_executable(), "--quiet", *arguments, "--project-dir", str(PROJECT_DIR)],
            env={**os.environ, **dbt_environment(self.home, MEMORY_LIMIT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr

    def build(self, *selected: str) -> None:
        """Build seeds and models without their tests."""
        untested = ("--exclude-resource-type", "test", "unit_test", "--select", *selected)
        self.dbt("build", *untested)

    def execute(self, statement: str) -> None:
        """Change the warehouse, as a test's way to restate a mart."""
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query of the warehouse gives."""
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()
