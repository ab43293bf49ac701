"""Every row of the marts of a run on the sample, against the figures worked out here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.independent.comparing import SHARE_TOLERANCE, differences, in_words
from tests.independent.conftest import Published
from tests.independent.marts import Marts

# One worker runs them all, so that the sample is run once.
pytestmark = pytest.mark.xdist_group("independent")

KEYS = {
    "dim_customer": ("customer_id",),
    "dim_region": ("region_code",),
    "dim_product": ("product_code",),
    "dim_manager": ("manager_id",),
    "dim_month": ("month",),
    "fct_revenue_monthly": ("customer_id", "account_id", "product_code", "month"),
    "fct_revenue_movement": ("customer_id", "month"),
    "fct_invoice": ("invoice_id",),
    "customer_monthly": ("customer_id", "month"),
    "customer_star_monthly": ("customer_id", "month"),
    "customer_delivered_value_monthly": ("customer_id", "month"),
    "fct_complaint": ("complaint_id",),
    "complaint_service_monthly": ("month", "region_code", "tier_code", "category"),
    "customer_value_monthly": ("customer_id", "month"),
    "customer_risk_monthly": ("customer_id", "month"),
    "churn_model": ("model", "fitted_at"),
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

BELIEF = (
    "customer_id",
    "month",
    "policy_id",
    "policy_version",
    "rule_tier",
    "tier_code",
    "metric_value",
    "tier_reason",
)

# Two ways to the minimum of a fit meet within these.
TOLERANCES = {"churn_model": 1e-6, "customer_risk_monthly": 1e-6}


@pytest.mark.parametrize("mart", KEYS)
def test_every_row_is_what_the_rulebook_gives(
    mart: str, marts: Marts, published: Published
) -> None:
    own = getattr(marts, mart)
    rows = published(f"select * from marts.{mart}")
    differing = differences(own, rows, KEYS[mart], TOLERANCES.get(mart, SHARE_TOLERANCE))
    assert own and not differing, in_words(differing, len(rows))


def test_a_first_run_believes_its_own_tiers(marts: Marts, published: Published) -> None:
    own = [
        {**{name: row[name] for name in BELIEF}, "dbt_valid_to": None}
        for row in marts.customer_tier_monthly
    ]
    rows = published("select * from snapshots.customer_tier_snapshot")
    differing = differences(own, rows, ("customer_id", "month"))
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
