"""Suite of the mart customer_delivered_value_monthly: benefits, costs and their balance."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    ranged,
    refers,
)

DATASET = mart(
    "customer_delivered_value_monthly", "customer_id", "month", owner="customer value team"
)

BENEFITS = ("product", "service", "personnel", "image")
COSTS = ("monetary", "time", "effort", "psychic")
COMPONENTS = (*BENEFITS, *COSTS)

MEAN_BENEFIT = f"list_avg([{', '.join(f'{name}_index' for name in BENEFITS)}])"
MEAN_COST = f"list_avg([{', '.join(f'{name}_index' for name in COSTS)}])"
# Each mean is rounded to 4 decimals, so the difference may be off by one of the last.
BALANCE_FITS = f"""
coalesce(
    abs(delivered_value - ({MEAN_BENEFIT} - {MEAN_COST})) < 0.00011,
    delivered_value is null and ({MEAN_BENEFIT} is null or {MEAN_COST} is null)
)
"""

# Every name in the text stands between commas, so that none is found inside another.
COVERAGE_FITS = " and ".join(
    f"({name}_index is null) = contains(',' || coalesce(coverage, '') || ',', ',{name},')"
    for name in COMPONENTS
)

SAME_ROWS = """
select
    customer_id,
    month,
    customers.customer_id is null or delivered.customer_id is null as failed
from marts.customer_monthly as customers
full join marts.customer_delivered_value_monthly as delivered using (customer_id, month)
"""

COMPLAINTS_COVERED = """
select
    delivered.customer_id,
    delivered.month,
    (delivered.psychic_index is null) <> (customers.complaints_12m is null) as failed
from marts.customer_delivered_value_monthly as delivered
inner join marts.customer_monthly as customers
    on
        delivered.customer_id = customers.customer_id
        and delivered.month = customers.month
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            first_day(DATASET),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            *[ranged(DATASET, f"{name}_index", 0, 100, "rulebook 5") for name in COMPONENTS],
            ranged(DATASET, "delivered_value", -100, 100, "rulebook 5"),
            holds(
                DATASET,
                "delivered_value_is_benefit_less_cost",
                "delivered_value is the mean of the measured benefits less that of the"
                " measured costs, and empty where either side is.",
                BALANCE_FITS,
                "rulebook 5",
                column="delivered_value",
            ),
            holds(
                DATASET,
                "coverage_names_what_is_empty",
                "coverage names the indices that are empty, and only these.",
                COVERAGE_FITS,
                "rulebook 0, not measured is not zero",
                column="coverage",
            ),
            compared(
                DATASET,
                "every_customer_month_has_a_row",
                "customer_monthly holds the same customer-months.",
                SAME_ROWS,
                "rulebook 1",
                keys=["customer_id", "month"],
            ),
            compared(
                DATASET,
                "psychic_index_needs_complaints",
                "psychic_index is there in the months that the complaints feed covers, and"
                " in no others.",
                COMPLAINTS_COVERED,
                "rulebook 0, not measured is not zero",
                keys=["customer_id", "month"],
                column="psychic_index",
            ),
        ],
        "What each customer-month received and what that cost the customer.",
    )
