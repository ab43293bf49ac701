"""Extraction from anything SQLAlchemy reaches, shown with SQLite; and wrong addresses."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError, HomeLockedError
from orchestration.extract.extract import extract
from orchestration.ingest.lock import HomeLock
from orchestration.settings import load_settings
from tests.support.command import tierwise
from tests.support.extracting import DSN_VARIABLE, ExtractHome
from tests.support.loading import judge

USAGE = """
[extract.billing.feeds.usage]
table = "usage_of_month"
cursor = "usage_month"
columns = { voice_minutes = "minutes" }
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sqlite3.Connection:
    path = tmp_path / "billing.sqlite"
    monkeypatch.setenv(DSN_VARIABLE, f"sqlite:///{path}")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(
        "create table usage_of_month (subscription_id text, usage_month text, minutes real, "
        "sms_count integer, photo blob)"
    )
    connection.execute(
        "insert into usage_of_month values "
        "('S1', '2025-01-01', 0.1, 3, null), ('S2', '2025-01-01', 12.25, null, null)"
    )
    return connection


@pytest.fixture
def home(tmp_path: Path) -> ExtractHome:
    home = ExtractHome(tmp_path)
    home.declare(USAGE)
    return home


def test_untyped_values_reach_the_lake_as_they_are(
    database: sqlite3.Connection, home: ExtractHome, tmp_path: Path
) -> None:
    extracted = home.extract()["usage"]
    assert (extracted.rows, extracted.through) == (2, "2025-01-01")
    (name,) = extracted.files
    judged = judge("usage", home.landing / "usage" / name, tmp_path / "lake")
    assert judged.reasons == []
    assert [row["voice_minutes"] for row in judged.rows] == [Decimal("0.10"), Decimal("12.25")]


def test_a_month_written_in_two_steps_is_read_whole(
    database: sqlite3.Connection, home: ExtractHome
) -> None:
    home.extract()
    database.execute(
        "insert into usage_of_month values ('S3', '2025-01-01', 1, 1, null), "
        "('S1', '2025-02-01', 2, 2, null)"
    )
    assert home.extract()["usage"].rows == 2
    assert home.extract()["usage"].rows == 0
    assert home.rows("usage", "subscription_id, usage_month") == [
        ("S1", "2025-01-01"),
        ("S1", "2025-02-01"),
        ("S2", "2025-01-01"),
        ("S3", "2025-01-01"),
    ]


def test_control_totals_of_others_stay(database: sqlite3.Connection, home: ExtractHome) -> None:
    (home.landing / "usage").mkdir(parents=True)
    (home.landing / "usage" / "_control.json").write_text(
        '{"sender": "billing", "files": {"by-hand.csv": {"rows": 1}}}'
    )
    home.extract()
    assert set(home.totals("usage")) == {"by-hand.csv", "billing-00000001.parquet"}


def test_a_file_that_the_home_does_not_know_is_not_replaced(
    database: sqlite3.Connection, home: ExtractHome
) -> None:
    home.extract()
    before = (home.landing / "usage" / "billing-00000001.parquet").read_bytes()
    (home.home / "extract" / "billing.usage.json").unlink()
    with pytest.raises(ConfigurationError, match="is there already"):
        home.extract()
    assert home.files("usage") == ["billing-00000001.parquet"]
    assert (home.landing / "usage" / "billing-00000001.parquet").read_bytes() == before


def test_another_cursor_is_no_continuation(database: sqlite3.Connection, home: ExtractHome) -> None:
    home.extract()
    home.declare(USAGE.replace('cursor = "usage_month"', 'cursor = "sms_count"'))
    database.execute("update usage_of_month set sms_count = 1")
    with pytest.raises(ConfigurationError, match="read by the cursor usage_month so far"):
        home.extract()


@pytest.mark.parametrize(
    ("cursor", "said"),
    [("minutes", "the cursor minutes is of type float"), ("photo", "the cursor photo is null")],
)
def test_not_every_column_is_a_cursor(
    database: sqlite3.Connection, home: ExtractHome, cursor: str, said: str
) -> None:
    home.declare(USAGE.replace('"usage_month"', f'"{cursor}"'))
    with pytest.raises(ConfigurationError, match=said):
        home.extract()


def test_bytes_are_refused(database: sqlite3.Connection, home: ExtractHome) -> None:
    database.execute("update usage_of_month set sms_count = x'00ff' where subscription_id = 'S2'")
    with pytest.raises(ConfigurationError, match="sms_count holds bytes"):
        home.extract()
    assert list((home.landing / "usage").iterdir()) == []


def test_two_extractions_at_once_are_one_too_many(
    database: sqlite3.Connection, home: ExtractHome
) -> None:
    with HomeLock(home.home / "extract"), pytest.raises(HomeLockedError):
        home.extract()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", f"the environment variable {DSN_VARIABLE} is not set"),
        ("geheim", f"{DSN_VARIABLE} holds no address"),
        ("postgresql://me:geheim@127.0.0.1:1/db", "postgresql://127.0.0.1:1/db cannot be reached"),
        ("postgresql://127.0.0.1:1/db?user=me&password=geheim", "cannot be reached"),
        ("mysql://me:geheim@127.0.0.1:1/db", "mysql://127.0.0.1:1/db cannot be reached"),
        ("nosuch://me:geheim@host/db", "SQLAlchemy knows no database 'nosuch'"),
        ("oracle+oracledb://me:geheim@host/db", "the driver oracledb is not installed"),
        ("sqlite:////nowhere/geheim.sqlite", "cannot be reached: unable to open database file"),
    ],
)
def test_a_wrong_address_is_told_without_its_secrets(
    home: ExtractHome, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    monkeypatch.setenv(DSN_VARIABLE, address)
    with pytest.raises(ConfigurationError) as refused:
        home.extract()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "me:geheim" not in str(refused.value)
    assert "=geheim" not in str(refused.value)


def test_an_unknown_source_is_exit_2_in_one_line(home: ExtractHome) -> None:
    outcome = tierwise("extract", "--source", "crm", "--home", home.home, "--landing", home.landing)
    assert outcome.returncode == 2
    assert "There is no source 'crm'. Declared are: billing." in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert not home.landing.exists()


def test_rows_go_into_a_local_folder_only(database: sqlite3.Connection, home: ExtractHome) -> None:
    settings = load_settings(home.home, landing="s3://bucket/landing")
    with pytest.raises(ConfigurationError, match="Give --landing DIR"):
        extract(settings, "billing")
