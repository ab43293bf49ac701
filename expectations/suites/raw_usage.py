"""Suite of the feed usage: one row per subscription and month, nothing below 0."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import keeps_coming, raw_dataset, raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "usage"))
    return raw_suite(contract, "usage", keeps_coming(dataset, "usage_month"))
