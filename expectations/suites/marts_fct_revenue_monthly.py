"""Suite of the mart fct_revenue_monthly.

Revenue by customer, account, product and month, to the cent.
"""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.rows import ExpectComponentsToAddUp
from expectations.suites.common import (
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    refers,
)

DATASET = mart(
    "fct_revenue_monthly",
    "customer_id",
    "account_id",
    "product_code",
    "month",
    owner="customer value team",
)

COMPONENTS = [
    "recurring_revenue",
    "usage_revenue",
    "one_off_revenue",
    "discount",
    "adjustment",
    "unitemised_revenue",
]


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "revenue", *COMPONENTS, "active_subscriptions"),
            first_day(DATASET),
            not_negative(DATASET, "active_subscriptions", "critical"),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            refers(DATASET, "product_code", "marts.dim_product"),
            DATASET.expect(
                ExpectComponentsToAddUp,
                "revenue_is_the_sum_of_its_components",
                "revenue = recurring + usage + one-off + discount + adjustment +"
                " unitemised, in every row.",
                "rulebook 3",
                column="revenue",
                total="revenue",
                components=COMPONENTS,
                amount="revenue",
                money_unit="of revenue",
            ),
            holds(
                DATASET,
                "unitemised_revenue_has_its_own_product",
                "unitemised_revenue stands under product UNITEMISED and nowhere else.",
                "unitemised_revenue = 0 or product_code = 'UNITEMISED'",
                "rulebook 3",
                column="unitemised_revenue",
                amount="unitemised_revenue",
                money_unit="of unitemised_revenue",
            ),
        ],
        "Revenue by customer, account, product and month, to the cent.",
    )
