"""Suite of the mart dim_customer: one row per customer, its name masked, its codes known."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    RELATIONSHIPS,
    SEGMENTS,
    coded,
    holds,
    key_rules,
    mart,
    present,
    ranged,
    refers,
)

DATASET = mart("dim_customer", "customer_id", owner="customer value team")


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "region_code", "group_id", "relationship", "tier_code"),
            coded(DATASET, "legal_form", ["individual", "organisation"], "feed contract"),
            coded(DATASET, "relationship", RELATIONSHIPS, "rulebook 2"),
            coded(DATASET, "segment", SEGMENTS, "rulebook 6, kinds"),
            ranged(DATASET, "stars", 1, 7, "rulebook 7"),
            refers(DATASET, "region_code", "marts.dim_region"),
            refers(DATASET, "manager_id", "marts.dim_manager"),
            holds(
                DATASET,
                "name_is_masked",
                "Of a name only the first character of each word is shown.",
                r"regexp_full_match(customer_name_masked, '(\S\*\*\*)?(\s+\S\*\*\*)*')",
                "rulebook 12",
                column="customer_name_masked",
            ),
            holds(
                DATASET,
                "segment_fits_kinds",
                "A customer is of segment key if and only if it is of some kind.",
                "(segment = 'key') = (coalesce(key_kinds, '') <> '')",
                "rulebook 6, kinds",
                column="segment",
            ),
        ],
        "One row per customer, its name masked, its codes known.",
    )
