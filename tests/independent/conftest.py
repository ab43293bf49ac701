"""One run of the bundled sample, and its marts figured out a second time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.independent.loading import ROOT, Row
from tests.independent.marts import Marts
from tests.independent.months import number_of
from tests.independent.operator import Operator
from tests.support.command import run_job

SAMPLE = ROOT / "seeds/sample"
Published = Callable[[str], list[Row]]


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Rows of a query of the sample's publication."""
    home = tmp_path_factory.mktemp("independent") / "home"
    outcome = run_job(home, SAMPLE / "landing", SAMPLE / "reference")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return lambda query: _rows(home / "published/current/tierwise.duckdb", query)


def _rows(path: Path, query: str) -> list[Row]:
    """Rows with the values as Python has them: money as Decimal, nulls as None."""
    with duckdb.connect(str(path), read_only=True) as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.fixture(scope="session")
def marts(published: Published) -> Marts:
    """The marts from the delivered files; margins and the risk to leave are taken as given."""
    worth = published(
        "select customer_id, month, margin, potential_value, headroom_value, value_score"
        " from marts.customer_value_monthly"
    )
    values = {(row["customer_id"], number_of(row["month"])): row for row in worth}
    scored = published(
        "select customer_id, month, churn_probability from marts.customer_risk_monthly"
    )
    risks = {
        (row["customer_id"], number_of(row["month"])): row["churn_probability"] for row in scored
    }
    return Marts(Operator(SAMPLE / "landing", SAMPLE / "reference"), values, risks)
