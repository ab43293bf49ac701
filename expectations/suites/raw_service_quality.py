"""Suite of the feed service_quality: one row per subscription and month, rates as shares."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import keeps_coming, raw_dataset, raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "service_quality"))
    return raw_suite(contract, "service_quality", keeps_coming(dataset, "quality_month"))
