"""Suite of the mart revenue_concentration_monthly.

How few customers bring how much, as shares that fit each other.
"""

from __future__ import annotations

from itertools import pairwise

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    first_day,
    holds,
    key_rules,
    mart,
    ranged,
    refers,
    stays_in_band,
)

DATASET = mart(
    "revenue_concentration_monthly",
    "month",
    "region_code",
    "measure",
    owner="customer value team",
)

SHARES = [
    "top_1_share",
    "top_5_share",
    "top_10_share",
    "top_20_share",
    "top_50_share",
]


CONCENTRATION = " union all ".join(
    f"select '{column}' as measure, month, {column} as value"
    " from marts.revenue_concentration_monthly as concentration"
    " inner join marts.dim_region using (region_code)"
    " where region_level = 'group' and concentration.measure = 'revenue'"
    for column in ("top_1_share", "top_20_share", "gini")
)


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            first_day(DATASET),
            coded(
                DATASET,
                "measure",
                ["revenue", "margin", "voice_minutes", "data_mb"],
                "rulebook 11",
            ),
            *[
                ranged(DATASET, column, 0, 1, "rulebook 11")
                for column in (*SHARES, "top_1000_share", "gini")
            ],
            refers(DATASET, "region_code", "marts.dim_region"),
            holds(
                DATASET,
                "shares_rise",
                "More customers never hold a smaller share.",
                " and ".join(f"{smaller} <= {larger}" for smaller, larger in pairwise(SHARES)),
                "rulebook 11",
                column="top_20_share",
            ),
            holds(
                DATASET,
                "numbers_of_customers_rise",
                "A larger share never takes fewer customers, and at least one.",
                "1 <= customers_for_20 and customers_for_20 <= customers_for_30"
                " and customers_for_30 <= customers_for_80",
                "rulebook 11",
                column="customers_for_80",
            ),
            stays_in_band(
                DATASET,
                "concentration_is_in_band",
                "The group's concentration of revenue (shares of the top 1 and 20 %, Gini)",
                CONCENTRATION,
            ),
        ],
        "How few customers bring how much, as shares that fit each other.",
    )
