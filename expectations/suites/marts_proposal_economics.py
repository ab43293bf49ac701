"""Suite of the mart proposal_economics: what proposals are worth, and whether they may be made."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    holds,
    in_order,
    key_rules,
    mart,
    present,
    ranged,
    refers,
)

DATASET = mart("proposal_economics", "proposal_id", owner="customer value team")

# Month by month the margins add up; paid back is where their sum first is not below 0.
PAYBACK_FITS = """
case
    when payback_month is null
        then one_off_margin < 0 and one_off_margin + monthly_margin * term_months < 0
    when payback_month = 0 then one_off_margin >= 0
    else payback_month <= term_months
        and one_off_margin + monthly_margin * payback_month >= 0
        and one_off_margin + monthly_margin * (payback_month - 1) < 0
end
"""

NPV_FITS = """
npv between one_off_margin + least(monthly_margin * term_months, 0)
    and one_off_margin + greatest(monthly_margin * term_months, 0)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "customer_id",
                "product_code",
                "term_months",
                "monthly_margin",
                "one_off_margin",
                "npv",
                "below_cost",
                "proposed_on",
            ),
            coded(DATASET, "status", ["open", "won", "lost", "withdrawn"], "feed contract"),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            refers(DATASET, "product_code", "marts.dim_product"),
            ranged(DATASET, "term_months", 1, None, "feed contract"),
            ranged(DATASET, "margin_share", None, 1, "rulebook 10", "warning"),
            in_order(DATASET, "proposed_on", "decided_on"),
            holds(
                DATASET,
                "payback_is_the_first_month_even",
                "payback_month is the first month at whose end the margins add up to 0 or more,"
                " and empty where the term has none.",
                PAYBACK_FITS,
                "rulebook 10",
                column="payback_month",
            ),
            holds(
                DATASET,
                "npv_lies_between_its_margins",
                "Discounting moves the monthly margins towards 0 and never beyond.",
                NPV_FITS,
                "rulebook 10",
                column="npv",
            ),
            holds(
                DATASET,
                "discount_is_judged_by_its_limit",
                "over_discount_limit says whether discount_rate is above discount_limit.",
                "over_discount_limit is not distinct from (discount_rate > discount_limit)",
                "rulebook 10",
                column="over_discount_limit",
            ),
            holds(
                DATASET,
                "below_cost_has_a_loss_a_month",
                "A proposal is below cost if and only if its monthly margin is below 0.",
                "below_cost = (monthly_margin < 0)",
                "rulebook 10",
                column="below_cost",
            ),
        ],
        "What proposals are worth, and whether they may be made.",
    )
