"""Suite of the feed accounts: who owns them, in which currency they are billed."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import (
    currency_code,
    has_happened,
    in_order,
    not_negative,
    raw_dataset,
    raw_suite,
)


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "accounts"))
    rules = [
        has_happened(dataset, "opened_on"),
        in_order(dataset, "opened_on", "closed_on"),
        not_negative(dataset, "credit_limit"),
        currency_code(dataset),
    ]
    return raw_suite(contract, "accounts", rules)
