"""Extraction in Dagster, and that nobody pays for it who does not use it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from orchestration.extract_jobs import extract_jobs
from orchestration.settings import load_settings
from tests.support.extracting import DSN_VARIABLE, ExtractHome
from tests.support.landing import write_small_operator

USAGE = '[extract.billing.feeds.usage]\ntable = "usage"\ncursor = "usage_month"'


def test_every_declared_source_has_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = ExtractHome(tmp_path)
    home.declare(USAGE)
    database = tmp_path / "billing.sqlite"
    monkeypatch.setenv(DSN_VARIABLE, f"sqlite:///{database}")
    with sqlite3.connect(database) as connection:
        connection.execute("create table usage (subscription_id text, usage_month text)")
        connection.execute("insert into usage values ('S1', '2025-01-01')")
    (job,) = extract_jobs(load_settings(home.home, landing=home.landing))
    assert job.name == "extract_billing"
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance).success
    assert home.rows("usage") == [("S1", "2025-01-01")]


def test_a_home_without_sources_has_no_job(tmp_path: Path) -> None:
    assert extract_jobs(load_settings(tmp_path / "home")) == []


LOAD_LOCALLY = """
import datetime, sys
import orchestration.cli, orchestration.extract_jobs, orchestration.sensors
from orchestration.ingest.load import load
from orchestration.settings import load_settings
settings = load_settings(sys.argv[1], landing=sys.argv[2], reference=sys.argv[3])
load(settings, run_id="r", started_at=datetime.datetime.now(datetime.UTC), code_version="t")
heavy = {"s3fs", "aiobotocore", "botocore", "aiohttp", "sshfs", "asyncssh", "psycopg", "pymysql"}
print(sorted(heavy & sys.modules.keys()), "orchestration.extract.database" in sys.modules)
"""


def test_a_local_load_imports_nothing_of_it(tmp_path: Path) -> None:
    landing, reference = write_small_operator(tmp_path, months=1)
    outcome = subprocess.run(
        [sys.executable, "-c", LOAD_LOCALLY, tmp_path / "home", landing, reference],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.stdout == "[] False\n", outcome.stderr
