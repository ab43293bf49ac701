"""Suite of the mart contract_renewal: what is up for renewal, and the revenue behind it."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    compared,
    first_day,
    holds,
    in_order,
    key_rules,
    mart,
    present,
    ranged,
    refers,
)

DATASET = mart("contract_renewal", "contract_id", owner="customer value team")

PARAMETER = "(select value from reference.parameters where name = '{}')"

STATUS_FITS = f"""
case status
    when 'running' then days_left > {PARAMETER.format("expiring_days")}
    when 'expiring' then days_left between 0 and {PARAMETER.format("expiring_days")}
    when 'ended_pending'
        then days_left < 0 and days_left > -{PARAMETER.format("renewal_days")}
    when 'lapsed' then days_left <= -{PARAMETER.format("renewal_days")}
    else true
end
"""

CHANCE_FITS = f"""
value_at_risk is not distinct from cast(
    round(
        churn_probability * monthly_revenue
        * cast({PARAMETER.format("value_at_risk_months")} as integer), 4
    ) as decimal(18, 4)
)
"""

DAYS = """
select
    contracts.contract_id,
    contracts.days_left <> date_diff('day', closing.closing_day, contracts.ends_on) as failed
from marts.contract_renewal as contracts
cross join (
    select last_day(max(month)) as closing_day from marts.dim_month where is_closed
) as closing
"""

CARRIERS = """
select customer_id, count(case when monthly_revenue <> 0 then 1 end) > 1 as failed
from marts.contract_renewal
where revenue_basis = 'customer'
group by customer_id
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "customer_id",
                "status",
                "revenue_basis",
                "days_left",
                "signed_on",
                "starts_on",
                "ends_on",
                "end_month",
            ),
            first_day(DATASET, "end_month"),
            coded(
                DATASET,
                "status",
                ["running", "expiring", "ended_pending", "renewed", "lapsed"],
                "rulebook 10",
            ),
            coded(DATASET, "revenue_basis", ["subscriptions", "customer"], "rulebook 10"),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            ranged(DATASET, "churn_probability", 0, 1, "rulebook 8"),
            in_order(DATASET, "starts_on", "ends_on"),
            holds(
                DATASET,
                "status_fits_days_left",
                "A contract that is not renewed has the status of the days it has left.",
                STATUS_FITS,
                "rulebook 10",
                column="status",
            ),
            holds(
                DATASET,
                "value_at_risk_is_the_chance_of_a_year",
                "value_at_risk is churn_probability x monthly_revenue x 12 months, exactly.",
                CHANCE_FITS,
                "rulebook 10",
                column="value_at_risk",
            ),
            holds(
                DATASET,
                "end_month_is_that_of_the_end",
                "end_month is the month of ends_on.",
                "end_month = cast(date_trunc('month', ends_on) as date)",
                "rulebook 10",
                column="end_month",
            ),
            compared(
                DATASET,
                "days_left_are_counted_from_the_closing_month",
                "days_left are the days from the end of the closing month to ends_on.",
                DAYS,
                "rulebook 10",
                keys=["contract_id"],
                column="days_left",
            ),
            compared(
                DATASET,
                "one_contract_carries_a_customer",
                "Where no subscription names a contract, one alone carries the revenue.",
                CARRIERS,
                "rulebook 10",
                keys=["customer_id"],
                column="monthly_revenue",
            ),
        ],
        "What is up for renewal when, and the revenue behind it.",
    )
