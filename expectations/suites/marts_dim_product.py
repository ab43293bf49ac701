"""Suite of the mart dim_product: one row per product, each in a family."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import key_rules, mart, present

DATASET = mart("dim_product", "product_code", owner="customer data team")


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "product_family"),
        ],
        "One row per product, each in a family.",
    )
