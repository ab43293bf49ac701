"""Suite of the feed subscriptions: activated before deactivated, with a reason."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import (
    has_happened,
    holds,
    in_order,
    raw_dataset,
    raw_suite,
)


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "subscriptions"))
    rules = [
        has_happened(dataset, "activated_on"),
        in_order(dataset, "activated_on", "deactivated_on"),
        holds(
            dataset,
            "reason_belongs_to_a_deactivation",
            "A deactivation_reason is given only with a deactivated_on.",
            "deactivation_reason is null or deactivated_on is not null",
            "feed contract",
            severity="warning",
            column="deactivation_reason",
        ),
    ]
    return raw_suite(contract, "subscriptions", rules)
