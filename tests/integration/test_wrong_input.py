"""Wrong input gets one clear message, the documented exit code, and no stack trace."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import run_job, tierwise
from tests.support.landing import invoice, month_at, write_feed, write_small_operator


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all refusals of this module: none of them may leave anything in it."""
    return tmp_path_factory.mktemp("refused") / "home"


@pytest.fixture
def operator(tmp_path: Path) -> tuple[Path, Path]:
    return write_small_operator(tmp_path)


Damage = Callable[[Path, Path], None]


def without_landing(landing: Path, reference: Path) -> None:
    shutil.rmtree(landing)


def without_feeds(landing: Path, reference: Path) -> None:
    shutil.rmtree(landing)
    landing.mkdir()


def without_invoices(landing: Path, reference: Path) -> None:
    shutil.rmtree(landing / "invoices")


def missing_column(landing: Path, reference: Path) -> None:
    bill = invoice("C1", month_at(0), "120.00")
    del bill["due_on"]
    write_feed(landing, "invoices", "2025-01.csv.gz", [bill])


def unreadable_file(landing: Path, reference: Path) -> None:
    (landing / "invoices" / "2025-01.csv.gz").write_bytes(b"\x1f\x8b not gzip at all")


def mostly_unknown_category(landing: Path, reference: Path) -> None:
    bill = invoice("C1", month_at(0), "120.00", category="normalish")
    write_feed(landing, "invoices", "2025-01.csv.gz", [bill])


def missing_rate(landing: Path, reference: Path) -> None:
    (reference / "fx_rates.csv").write_text("month,currency,cny_per_unit\n2025-01-01,USD,7.2\n")
    bill = invoice("C1", month_at(1), "99.00", currency="HKD", invoice_id="I-HKD")
    write_feed(landing, "invoices", "foreign.csv", [bill])


def override_without_approver(landing: Path, reference: Path) -> None:
    (reference / "tier_overrides.csv").write_text(
        "customer_id,tier_code,valid_from,valid_to,approved_by,reason\n"
        "C1,gold,2025-01-01,2025-03-01,,promised\n"
    )


def override_of_unknown_tier(landing: Path, reference: Path) -> None:
    (reference / "tier_overrides.csv").write_text(
        "customer_id,tier_code,valid_from,valid_to,approved_by,reason\n"
        "C1,emerald,2025-01-01,2025-03-01,Chen Jing,promised\n"
    )


@pytest.mark.parametrize(
    ("damage", "exit_code", "words"),
    [
        (without_landing, 2, ["landing", "not there"]),
        (without_feeds, 2, ["landing", "invoices"]),
        (without_invoices, 1, ["invoices", "required"]),
        (missing_column, 1, ["2025-01.csv.gz", "due_on"]),
        (unreadable_file, 1, ["2025-01.csv.gz"]),
        (mostly_unknown_category, 1, ["2025-01.csv.gz", "category", "normalish"]),
        (missing_rate, 1, ["2025-02", "HKD", "fx_rates.csv"]),
        (override_without_approver, 2, ["tier_overrides.csv", "approved_by", "1"]),
        (override_of_unknown_tier, 2, ["tier_overrides.csv", "emerald"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_refused(
    home: Path, operator: tuple[Path, Path], damage: Damage, exit_code: int, words: list[str]
) -> None:
    shutil.rmtree(home / "lake", ignore_errors=True)
    damage(*operator)
    outcome = run_job(home, *operator)
    assert outcome.returncode == exit_code, outcome.stdout + outcome.stderr
    for word in words:
        assert word in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert not (home / "published" / "current").exists()


def test_unknown_policy(home: Path, operator: tuple[Path, Path]) -> None:
    landing, reference = operator
    outcome = tierwise(
        *("run", "--home", home, "--landing", landing, "--reference", reference),
        TIERWISE_TIER_POLICY="platinum_plus",
    )
    assert outcome.returncode == 2
    assert "platinum_plus" in outcome.stderr
    assert "house" in outcome.stderr, "the message names the policies there are"
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--through", "2025-13"], ["2025-13"]),
        (["--through", "2099-01"], ["2099-01"]),
        (["--through", "2024-06"], ["2024-06", "2025-01"]),
        (["--target", "oracle"], ["oracle"]),
        (["--no-such-option"], ["no-such-option"]),
    ],
)
def test_wrong_use(
    home: Path, operator: tuple[Path, Path], arguments: list[str], words: list[str]
) -> None:
    landing, reference = operator
    outcome = tierwise(
        *("run", "--home", home, "--landing", landing, "--reference", reference), *arguments
    )
    assert outcome.returncode == 2
    for word in words:
        assert word in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_unknown_setting_names_file_and_key(tmp_path: Path, operator: tuple[Path, Path]) -> None:
    home = tmp_path / "own home"
    home.mkdir()
    (home / "tierwise.toml").write_text('reporting_curency = "CNY"\n')
    outcome = run_job(home, *operator)
    assert outcome.returncode == 2
    assert "tierwise.toml" in outcome.stderr
    assert "reporting_curency" in outcome.stderr


def test_a_home_whose_path_sql_would_misread(tmp_path: Path, operator: tuple[Path, Path]) -> None:
    outcome = run_job(tmp_path / "the operator's home", *operator)
    assert outcome.returncode == 2
    assert "its path holds '" in outcome.stderr


def test_a_second_run_on_one_home_names_the_holder(home: Path, operator: tuple[Path, Path]) -> None:
    home.mkdir(exist_ok=True)
    with (home / "run.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        json.dump({"pid": os.getpid(), "host": "here", "started_at": "2026-11-22T05:00:00"}, lock)
        lock.flush()
        outcome = run_job(home, *operator)
    assert outcome.returncode == 3
    assert str(os.getpid()) in outcome.stderr
    assert "2026-11-22T05:00:00" in outcome.stderr
