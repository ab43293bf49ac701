"""Suite of the mart churn_backtest: departures foretold against those that came."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.queries import ExpectTotalsToAgree
from expectations.suites.common import (
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
)

DATASET = mart("churn_backtest", "month", "decile", owner="customer value team")

GROUPS = """
select
    backtest.month,
    count(*) <> least(max(numbers.value), sum(backtest.customers))
    or max(backtest.customers) - min(backtest.customers) > 1
    or min(backtest.decile) <> 1 as failed
from marts.churn_backtest as backtest
cross join (
    select value from reference.parameters where name = 'backtest_groups'
) as numbers
group by backtest.month
"""

# Groups of probabilities in falling order have falling means; six decimals are kept.
FALLING = """
select
    month,
    decile,
    predicted / customers > lag(predicted / customers) over (
        partition by month order by decile
    ) + 0.000001 as failed
from marts.churn_backtest
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "customers",
                "predicted",
                "realised",
                "predicted_value",
                "realised_value",
                "is_in_sample",
            ),
            first_day(DATASET),
            not_negative(DATASET, "predicted_value", "critical", "rulebook 8"),
            not_negative(DATASET, "realised_value", "critical", "rulebook 8"),
            holds(
                DATASET,
                "departures_are_among_the_customers",
                "Neither were more departures foretold than there are customers, nor did more"
                " come.",
                "predicted between 0 and customers and realised between 0 and customers",
                "rulebook 8, backtest",
                column="realised",
            ),
            compared(
                DATASET,
                "groups_are_of_equal_size",
                "Each month falls into the groups the parameters ask for, numbered from 1, and"
                " they differ by one customer at most.",
                GROUPS,
                "rulebook 8, backtest",
                keys=["month"],
                column="customers",
            ),
            compared(
                DATASET,
                "probabilities_fall_from_group_to_group",
                "The mean probability of a group is not above that of the group before it.",
                FALLING,
                "rulebook 8, backtest",
                keys=["month", "decile"],
                column="predicted",
            ),
            DATASET.expect(
                ExpectTotalsToAgree,
                "customers_agree_with_customer_risk_monthly",
                "Each month that has come true, the customers are those of customer_risk_monthly.",
                "rulebook 8, backtest",
                column="customers",
                left="marts.churn_backtest",
                left_total="sum(customers)",
                right="marts.customer_risk_monthly",
                right_total="count(left_within_3m)",
                by=["month"],
                keys=["month"],
            ),
            DATASET.expect(
                ExpectTotalsToAgree,
                "realised_agrees_with_customer_risk_monthly",
                "Each month that has come true, as many left as customer_risk_monthly says.",
                "rulebook 8, backtest",
                column="realised",
                left="marts.churn_backtest",
                left_total="sum(realised)",
                right="marts.customer_risk_monthly",
                right_total="count(case when left_within_3m then 1 end)",
                by=["month"],
                keys=["month"],
            ),
        ],
        "Departures and value foretold against those that came.",
    )
