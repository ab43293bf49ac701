"""Suite of the feed invoices: the money billed: keys, currency, tax, and charges that tie to it."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import COUNTED, Contract, feed_of
from expectations.custom.base import Rule
from expectations.custom.bills import (
    ExpectBillsOfTheUsualSize,
    ExpectBillsToBeDeliveredOnce,
    ExpectLostBillsToBeFew,
    ExpectUsualBillsToArrive,
)
from expectations.custom.queries import ExpectFindingsToBeNone
from expectations.suites.common import (
    Dataset,
    currency_code,
    has_happened,
    holds,
    in_order,
    raw_dataset,
    raw_suite,
    volume_holds,
)

CURRENCIES = """
select
    invoice_id,
    total_amount as amount,
    currency <> account_currency as failed
from checks.invoices
where account_currency is not null
"""

# Every type of charge is billed, revenue or not, so all of them belong to the header.
HEADERS = """
select
    invoices.invoice_id,
    invoices.charged_amount + invoices.tax_amount - invoices.total_amount as amount,
    abs(invoices.charged_amount + invoices.tax_amount - invoices.total_amount)
        > limits.charges_tolerance as failed
from checks.invoices as invoices
cross join (
    select cast(value as decimal(18, 6)) as charges_tolerance
    from reference.parameters where name = 'charges_tolerance'
) as limits
where invoices.is_itemised
"""

UNITEMISED = """
with covered as (
    select min(billing_month) as first_month, max(billing_month) as last_month
    from checks.bills where is_itemised
),
shares as (
    select
        bills.billing_month,
        sum(case when bills.is_itemised then 0 else bills.revenue end) as amount,
        sum(bills.revenue) as month_revenue
    from checks.bills as bills
    inner join covered
        on bills.billing_month between covered.first_month and covered.last_month
    group by bills.billing_month
),
allowed as (
    select cast(max(value) as decimal(18, 6)) as share_limit
    from reference.parameters where name = 'unitemised_share_limit'
)
select
    shares.billing_month,
    shares.amount,
    shares.amount > coalesce(allowed.share_limit, 0) * greatest(shares.month_revenue, 0)
        as failed
from shares
cross join allowed
"""


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "invoices"))
    rules = [
        in_order(dataset, "issued_on", "due_on"),
        has_happened(dataset, "issued_on", "total_amount"),
        currency_code(dataset),
        holds(
            dataset,
            "tax_is_part_of_total",
            "tax_amount has the sign of total_amount and is not larger.",
            "tax_amount between least(0, total_amount) and greatest(0, total_amount)",
            "rulebook 3",
            severity="warning",
            column="tax_amount",
            amount="total_amount",
            money_unit="of total_amount",
        ),
        holds(
            dataset,
            "credit_note_is_not_positive",
            "A credit note lowers what is owed: its total is not above 0.",
            "category <> 'credit_note' or total_amount <= 0",
            "rulebook 4",
            severity="warning",
            column="total_amount",
            amount="total_amount",
            money_unit="of total_amount",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "currency_is_the_accounts",
            "An invoice is in the currency of its account.",
            "rulebook 4",
            column="currency",
            comparison=CURRENCIES,
            has_amount=True,
            money_unit="of total_amount",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "charges_add_up_to_the_header",
            "The charges of an itemised invoice and its tax add up to total_amount, to the cent.",
            "cross-feed reconciliation",
            severity="warning",
            column="total_amount",
            comparison=HEADERS,
            has_amount=True,
            money_unit="difference",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "revenue_is_itemised",
            "In a month that the charges feed covers, invoices without charges stay"
            " below the share of revenue that unitemised_share_limit allows.",
            "rulebook 3, unitemised revenue",
            column="total_amount",
            comparison=UNITEMISED,
            has_amount=True,
            amount_is_revenue=True,
            money_unit="of revenue",
            keys=["billing_month"],
        ),
        volume_holds(dataset, "billing_month", COUNTED),
        *_closing_month_rules(dataset),
    ]
    return raw_suite(contract, "invoices", rules, amount="total_amount")


def _closing_month_rules(dataset: Dataset) -> list[Rule]:
    """What is wrong with the bills of the closing month, told by those of the months before."""
    return [
        dataset.expect(
            ExpectBillsToBeDeliveredOnce,
            "bill_is_delivered_once",
            "No two normal bills of an account agree in month, dates, currency and amount.",
            "rulebook 3, duplicates are never counted",
            severity="warning",
            has_amount=True,
            amount_is_revenue=True,
            money_unit="of revenue counted twice",
        ),
        dataset.expect(
            ExpectBillsOfTheUsualSize,
            "amount_is_of_the_usual_size",
            "A bill of the closing month is below amount_jump_factor times the account's"
            " mean monthly revenue of the amount_jump_months before.",
            "plausibility",
            severity="warning",
            column="total_amount",
            has_amount=True,
            amount_is_revenue=True,
            money_unit="of revenue above the usual",
        ),
        dataset.expect(
            ExpectUsualBillsToArrive,
            "usual_bill_has_arrived",
            "An account billed in each of the billing_regular_months before the closing"
            " month, with a subscription still active at its end, has a bill.",
            "completeness",
            severity="warning",
            keys=["account_id"],
            has_amount=True,
            amount_is_revenue=True,
            money_unit="of usual revenue",
        ),
        dataset.expect(
            ExpectLostBillsToBeFew,
            "lost_bills_are_few",
            "The usual revenue of the accounts whose bill is missing is at most"
            " lost_bills_share_limit of that of all such accounts.",
            "completeness",
            keys=["billing_month"],
            has_amount=True,
            amount_is_revenue=True,
            money_unit="of usual revenue",
        ),
    ]
