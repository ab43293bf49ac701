"""The public data sets load whole: the counts and sums their README names."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.ingest.lake import open_lake
from orchestration.ingest.load import LoadResult, load
from orchestration.settings import load_settings

PUBLIC = Path(__file__).parents[3] / ".." / "shared" / "data"

pytestmark = pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public data sets are not here")


def load_public(name: str, home: Path, **overrides: str) -> LoadResult:
    folder = PUBLIC / name
    settings = load_settings(
        home, landing=folder / "landing", reference=folder / "reference", **overrides
    )
    return load(settings, run_id="public", started_at=dt.datetime.now(dt.UTC), code_version="test")


def test_telco(tmp_path: Path) -> None:
    result = load_public("telco", tmp_path)
    assert result.closing_month == dt.date(2020, 1, 1)
    assert result.first_month == dt.date(2013, 10, 1)
    assert result.feeds["invoices"].rows_loaded == 227_990
    assert result.feeds["charges"].rows_loaded == 442_006
    assert sum(feed.rows_quarantined + feed.rows_duplicate for feed in result.feeds.values()) == 0
    with open_lake(tmp_path) as lake:
        assert lake.execute("select sum(amount) from raw.charges").fetchone() == (
            Decimal("21364367.3500"),
        )
        assert lake.execute("select count(distinct customer_id) from raw.customers").fetchone() == (
            7043,
        )


def test_receivables(tmp_path: Path) -> None:
    result = load_public("receivables", tmp_path)
    assert result.closing_month == dt.date(2013, 11, 1)
    assert result.incomplete_months == ((dt.date(2013, 12, 1), 9),)
    assert result.feeds["invoices"].rows_loaded == 2466
    assert load_public("receivables", tmp_path, through="2013-12").closing_month == dt.date(
        2013, 12, 1
    )
    with open_lake(tmp_path) as lake:
        assert lake.execute("select count(distinct customer_id) from raw.customers").fetchone() == (
            100,
        )
