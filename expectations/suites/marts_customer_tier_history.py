"""Suite of the mart customer_tier_history: stretches of one tier, without gaps or overlaps."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.queries import ExpectHistoryToBeContinuous
from expectations.suites.common import (
    compared,
    first_day,
    key_rules,
    mart,
    present,
    ranged,
    refers,
)

DATASET = mart("customer_tier_history", "customer_id", "valid_from", owner="customer value team")

SAME_TIER = """
select
    tiers.customer_id,
    tiers.month,
    stretches.tier_code is distinct from tiers.tier_code as failed
from marts.customer_tier_monthly as tiers
inner join marts.dim_customer as customers
    on tiers.customer_id = customers.customer_id
    and tiers.month >= customers.first_active_month
left join marts.customer_tier_history as stretches
    on tiers.customer_id = stretches.customer_id
    and tiers.month >= stretches.valid_from
    and tiers.month < coalesce(stretches.valid_to, date '9999-12-31')
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "tier_code", "months"),
            first_day(DATASET, "valid_from"),
            first_day(DATASET, "valid_to"),
            ranged(DATASET, "months", 1, None, "rulebook 6, history"),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            DATASET.expect(
                ExpectHistoryToBeContinuous,
                "history_is_continuous",
                "A customer's stretches follow each other without a gap or an overlap;"
                " the last one is open.",
                "rulebook 6, history",
                column="valid_to",
                key="customer_id",
                starts="valid_from",
                ends="valid_to",
            ),
            compared(
                DATASET,
                "history_agrees_with_the_months",
                "Each customer-month's tier is that of the stretch it lies in.",
                SAME_TIER,
                "rulebook 6, history",
                keys=["customer_id", "month"],
                column="tier_code",
            ),
        ],
        "Stretches of one tier, without gaps or overlaps.",
    )
