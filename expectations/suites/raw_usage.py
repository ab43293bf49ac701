"""Suite of the feed usage: one row per subscription and month, nothing below 0."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract
from expectations.suites.common import raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    return raw_suite(contract, "usage")
