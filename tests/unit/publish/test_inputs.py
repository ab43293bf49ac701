"""A run with nothing new is told from every other one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.home import Home
from orchestration.publish import inputs
from orchestration.publish.inputs import forget, inputs_of
from orchestration.publish.publication import CURRENT, MANIFEST
from orchestration.settings import Settings, load_settings

FIRST, SECOND = "20250101T000000Z-00000001", "20250102T000000Z-00000002"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with a lake and two publications, the second one current."""
    home = Home(tmp_path / "home")
    home.lake.mkdir(parents=True)
    (home.lake / "loads.parquet").write_text("loads")
    for run_id in (FIRST, SECOND):
        (home.published / run_id).mkdir(parents=True)
        (home.published / run_id / MANIFEST).write_text("{}")
    (home.published / CURRENT).symlink_to(SECOND)
    return home


@pytest.fixture
def settings(home: Home, tmp_path: Path) -> Settings:
    """Settings with a landing area of one file and a reference table."""
    for place in ("landing/charges", "reference"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "landing" / "charges" / "2025-01.csv").write_text("charge_id\n1\n")
    (tmp_path / "reference" / "regions.csv").write_text("region_code\nR1\n")
    return load_settings(
        home.root, landing=tmp_path / "landing", reference=tmp_path / "reference", timezone="UTC"
    )


def remembered(home: Home, settings: Settings) -> None:
    found = inputs_of(settings)
    assert found is not None
    found.remember(home)


def made(home: Home, settings: Settings) -> str | None:
    found = inputs_of(settings)
    assert found is not None
    return found.made(home)


def test_the_same_inputs_made_the_current_publication(home: Home, settings: Settings) -> None:
    assert made(home, settings) is None, "nothing is remembered yet"
    remembered(home, settings)
    assert made(home, settings) == SECOND
    forget(home)
    assert made(home, settings) is None


def rewritten(path: Path) -> None:
    """The same number of bytes, and the time of change set back."""
    before = path.stat()
    path.write_bytes(bytes(reversed(path.read_bytes())))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda root: (root / "landing" / "charges" / "b.csv").write_text("charge_id\n"),
    "a file gone": lambda root: (root / "landing" / "charges" / "2025-01.csv").unlink(),
    "a new empty folder": lambda root: (root / "landing" / "payments").mkdir(),
    "a file with other bytes": lambda root: rewritten(root / "landing" / "charges" / "2025-01.csv"),
    "other control totals": lambda root: (root / "landing" / "_control.json").write_text("{}"),
    "another reference table": lambda root: rewritten(root / "reference" / "regions.csv"),
    "rows released": lambda root: (root / "home" / "lake" / "released.parquet").write_text("r"),
    "rolled back": lambda root: (
        (root / "home" / "published" / CURRENT).unlink(),
        (root / "home" / "published" / CURRENT).symlink_to(FIRST),
    ),
    "the publication damaged": lambda root: (root / "home/published" / SECOND / MANIFEST).unlink(),
    "the note damaged": lambda root: (root / "home/published" / inputs.NAME).write_text("{"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_noticed(change: str, home: Home, settings: Settings, tmp_path: Path) -> None:
    remembered(home, settings)
    CHANGES[change](tmp_path)
    assert made(home, settings) is None


def test_other_settings_code_or_month_are_noticed(
    home: Home, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered(home, settings)
    assert made(home, settings.model_copy(update={"tier_policy": "other"})) is None
    with monkeypatch.context() as other:
        other.setattr(inputs, "code_version", lambda: "other")
        assert made(home, settings) is None
    with monkeypatch.context() as other:
        later = inputs.current_month(inputs.datetime(2031, 1, 1, tzinfo=inputs.UTC), "UTC")
        other.setattr(inputs, "current_month", lambda *_: later)
        assert made(home, settings) is None
    assert made(home, settings) == SECOND


def test_a_remote_landing_area_has_to_be_asked(settings: Settings) -> None:
    assert inputs_of(settings.model_copy(update={"landing": "s3://bucket/landing"})) is None
