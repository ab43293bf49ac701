"""Suite of the mart customer_value_monthly: the layers of value and their score."""

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
    ranged,
    refers,
)

DATASET = mart("customer_value_monthly", "customer_id", "month", owner="customer value team")

# Every name in the text stands between commas, so that none is found inside another.
NAMED = "contains(',' || coalesce(value_coverage, '') || ',', ',{},')"
COVERAGE_FITS = f"""
(bad_debt is null) = {NAMED.format("payments")}
and (relationship_cost is null)
    = ({NAMED.format("contacts")} and {NAMED.format("complaints")})
and (potential_value is null) = {NAMED.format("potential")}
"""

SAME_ROWS = """
select
    customer_id,
    month,
    customers.customer_id is null or layers.customer_id is null as failed
from marts.customer_monthly as customers
full join marts.customer_value_monthly as layers using (customer_id, month)
"""

RANKED = """
select
    layers.customer_id,
    layers.month,
    (layers.value_score is not null)
        <> (customers.relationship in ('on_net', 'returned', 'dormant')) as failed
from marts.customer_value_monthly as layers
inner join marts.customer_monthly as customers
    on layers.customer_id = customers.customer_id and layers.month = customers.month
"""

MARGINS_OF_WINDOW = """
with windows as (
    select
        layers.month,
        layers.current_value,
        sum(layers.margin) over (
            partition by layers.customer_id
            order by layers.month
            range between to_months(cast(window_months.value as integer) - 1) preceding
            and current row
        ) as window_margin
    from marts.customer_value_monthly as layers
    cross join (
        select value from reference.parameters where name = 'current_value_months'
    ) as window_months
)
select
    month,
    sum(abs(current_value - window_margin)) as amount,
    sum(abs(current_value - window_margin)) <> 0 as failed
from windows
group by month
"""

UNALLOCATED = """
select campaign_id, month, month_cost as amount, contacts = 0 and month_cost <> 0 as failed
from intermediate.int_campaign_months_costed
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "revenue",
                "cost_to_serve",
                "margin",
                "current_value",
                "social_score",
            ),
            first_day(DATASET),
            not_negative(DATASET, "cost_to_serve", "critical", "rulebook 5"),
            not_negative(DATASET, "relationship_cost", "critical", "rulebook 5"),
            not_negative(DATASET, "potential_value", "critical", "rulebook 5"),
            ranged(DATASET, "social_score", 0, 100, "rulebook 5"),
            ranged(DATASET, "value_score", 0, 100, "rulebook 5"),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            holds(
                DATASET,
                "margin_is_revenue_less_costs",
                "margin is revenue less cost_to_serve, relationship_cost and bad_debt; what"
                " was not measured counts as 0.",
                "margin = revenue - cost_to_serve - coalesce(relationship_cost, 0)"
                " - coalesce(bad_debt, 0)",
                "rulebook 5",
                column="margin",
            ),
            holds(
                DATASET,
                "coverage_names_what_is_empty",
                "value_coverage names payments, contacts with complaints, and potential where"
                " bad_debt, relationship_cost and potential_value are empty, and only there.",
                COVERAGE_FITS,
                "rulebook 0, not measured is not zero",
                column="value_coverage",
            ),
            compared(
                DATASET,
                "every_customer_month_has_a_value",
                "customer_monthly and customer_value_monthly hold the same customer-months.",
                SAME_ROWS,
                "rulebook 1",
                keys=["customer_id", "month"],
            ),
            compared(
                DATASET,
                "ranked_customers_have_a_score",
                "A customer has a value score if and only if it is on_net, returned or dormant.",
                RANKED,
                "rulebook 5",
                keys=["customer_id", "month"],
                column="value_score",
            ),
            compared(
                DATASET,
                "current_value_is_the_margin_of_the_window",
                "current_value is the sum of the customer's margins of the month and those"
                " before it in the window.",
                MARGINS_OF_WINDOW,
                "rulebook 5",
                keys=["month"],
                column="current_value",
                has_amount=True,
                money_unit="difference",
            ),
            compared(
                DATASET,
                "campaign_costs_are_allocated",
                "A month of a campaign with a fixed cost has contacts to bear it; else its"
                " cost is in nobody's margin.",
                UNALLOCATED,
                "rulebook 5, relationship cost",
                severity="info",
                keys=["campaign_id", "month"],
                column="relationship_cost",
                has_amount=True,
                money_unit="in nobody's margin",
            ),
            DATASET.expect(
                ExpectTotalsToAgree,
                "revenue_agrees_with_customer_monthly",
                "Each month, the revenue is that of customer_monthly.",
                "rulebook 1",
                column="revenue",
                left="marts.customer_value_monthly",
                left_total="sum(revenue)",
                right="marts.customer_monthly",
                right_total="sum(revenue)",
                by=["month"],
                keys=["month"],
                has_amount=True,
                money_unit="difference",
            ),
        ],
        "The value of every customer-month, layer by layer.",
    )
