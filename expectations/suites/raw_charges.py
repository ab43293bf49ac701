"""Suite of the feed charges: each names its invoice, and discounts lower the bill."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import holds, raw_dataset, raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "charges"))
    rules = [
        holds(
            dataset,
            "discount_is_not_positive",
            "A charge of type discount lowers the bill: its amount is not above 0.",
            "charge_type <> 'discount' or amount <= 0",
            "rulebook 3, revenue",
            severity="warning",
            column="amount",
            amount="amount",
            money_unit="of amount",
        ),
    ]
    return raw_suite(contract, "charges", rules, amount="amount")
