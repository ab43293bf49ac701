"""Suite of the mart manager_scorecard_monthly: portfolios, their measures and the score."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.base import Rule
from expectations.custom.queries import ExpectTotalsToAgree
from expectations.suites.common import (
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    ranged,
    refers,
)

DATASET = mart("manager_scorecard_monthly", "manager_id", "month", owner="customer value team")

SHARES = (
    "retention_rate",
    "renewal_rate",
    "key_visited_share",
    "senior_visit_share",
    "service_level_kept_share",
    "overdue_share",
    "score",
)

PARTS_FIT = """
customers_left <= customers_before
and contracts_renewed <= contracts_decided
and coalesce(greatest(key_customers_visited, key_customers_visited_by_senior), 0)
    <= key_customers
and service_kept <= service_outcomes
and coalesce(overdue_amount <= outstanding_amount, true)
"""

MEASURED = """
(retention_rate is not null) = (customers_before > 0)
and (renewal_rate is not null) = (contracts_decided > 0)
and (service_level_kept_share is not null) = (service_outcomes > 0)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "customers",
                "revenue",
                "customers_before",
                "customers_left",
                "contracts_decided",
                "contracts_renewed",
                "key_customers",
                "service_outcomes",
                "service_kept",
            ),
            first_day(DATASET),
            refers(DATASET, "manager_id", "marts.dim_manager"),
            not_negative(DATASET, "customers", "critical", "rulebook 10"),
            not_negative(DATASET, "overdue_amount", "critical", "rulebook 4"),
            *[ranged(DATASET, column, 0, 1, "rulebook 10") for column in SHARES],
            holds(
                DATASET,
                "parts_are_of_their_whole",
                "No part is larger than what it is a part of.",
                PARTS_FIT,
                "rulebook 10",
                column="customers",
            ),
            holds(
                DATASET,
                "shares_are_of_something",
                "A share is there where there is something to share, and nowhere else.",
                MEASURED,
                "rulebook 0, not measured is not zero",
                column="retention_rate",
            ),
            _agrees("revenue", "sum(revenue)", "true"),
            _agrees("customers", "count(*)", "relationship in ('on_net', 'returned', 'dormant')"),
        ],
        "What managers answer for each month, and their score.",
    )


def _agrees(column: str, total: str, counted: str) -> Rule:
    return DATASET.expect(
        ExpectTotalsToAgree,
        f"{column}_agrees_with_customer_monthly",
        f"Each manager and month, {column} is that of its customers in customer_monthly.",
        "rulebook 10",
        column=column,
        left=f"{DATASET.table}",
        left_total=f"sum({column})",
        right="(select * from marts.customer_monthly where manager_id is not null"
        f" and {counted}) as customers",
        right_total=total,
        by=["manager_id", "month"],
        keys=["manager_id", "month"],
    )
