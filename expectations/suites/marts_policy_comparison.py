"""Suite of the mart policy_comparison: every policy of the pack, replayed on every month."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    present,
    ranged,
)

DATASET = mart(
    "policy_comparison",
    "month",
    "policy_id",
    "tier_code",
    owner="customer value team",
)

CUSTOMERS = """
with compared as (
    select
        month,
        policy_id,
        sum(case when tier_code = 'none' then 0 else customers end) as ranked,
        sum(case when tier_code = 'none' then customers else 0 end) as unranked
    from marts.policy_comparison
    group by month, policy_id
),
counted as (
    select
        month,
        sum(case when relationship in ('on_net', 'returned', 'dormant') then 1 else 0 end)
            as ranked,
        sum(case when relationship in ('on_net', 'returned', 'dormant') then 0 else 1 end)
            as unranked
    from marts.customer_monthly
    group by month
)
select
    compared.month,
    compared.policy_id,
    coalesce(
        compared.ranked <> counted.ranked or compared.unranked <> counted.unranked, true
    ) as failed
from compared
left join counted using (month)
"""

REVENUE = """
with compared as (
    select month, policy_id, sum(revenue) as revenue
    from marts.policy_comparison
    group by month, policy_id
),
counted as (
    select month, sum(revenue) as revenue from marts.customer_monthly group by month
)
select
    compared.month,
    compared.policy_id,
    compared.revenue - counted.revenue as amount,
    coalesce(compared.revenue <> counted.revenue, true) as failed
from compared
left join counted using (month)
"""

# Floating shares of a sum are 1 but for the last digits; no revenue, no share.
SHARES = """
select month, policy_id, coalesce(abs(sum(revenue_share) - 1) > 0.000001, false) as failed
from marts.policy_comparison
group by month, policy_id
"""

IN_FORCE = """
with compared as (
    select month, policy_id, policy_version
    from marts.policy_comparison
    where is_in_force
    group by month, policy_id, policy_version
),
decided as (
    select month, policy_id, policy_version
    from marts.customer_tier_monthly
    group by month, policy_id, policy_version
)
select
    month,
    policy_id,
    compared.policy_id is null or decided.policy_id is null as failed
from compared
full join decided using (month, policy_id, policy_version)
"""

LEFT_OUT = """
with valid as (
    select months.month, policies.policy_id
    from (select distinct month from marts.customer_monthly) as months
    inner join reference.tier_policies as policies
        on
            months.month >= policies.valid_from
            and (policies.valid_to is null or months.month < policies.valid_to)
),
compared as (
    select distinct month, policy_id from marts.policy_comparison
)
select valid.month, valid.policy_id, compared.policy_id is null as failed
from valid
left join compared using (month, policy_id)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "policy_version", "customers", "revenue", "is_in_force"),
            first_day(DATASET),
            ranged(DATASET, "customers", 1, None, "rulebook 6"),
            ranged(DATASET, "tier_rank", 1, None, "rulebook 6"),
            holds(
                DATASET,
                "none_has_no_rank_and_no_metric",
                "A tier has a rank unless it is none, and none has no lowest metric.",
                "(tier_code = 'none') = (tier_rank is null)"
                " and (tier_code <> 'none' or bound_metric_min is null)",
                "rulebook 6",
                column="tier_rank",
            ),
            compared(
                DATASET,
                "customers_are_those_of_the_month",
                "Under every policy the tiers hold the month's ranked customers, and none"
                " all others.",
                CUSTOMERS,
                "rulebook 6",
                keys=["month", "policy_id"],
                column="customers",
            ),
            compared(
                DATASET,
                "revenue_is_that_of_the_month",
                "Under every policy the revenue of the tiers is the revenue of the month.",
                REVENUE,
                "rulebook 6",
                keys=["month", "policy_id"],
                column="revenue",
                has_amount=True,
                money_unit="difference",
            ),
            compared(
                DATASET,
                "shares_add_up",
                "The revenue shares of a policy's tiers add up to 1.",
                SHARES,
                "rulebook 6",
                keys=["month", "policy_id"],
                column="revenue_share",
            ),
            compared(
                DATASET,
                "policy_in_force_is_compared",
                "The policy version that decides the tiers of a month is compared there, and"
                " marked as the one in force.",
                IN_FORCE,
                "rulebook 6",
                keys=["month", "policy_id"],
                column="policy_version",
            ),
            compared(
                DATASET,
                "no_policy_is_left_out",
                "Every policy valid in a month is replayed there; one without an exchange"
                " rate for its currency is left out.",
                LEFT_OUT,
                "rulebook 0, conversion",
                keys=["month", "policy_id"],
                severity="warning",
                column="policy_id",
            ),
        ],
        "Every policy of the pack, replayed on every month.",
    )
