"""Suite of the feed service_costs: one row per month, product and region, costs not negative."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import keeps_coming, raw_dataset, raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "service_costs"))
    return raw_suite(contract, "service_costs", keeps_coming(dataset, "cost_month"))
