"""Suite of the mart tier_migration_monthly: who moved between tiers, adding up on both sides."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    compared,
    first_day,
    key_rules,
    mart,
    present,
    ranged,
)

DATASET = mart(
    "tier_migration_monthly",
    "month",
    "tier_from",
    "tier_to",
    owner="customer value team",
)

# `none` also holds customers without a row on one side, so it has no count to meet.
ARRIVALS = """
with moved as (
    select month, tier_to as tier_code, sum(customers) as customers
    from marts.tier_migration_monthly
    where tier_to <> 'none'
    group by month, tier_to
),
tiered as (
    select month, tier_code, count(*) as customers
    from marts.customer_tier_monthly
    where tier_code <> 'none'
    group by month, tier_code
)
select
    month,
    tier_code,
    coalesce(moved.customers, 0) <> coalesce(tiered.customers, 0) as failed
from moved
full join tiered using (month, tier_code)
"""

DEPARTURES = """
with moved as (
    select month, tier_from as tier_code, sum(customers) as customers
    from marts.tier_migration_monthly
    where tier_from <> 'none'
    group by month, tier_from
),
tiered as (
    select
        cast(month + interval 1 month as date) as month,
        tier_code,
        count(*) as customers
    from marts.customer_tier_monthly
    where
        tier_code <> 'none'
        and month < (select max(month) from marts.customer_tier_monthly)
    group by month, tier_code
)
select
    month,
    tier_code,
    coalesce(moved.customers, 0) <> coalesce(tiered.customers, 0) as failed
from moved
full join tiered using (month, tier_code)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "customers", "revenue"),
            first_day(DATASET),
            ranged(DATASET, "customers", 1, None, "rulebook 6, migration"),
            compared(
                DATASET,
                "arrivals_add_up",
                "The customers who came to a tier or stayed are those of the tier in the month.",
                ARRIVALS,
                "rulebook 6, migration",
                keys=["month", "tier_code"],
                column="tier_to",
            ),
            compared(
                DATASET,
                "departures_add_up",
                "The customers who left a tier or stayed are those of the tier in the"
                " month before.",
                DEPARTURES,
                "rulebook 6, migration",
                keys=["month", "tier_code"],
                column="tier_from",
            ),
        ],
        "Who moved between tiers, adding up on both sides.",
    )
