"""Suite of the mart fct_invoice: every counted invoice, what is paid and what is open."""

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
    refers,
)

DATASET = mart("fct_invoice", "invoice_id", owner="billing team")

CONVERTED = """
with closing as (
    select max(month) as closing_month from marts.dim_month where is_closed
)
select
    closing.closing_month,
    invoices.currency,
    sum(case when invoices.outstanding_reporting is null
        then invoices.outstanding_amount end) as amount,
    count(case when invoices.outstanding_reporting is null then 1 end) > 0 as failed
from marts.fct_invoice as invoices
cross join closing
where invoices.outstanding_amount > 0
group by closing.closing_month, invoices.currency
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "account_id",
                "customer_id",
                "billing_month",
                "currency",
                "due_on",
                "total_amount",
            ),
            first_day(DATASET, "billing_month"),
            coded(
                DATASET,
                "category",
                ["normal", "interim", "last", "credit_note"],
                "rulebook 3, counted",
            ),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            refers(DATASET, "aging_bucket", "reference.aging_buckets", "bucket"),
            not_negative(DATASET, "days_past_due", "critical", "rulebook 4"),
            not_negative(DATASET, "outstanding_amount", "critical", "rulebook 4"),
            holds(
                DATASET,
                "outstanding_is_at_most_the_total",
                "No more is open of an invoice than was billed.",
                "coalesce(outstanding_amount <= greatest(total_amount, 0), true)",
                "rulebook 4",
                column="outstanding_amount",
            ),
            holds(
                DATASET,
                "settled_invoice_has_no_balance",
                "An invoice with a settled_on has nothing open.",
                "settled_on is null or outstanding_amount = 0",
                "rulebook 4",
                column="settled_on",
            ),
            compared(
                DATASET,
                "open_balance_has_a_rate",
                "Every open balance could be converted: fx_rates has a rate of its"
                " currency for the closing month.",
                CONVERTED,
                "rulebook 0, conversion",
                keys=["closing_month", "currency"],
                column="outstanding_reporting",
                has_amount=True,
                money_unit="in that currency",
            ),
        ],
        "Every counted invoice, what is paid and what is open.",
    )
