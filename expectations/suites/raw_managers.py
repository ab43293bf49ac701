"""Suite of the feed managers: keys, codes and the region they work in."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract
from expectations.suites.common import raw_suite


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    return raw_suite(contract, "managers")
