"""Suite of the mart region_summary_monthly.

The figures of every region, each level the sum of those below.
"""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    REGION_LEVELS,
    coded,
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    ranged,
    refers,
    stays_in_band,
)

DATASET = mart("region_summary_monthly", "month", "region_code", owner="customer value team")

COUNTS = ["customers", "key_customers", "complaints_per_1000", "overdue_amount"]

MEASURES = (
    "customers",
    "key_customers",
    "revenue",
    "revenue_won",
    "revenue_kept",
    "revenue_grown",
    "overdue_amount",
)

_SUMS = ",\n        ".join(
    f"sum(case when region_level = '{level}' then {measure} end) as {level}_{measure}"
    for measure in MEASURES
    for level in ("local", "group")
)

_COMPARED = " union all ".join(
    f"select month, '{measure}' as measure,"
    f" local_{measure} is distinct from group_{measure} as failed from sums"
    for measure in MEASURES
)

LEVELS = f"""
with sums as (
    select
        month,
        {_SUMS}
    from marts.region_summary_monthly
    group by month
)
{_COMPARED}
"""

PROVINCES = """
with sums as (
    select
        summary.month,
        regions.province_code,
        sum(case when summary.region_level = 'local' then customers else 0 end)
            as local_customers,
        sum(case when summary.region_level = 'local' then revenue else 0 end)
            as local_revenue,
        sum(case when summary.region_level = 'province' then customers else 0 end)
            as province_customers,
        sum(case when summary.region_level = 'province' then revenue else 0 end)
            as province_revenue
    from marts.region_summary_monthly as summary
    inner join marts.dim_region as regions on summary.region_code = regions.region_code
    where regions.province_code is not null
    group by summary.month, regions.province_code
)
select
    month,
    province_code,
    local_customers <> province_customers or local_revenue <> province_revenue as failed
from sums
"""

GROUP_REVENUE = """
with summed as (
    select month, sum(revenue) as revenue from marts.region_summary_monthly
    where region_level = 'group' group by month
),
earned as (
    select month, sum(revenue) as revenue from marts.fct_revenue_monthly group by month
)
select
    month,
    coalesce(summed.revenue, 0) - coalesce(earned.revenue, 0) as amount,
    coalesce(summed.revenue, 0) <> coalesce(earned.revenue, 0) as failed
from summed
full join earned using (month)
"""


REVENUES = """
select 'revenue' as measure, month, revenue as value
from marts.region_summary_monthly where region_level = 'group'
union all
select 'arpu' as measure, month, arpu as value
from marts.region_summary_monthly where region_level = 'group'
union all
select 'arpa' as measure, month, arpa as value
from marts.region_summary_monthly where region_level = 'group'
"""

CHURN = """
select 'customer_churn_rate' as measure, month, customer_churn_rate as value
from marts.region_summary_monthly where region_level = 'group'
union all
select 'revenue_churn_rate' as measure, month, revenue_churn_rate as value
from marts.region_summary_monthly where region_level = 'group'
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "region_level", "customers", "revenue"),
            first_day(DATASET),
            coded(DATASET, "region_level", REGION_LEVELS, "rulebook 1"),
            refers(DATASET, "region_code", "marts.dim_region"),
            *[not_negative(DATASET, column, "critical") for column in COUNTS],
            *[
                ranged(DATASET, column, 0, 1, "rulebook 2 and 9")
                for column in (
                    "customer_churn_rate",
                    "revenue_churn_rate",
                    "retention_rate",
                    "resolve_breach_share",
                )
            ],
            ranged(DATASET, "key_revenue_share", 0, 1, "region summary", severity="warning"),
            holds(
                DATASET,
                "key_customers_are_customers",
                "No more key customers than customers.",
                "key_customers <= customers",
                "region summary",
                column="key_customers",
            ),
            holds(
                DATASET,
                "retention_is_the_rest_of_churn",
                "retention_rate = 1 - customer_churn_rate.",
                "coalesce(abs(retention_rate + customer_churn_rate - 1) < 1e-9,"
                " retention_rate is null and customer_churn_rate is null)",
                "rulebook 2",
                column="retention_rate",
            ),
            compared(
                DATASET,
                "levels_add_up",
                "Each month the local networks add up to the group, in customers and"
                " in every amount.",
                LEVELS,
                "rulebook 1",
                keys=["month", "measure"],
            ),
            compared(
                DATASET,
                "provinces_add_up",
                "Each month a province is the sum of its local networks, in customers and revenue.",
                PROVINCES,
                "rulebook 1",
                keys=["month", "province_code"],
            ),
            compared(
                DATASET,
                "revenue_agrees_with_fct_revenue_monthly",
                "Each month the group's revenue is that of fct_revenue_monthly.",
                GROUP_REVENUE,
                "rulebook 1",
                keys=["month"],
                column="revenue",
                has_amount=True,
                amount_is_revenue=True,
                money_unit="difference",
            ),
            stays_in_band(
                DATASET, "revenue_is_in_band", "The group's revenue, ARPU and ARPA", REVENUES
            ),
            stays_in_band(
                DATASET,
                "churn_is_in_band",
                "The group's churn of customers and of revenue",
                CHURN,
                floor="drift_minimum_rate",
            ),
        ],
        "The figures of every region, each level the sum of those below.",
    )
