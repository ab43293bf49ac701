"""Suite of the feed campaigns: terms in order, costs not negative."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import in_order, not_negative, raw_dataset, raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "campaigns"))
    rules = [
        in_order(dataset, "starts_on", "ends_on"),
        not_negative(dataset, "fixed_cost"),
    ]
    return raw_suite(contract, "campaigns", rules)
