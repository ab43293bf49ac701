"""Suite of the mart dim_manager: one row per customer manager, in a known region."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import coded, key_rules, mart, refers

DATASET = mart("dim_manager", "manager_id", owner="customer data team")


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            coded(
                DATASET,
                "grade",
                ["junior", "account_manager", "senior"],
                "feed contract",
            ),
            refers(DATASET, "region_code", "marts.dim_region"),
        ],
        "One row per customer manager, in a known region.",
    )
