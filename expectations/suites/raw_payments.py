"""Suite of the feed payments: who paid how much when, and for which invoice."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.custom.queries import ExpectFindingsToBeNone
from expectations.suites.common import has_happened, holds, keeps_coming, raw_dataset, raw_suite

NAMED_INVOICES = """
select
    payments.payment_id,
    payments.amount,
    payments.account_id <> invoices.account_id
        or invoices.category in ('duplicate', 'trial') as failed
from checks.payments as payments
inner join checks.invoices as invoices on payments.invoice_id = invoices.invoice_id
"""


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "payments"))
    rules = [
        *keeps_coming(dataset, "paid_on"),
        has_happened(dataset, "paid_on", "amount"),
        holds(
            dataset,
            "amount_is_not_zero",
            "A payment is of some amount.",
            "amount <> 0",
            "feed contract",
            severity="warning",
            column="amount",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "invoice_is_counted_and_of_the_account",
            "The invoice a payment names is counted (no duplicate, no trial) and of the"
            " payment's account; otherwise the payment counts as made on account.",
            "rulebook 0, references",
            severity="warning",
            column="invoice_id",
            comparison=NAMED_INVOICES,
            has_amount=True,
            money_unit="of amount",
        ),
    ]
    return raw_suite(contract, "payments", rules, amount="amount")
