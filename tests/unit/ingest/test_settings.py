"""Settings: where each value comes from, and what is told about a wrong one."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.settings import byte_count, environment_of, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "LANDING", "REFERENCE", "REPORTING_CURRENCY", "TIMEZONE", "THROUGH"):
        monkeypatch.delenv(f"TIERWISE_{name}", raising=False)


def toml(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tierwise.toml").write_text(text)
    return folder


def test_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.home == Path("home").absolute()
    assert settings.landing is None
    assert settings.reference is None
    assert settings.through is None
    assert settings.reporting_currency == "CNY"
    assert settings.timezone == "Asia/Shanghai"
    assert settings.tier_policy == "house"
    assert settings.memory_limit == "8GB"
    assert settings.quarantine_share_limit == 0.01


def test_share_limits_go_by_feed_and_reach_other_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = toml(
        tmp_path / "home",
        "quarantine_share_limit = 0.02\n[quarantine_share_limits]\ninvoices = 0.0\n",
    )
    settings = load_settings(home)
    assert settings.share_limit_of("invoices") == 0
    assert settings.share_limit_of("charges") == 0.02
    for key, value in environment_of(settings).items():
        monkeypatch.setenv(key, value)
    assert load_settings() == settings


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[quarantine_share_limits]\nbills = 0.1", "names no feed: bills"),
        ("[quarantine_share_limits]\ninvoices = 2", "less than or equal to 1"),
        ('expanded_size_limit = "much"', "should match pattern"),
        ("expanded_ratio_limit = 0", "greater than or equal to 1"),
    ],
)
def test_wrong_limits_are_told(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load_settings(toml(tmp_path / "home", text))


@pytest.mark.parametrize(
    ("text", "size"),
    [("5B", 5), ("1.5KB", 1500), ("64 MiB", 64 << 20), ("200GB", 200 * 10**9), ("1TiB", 1 << 40)],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert byte_count(text) == size


def test_flags_win_over_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = toml(
        tmp_path / "home",
        'reporting_currency = "USD"\ntimezone = "UTC"\ntier_policy = "file"\n',
    )
    monkeypatch.setenv("TIERWISE_TIMEZONE", "Europe/Paris")
    monkeypatch.setenv("TIERWISE_TIER_POLICY", "environment")
    monkeypatch.setenv("TIERWISE_REFERENCE_SET", "a variable of the engine, no setting")
    settings = load_settings(home, tier_policy="flag", through=None)
    assert settings.reporting_currency == "USD"
    assert settings.timezone == "Europe/Paris"
    assert settings.tier_policy == "flag"


def test_home_comes_from_the_environment_without_a_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml(tmp_path / "elsewhere", 'timezone = "UTC"\n')
    monkeypatch.setenv("TIERWISE_HOME", str(tmp_path / "elsewhere"))
    settings = load_settings()
    assert settings.home == tmp_path / "elsewhere"
    assert settings.timezone == "UTC"


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    home = toml(tmp_path / "home", 'landing = "in"\nreference = "../tables"\n')
    settings = load_settings(home)
    assert settings.landing == home / "in"
    assert settings.reference == home / ".." / "tables"


def test_file_beside_the_landing_folder_is_read_without_one_in_the_home(tmp_path: Path) -> None:
    operator = toml(tmp_path / "operator", 'timezone = "UTC"\nreference = "reference"\n')
    settings = load_settings(tmp_path / "home", landing=operator / "landing")
    assert settings.timezone == "UTC"
    assert settings.reference == operator / "reference"
    toml(tmp_path / "home", 'reporting_currency = "EUR"\n')
    settings = load_settings(tmp_path / "home", landing=operator / "landing")
    assert settings.timezone == "Asia/Shanghai"
    assert settings.reference is None


def test_through_is_a_month_that_has_begun(tmp_path: Path) -> None:
    assert load_settings(tmp_path, through="2020-01").through == dt.date(2020, 1, 1)
    for wrong in ("2020-13", "2020-1", "January"):
        with pytest.raises(ConfigurationError, match=rf"the command line: through = '{wrong}'"):
            load_settings(tmp_path, through=wrong)
    with pytest.raises(ConfigurationError, match=r"'2999-01': is after the current month"):
        load_settings(tmp_path, through="2999-01")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('timezone = "Mars/Olympus"', "timezone = 'Mars/Olympus': is no time zone"),
        ('reporting_currency = "yuan"', "reporting_currency = 'yuan'"),
        ('memory_limit = "plenty"', "memory_limit = 'plenty'"),
        ("quarantine_share_limit = 1.1", "quarantine_share_limit = '1.1'"),
        ('tier_policy = ""', "tier_policy = ''"),
        ('landig = "x"', "unknown setting 'landig'. Known are: landing"),
        ('home = "x"', "unknown setting 'home'"),
        ("landing = ", "cannot be read as TOML"),
    ],
)
def test_wrong_value_is_told_with_its_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    home = toml(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(home)
    assert str(home / "tierwise.toml") in str(caught.value)
    assert words in str(caught.value)


def test_wrong_value_is_told_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIERWISE_TIMEZONE", "Mars")
    with pytest.raises(ConfigurationError, match="the environment: TIERWISE_TIMEZONE = 'Mars'"):
        load_settings(tmp_path)


def test_unknown_flag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the command line: colour = 'red'"):
        load_settings(tmp_path, colour="red")


def test_importing_settings_and_contract_is_cheap() -> None:
    code = (
        "import sys, orchestration.settings, orchestration.ingest.contract; "
        "print([name for name in ('pandas', 'dagster', 'duckdb', 'pyarrow') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
