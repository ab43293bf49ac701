"""Suite of the mart fct_revenue_movement.

What moved between two months, adding up to the change of revenue.
"""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    present,
    refers,
)

DATASET = mart("fct_revenue_movement", "customer_id", "month", owner="customer value team")

MOVEMENT_FITS = """
case
    when greatest(revenue_before, 0) = greatest(revenue, 0) then movement = 'flat'
    when revenue <= 0 then movement = 'lost'
    when revenue_before <= 0 then movement in ('new', 'returned')
    when revenue > revenue_before then movement = 'expansion'
    else movement = 'contraction'
end
"""

# Before the first month nothing was earned. A month without any revenue row counts as 0,
# as does the month after it for what was there before.
CHANGES = """
with sums as (
    select month, sum(revenue) as revenue from marts.fct_revenue_monthly group by month
),
steps as (
    select month, revenue as step from sums
    union all
    select cast(month + interval 1 month as date), -revenue from sums
    where month < (select max(month) from sums)
),
expected as (
    select month, sum(step) as change from steps group by month
),
found as (
    select month, sum(change) as change from marts.fct_revenue_movement group by month
)
select
    month,
    coalesce(found.change, 0) - coalesce(expected.change, 0) as amount,
    coalesce(found.change, 0) <> coalesce(expected.change, 0) as failed
from expected
full join found using (month)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "movement", "revenue_before", "revenue", "change"),
            first_day(DATASET),
            coded(
                DATASET,
                "movement",
                ["new", "returned", "expansion", "contraction", "lost", "flat"],
                "rulebook 3, movement",
            ),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            holds(
                DATASET,
                "change_is_the_difference",
                "change = revenue - revenue_before, in every row.",
                "change = revenue - revenue_before",
                "rulebook 3, movement",
                column="change",
            ),
            holds(
                DATASET,
                "movement_fits_amounts",
                "The movement is the one that revenue before and now make it.",
                MOVEMENT_FITS,
                "rulebook 3, movement",
                column="movement",
            ),
            compared(
                DATASET,
                "changes_add_up",
                "The changes of a month add up to the change of revenue in fct_revenue_monthly.",
                CHANGES,
                "rulebook 3, movement",
                keys=["month"],
                column="change",
                has_amount=True,
                money_unit="difference",
            ),
        ],
        "What moved between two months, adding up to the change of revenue.",
    )
