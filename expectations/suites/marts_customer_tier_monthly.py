"""Suite of the mart customer_tier_monthly: the tier of every customer-month and its receipt."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    ranged,
    stays_in_band,
)

DATASET = mart("customer_tier_monthly", "customer_id", "month", owner="customer value team")

TIERS_KNOWN = """
(
    tier_code in ('none', 'standard')
    or (policy_id, policy_version, tier_code) in (
        select (policy_id, policy_version, tier_code) from reference.tier_bands
    )
)
and (
    rule_tier in ('none', 'standard')
    or (policy_id, policy_version, rule_tier) in (
        select (policy_id, policy_version, tier_code) from reference.tier_bands
    )
)
"""

SAME_ROWS = """
select
    customer_id,
    month,
    customers.customer_id is null or tiers.customer_id is null as failed
from marts.customer_monthly as customers
full join marts.customer_tier_monthly as tiers using (customer_id, month)
"""

RANKED = """
select
    tiers.customer_id,
    tiers.month,
    (tiers.tier_code <> 'none')
        <> (customers.relationship in ('on_net', 'returned', 'dormant')) as failed
from marts.customer_tier_monthly as tiers
inner join marts.customer_monthly as customers
    on tiers.customer_id = customers.customer_id and tiers.month = customers.month
"""

ONE_POLICY = """
select month, count(distinct (policy_id, policy_version)) > 1 as failed
from marts.customer_tier_monthly
group by month
"""


# A tier that nobody is in any more counts 0 and is no gap.
TIER_COUNTS = """
with counted as (
    select tier_code, month, count(*) as customers
    from marts.customer_tier_monthly
    where tier_code <> 'none'
    group by tier_code, month
)
select
    tiers.tier_code as measure,
    months.month,
    coalesce(counted.customers, 0) as value
from (select distinct tier_code from counted) as tiers
cross join (select distinct month from counted) as months
left join counted on counted.tier_code = tiers.tier_code and counted.month = months.month
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "policy_id",
                "policy_version",
                "metric",
                "rule_tier",
                "tier_code",
                "tier_reason",
                "service_class",
            ),
            first_day(DATASET),
            coded(
                DATASET,
                "metric",
                ["avg_revenue", "revenue", "margin", "billed_amount", "value_score"],
                "rulebook 6",
            ),
            coded(
                DATASET,
                "tier_reason",
                ["inactive", "override", "grace", "rule"],
                "rulebook 6, overrides",
            ),
            coded(
                DATASET,
                "service_class",
                ["diamond", "platinum", "gold", "silver", "standard"],
                "rulebook 6",
            ),
            ranged(DATASET, "tier_rank", 1, None, "rulebook 6"),
            not_negative(DATASET, "gap_to_next", "critical", "rulebook 6, receipt"),
            holds(
                DATASET,
                "tier_is_of_the_policy",
                "tier_code and rule_tier are tiers of the policy, standard or none.",
                TIERS_KNOWN,
                "rulebook 6",
                column="tier_code",
            ),
            holds(
                DATASET,
                "inactive_customer_has_no_tier",
                "A tier is none if and only if its reason is inactive.",
                "(tier_code = 'none') = (tier_reason = 'inactive')"
                " and (tier_code = 'none') = (tier_rank is null)",
                "rulebook 6",
                column="tier_reason",
            ),
            holds(
                DATASET,
                "rule_gives_the_rules_tier",
                "Where the reason is rule, the tier is the one of the rule.",
                "tier_reason <> 'rule' or tier_code = rule_tier",
                "rulebook 6, grace",
                column="rule_tier",
            ),
            compared(
                DATASET,
                "every_customer_month_has_a_tier",
                "customer_monthly and customer_tier_monthly hold the same customer-months.",
                SAME_ROWS,
                "rulebook 1",
                keys=["customer_id", "month"],
            ),
            compared(
                DATASET,
                "ranked_customers_have_a_tier",
                "A customer has a tier if and only if it is on_net, returned or dormant.",
                RANKED,
                "rulebook 6",
                keys=["customer_id", "month"],
                column="tier_code",
            ),
            compared(
                DATASET,
                "month_has_one_policy",
                "In a month all customers are tiered by one version of one policy.",
                ONE_POLICY,
                "rulebook 6",
                keys=["month"],
                column="policy_version",
            ),
            stays_in_band(
                DATASET,
                "customers_of_a_tier_are_in_band",
                "The number of customers in each tier",
                TIER_COUNTS,
                floor="drift_minimum_customers",
            ),
        ],
        "The tier of every customer-month and its receipt.",
    )
