"""The command line as a user runs it: a process of its own, its exit code and its words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd

TIERWISE = Path(sys.executable).with_name("tierwise")


def clean_environment() -> dict[str, str]:
    """The surrounding environment without settings of Tierwise or dbt."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TIERWISE_", "DBT_", "DAGSTER_"))
    }


def tierwise(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command; settings of the surrounding environment do not leak in."""
    return subprocess.run(
        [TIERWISE, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**clean_environment(), "COLUMNS": "200", **environment},
        check=False,
    )


def run_job(
    home: Path, landing: Path, reference: Path | None = None, through: str | None = None
) -> subprocess.CompletedProcess[str]:
    """`tierwise run` on a landing area."""
    arguments: list[str | Path] = ["run", "--home", home, "--landing", landing]
    if reference:
        arguments += ["--reference", reference]
    if through:
        arguments += ["--through", through]
    return tierwise(*arguments)


def published(home: Path, query: str) -> pd.DataFrame:
    """A query of the current publication; money stays decimal."""
    marts = home / "published" / "current" / "tierwise.duckdb"
    with duckdb.connect(str(marts), read_only=True) as connection:
        return connection.sql(query).to_arrow_table().to_pandas()
