"""Suite of the feed service_quality: one row per subscription and month, rates as shares."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract
from expectations.suites.common import raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    return raw_suite(contract, "service_quality")
