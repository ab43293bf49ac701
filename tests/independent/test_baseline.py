"""The benchmark's baselines compute what the marts say, and the comparison would tell if not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.benchmarks.baseline import closing_month, complete_reference, compute, differences
from tests.benchmarks.pandas_baseline import Operator
from tests.benchmarks.pandas_baseline import compute as compute_in_pandas
from tests.independent.conftest import SAMPLE


@pytest.fixture(scope="module")
def publication(home: Path) -> Path:
    return home / "published/current"


@pytest.fixture(scope="module")
def computed(publication: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script computes of the sample."""
    folder = tmp_path_factory.mktemp("baseline")
    reference = complete_reference(SAMPLE / "reference", folder / "reference")
    database = folder / "baseline.duckdb"
    compute(SAMPLE / "landing", reference, closing_month(publication), database, "2GB")
    return database


def test_the_script_agrees_with_the_marts(computed: Path, publication: Path) -> None:
    assert list(differences(computed, publication)) == []


@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("revenue_monthly", "discount = discount + 0.0001", "sum(discount)"),
        ("receivables_monthly", "overdue_amount = 0", "sum(overdue_amount)"),
        ("tier_monthly", "tier_code = 'diamond'", "only in"),
        ("value_monthly", "margin = margin + 1", "sum(margin)"),
    ],
)
def test_a_wrong_sum_is_told(
    computed: Path, publication: Path, tmp_path: Path, table: str, change: str, told: str
) -> None:
    wrong = tmp_path / "wrong.duckdb"
    wrong.write_bytes(computed.read_bytes())
    with duckdb.connect(str(wrong)) as connection:
        latest = f"(select max(m) from {table})"
        connection.execute(f"update {table} set {change} where m = {latest}")
    found = list(differences(wrong, publication))
    assert any(told in each for each in found), found


def test_pandas_agrees_with_the_marts(publication: Path, tmp_path: Path) -> None:
    closing = closing_month(publication)
    reference = complete_reference(SAMPLE / "reference", tmp_path / "reference")
    compute_in_pandas(Operator(SAMPLE / "landing", reference, closing), tmp_path / "frames")
    assert list(differences(tmp_path / "frames", publication)) == []
