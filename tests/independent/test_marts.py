"""Every row of the marts of a run on the sample, against the figures worked out here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.independent.comparing import differences, in_words
from tests.independent.conftest import Published
from tests.independent.marts import Marts

# One worker runs them all, so that the sample is run once.
pytestmark = pytest.mark.xdist_group("independent")

KEYS = {
    "dim_customer": ("customer_id",),
    "dim_region": ("region_code",),
    "dim_product": ("product_code",),
    "fct_revenue_monthly": ("customer_id", "account_id", "product_code", "month"),
    "fct_revenue_movement": ("customer_id", "month"),
    "fct_invoice": ("invoice_id",),
    "customer_monthly": ("customer_id", "month"),
    "customer_value_monthly": ("customer_id", "month"),
    "customer_risk_monthly": ("customer_id", "month"),
    "churn_backtest": ("month", "decile"),
    "customer_tier_monthly": ("customer_id", "month"),
    "customer_tier_history": ("customer_id", "valid_from"),
    "tier_migration_monthly": ("month", "tier_from", "tier_to"),
    "policy_comparison": ("month", "policy_id", "tier_code"),
    "revenue_concentration_monthly": ("month", "region_code", "measure"),
    "region_summary_monthly": ("month", "region_code"),
    "fct_contact": ("contact_id",),
    "contract_renewal": ("contract_id",),
    "campaign_result": ("campaign_id",),
    "proposal_economics": ("proposal_id",),
    "retention_worklist": ("customer_id",),
    "manager_scorecard_monthly": ("manager_id", "month"),
}

# Months of the test are foretold by another fit than the one whose scores are given.
PARTS = {"churn_backtest": "is_in_sample"}


@pytest.mark.parametrize("mart", KEYS)
def test_every_row_is_what_the_rulebook_gives(
    mart: str, marts: Marts, published: Published
) -> None:
    own = getattr(marts, mart)
    rows = published(f"select * from marts.{mart} where {PARTS.get(mart, 'true')}")
    differing = differences(own, rows, KEYS[mart])
    assert own and not differing, in_words(differing, len(rows))


@pytest.mark.parametrize(
    ("own", "published_value"),
    [(1, 2), (1.0, 1.0 + 1e-8), (0, None), (None, 0.0), ("on_net", "left")],
)
def test_a_single_wrong_value_is_told_with_its_row(own: Any, published_value: Any) -> None:
    mine = [{"key": "a", "value": own}, {"key": "b", "value": own}]
    theirs = [{"key": "a", "value": own}, {"key": "b", "value": published_value}]
    (line,) = differences(mine, theirs, ("key",))
    assert line.startswith("b: ") and "value" in line


def test_a_row_too_many_or_too_few_is_told() -> None:
    lines = differences([{"key": "a"}], [{"key": "b"}], ("key",))
    assert lines == ["not published: {'key': 'a'}", "published only: {'key': 'b'}"]
