"""Rows released from quarantine are evidence too: listed, verified and reproduced."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.audit.files import read_manifest
from orchestration.audit.verify import verify_home
from orchestration.home import Home
from tests.support.audited import rewrite_parquet
from tests.support.command import published, tierwise
from tests.support.landing import write_feed, write_small_operator

PAYMENT = {"payment_id": "P-LATE", "account_id": "A-C1", "paid_on": "soon", "amount": "5.00"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two runs: a payment without a date waits in the first, and is released for the second."""
    folder = tmp_path_factory.mktemp("released")
    landing, reference = write_small_operator(folder, months=2)
    write_feed(landing, "payments", "late.csv", [PAYMENT])
    home, target = Home(folder / "home"), folder / "to correct.csv"
    run = ("run", "--home", home.root, "--landing", landing, "--reference", reference)
    limit = {"TIERWISE_QUARANTINE_SHARE_LIMIT": "1"}
    quarantine = ("--home", home.root)
    assert tierwise(*run, **limit).returncode == 0
    assert tierwise("quarantine", "export", *quarantine, "--out", target).returncode == 0
    target.write_text(target.read_text().replace(",soon,", ",2025-02-20,"))
    assert tierwise("quarantine", "release", target, *quarantine).returncode == 0
    assert tierwise(*run, **limit).returncode == 0
    return home


def test_a_run_with_released_rows_is_verified_and_reproduced(home: Home) -> None:
    rows = published(home.root, "select released_load_id from audit.quarantine")
    assert rows["released_load_id"].notna().all()
    assert len(rows) == 1
    assert verify_home(home).differences == []
    again = tierwise("audit", "reproduce", "last", "--home", home.root)
    assert again.returncode == 0, again.stdout + again.stderr


def test_a_changed_link_of_a_released_row_is_named(home: Home) -> None:
    (manifest,) = sorted(home.evidence.glob("*/manifest.json"))[-1:]
    listed = [entry["path"] for entry in read_manifest(manifest)["lake"]]
    (link,) = [path for path in listed if path.startswith("lake/releases/")]
    rewrite_parquet(home.root / Path(link), "select * replace (2 as origin_row_number) from rows")
    (difference,) = verify_home(home).differences
    assert difference.place == link
    assert "the file of released rows' links was changed" in difference.what
