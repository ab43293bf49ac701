"""Suite of the mart dim_region: the tree of regions, each level complete."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    REGION_LEVELS,
    coded,
    holds,
    key_rules,
    mart,
    present,
    refers,
)

DATASET = mart("dim_region", "region_code", owner="customer data team")


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "region_level"),
            coded(DATASET, "region_level", REGION_LEVELS, "rulebook 1"),
            coded(DATASET, "region_class", ["1", "2", "3"], "rulebook 1"),
            refers(DATASET, "province_code", "marts.dim_region", "region_code"),
            refers(DATASET, "group_code", "marts.dim_region", "region_code"),
            holds(
                DATASET,
                "local_network_names_itself",
                "local_code is the region's own code for local networks, else empty.",
                "case when region_level = 'local' then local_code = region_code"
                " else local_code is null end",
                "rulebook 1",
                column="local_code",
            ),
        ],
        "The tree of regions, each level complete.",
    )
