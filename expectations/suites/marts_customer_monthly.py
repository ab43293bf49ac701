"""Suite of the mart customer_monthly: state, revenue, receivables, kinds."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.queries import ExpectTotalsToAgree
from expectations.suites.common import (
    RELATIONSHIPS,
    SEGMENTS,
    coded,
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    ranged,
    refers,
)

DATASET = mart("customer_monthly", "customer_id", "month", owner="customer value team")

COUNTS = [
    "active_subscriptions",
    "active_accounts",
    "products",
    "product_families",
    "tenure_months",
    "outstanding_amount",
    "overdue_amount",
    "complaints_12m",
    "open_complaints",
]

PREMIER = """
is_premier = (
    cast(is_important as integer) + cast(is_high_value as integer)
    + cast(is_group as integer) + cast(is_strategic as integer)
    >= (
        select cast(max(value) as decimal(18, 6)) from reference.parameters
        where name = 'premier_minimum_kinds'
    )
)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "relationship", "region_code", "segment", "revenue"),
            first_day(DATASET),
            coded(DATASET, "relationship", RELATIONSHIPS, "rulebook 2"),
            coded(DATASET, "segment", SEGMENTS, "rulebook 6, kinds"),
            coded(
                DATASET,
                "credit_grade",
                ["good", "average", "poor", "unknown"],
                "rulebook 4",
            ),
            ranged(DATASET, "stars", 1, 7, "rulebook 7"),
            *[not_negative(DATASET, column, "critical") for column in COUNTS],
            refers(DATASET, "customer_id", "marts.dim_customer"),
            refers(DATASET, "region_code", "marts.dim_region"),
            holds(
                DATASET,
                "overdue_is_part_of_outstanding",
                "No more is overdue than is open.",
                "coalesce(overdue_amount <= outstanding_amount, true)",
                "rulebook 4",
                column="overdue_amount",
            ),
            holds(
                DATASET,
                "active_customer_has_an_account",
                "Subscriptions, accounts and products are active together.",
                "(active_subscriptions > 0) = (active_accounts > 0)"
                " and (active_subscriptions > 0) = (products > 0)"
                " and active_accounts <= active_subscriptions"
                " and product_families <= products",
                "rulebook 3, ARPA",
                column="active_accounts",
            ),
            holds(
                DATASET,
                "active_customer_is_served",
                "A customer is on_net, returned or dormant if and only if it has an"
                " active subscription.",
                "(active_subscriptions > 0) = (relationship in ('on_net', 'returned', 'dormant'))",
                "rulebook 2",
                column="relationship",
            ),
            holds(
                DATASET,
                "segment_fits_kinds",
                "A customer is of segment key if and only if it is of some kind.",
                "(segment = 'key') = (is_important or is_high_value or is_group or is_strategic)",
                "rulebook 6, kinds",
                column="segment",
            ),
            holds(
                DATASET,
                "premier_customer_is_of_several_kinds",
                "is_premier tells whether a customer is of as many kinds as"
                " premier_minimum_kinds asks.",
                PREMIER,
                "rulebook 6, kinds",
                column="is_premier",
            ),
            DATASET.expect(
                ExpectTotalsToAgree,
                "revenue_agrees_with_fct_revenue_monthly",
                "Each month, the revenue of all customers is that of fct_revenue_monthly.",
                "rulebook 1",
                column="revenue",
                left="marts.customer_monthly",
                left_total="sum(revenue)",
                right="marts.fct_revenue_monthly",
                right_total="sum(revenue)",
                by=["month"],
                keys=["month"],
                has_amount=True,
                money_unit="difference",
            ),
        ],
        "The customer-month: state, revenue, receivables, kinds.",
    )
