"""One run of the bundled sample, and its marts figured out a second time."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
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
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the sample was run."""
    home = tmp_path_factory.mktemp("independent") / "home"
    outcome = run_job(home, SAMPLE / "landing", SAMPLE / "reference")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return home


@pytest.fixture(scope="session")
def published(home: Path) -> Published:
    """Rows of a query of the sample's publication."""
    return lambda query: _rows(home / "published/current/tierwise.duckdb", query)


@pytest.fixture(scope="session")
def built(home: Path) -> Published:
    """Rows of a query of the warehouse, for what is not published."""
    return lambda query: _rows(home / "warehouse.duckdb", query)


def _rows(path: Path, query: str) -> list[Row]:
    """Rows with the values as Python has them: money as Decimal, nulls as None."""
    with duckdb.connect(str(path), read_only=True) as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.fixture(scope="session")
def marts(published: Published, built: Published) -> Marts:
    """The marts from the delivered files, each by what is published of the layers below it.

    Given are margins, values and risks, so that a fault is told where it is, once.
    """
    worth = published(
        "select customer_id, month, margin, potential_value, headroom_value, value_score"
        " from marts.customer_value_monthly"
    )
    values = {(row["customer_id"], number_of(row["month"])): row for row in worth}
    risks = _risks(
        published(
            "select customer_id, month, churn_probability as risk from marts.customer_risk_monthly"
        )
    )
    tested_risks = _risks(
        built(
            "select customer_id, month, evaluated_probability as risk"
            " from intermediate.int_customer_churn_scored where evaluated_probability is not null"
        )
    )
    operator = Operator(SAMPLE / "landing", SAMPLE / "reference")
    return Marts(operator, values, risks, tested_risks)


def _risks(rows: list[Row]) -> dict[tuple[str, int], Decimal]:
    return {(row["customer_id"], number_of(row["month"])): row["risk"] for row in rows}
