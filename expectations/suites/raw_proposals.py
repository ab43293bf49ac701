"""Suite of the feed proposals: prices, terms and a decision that fits the status."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import (
    has_happened,
    holds,
    in_order,
    not_negative,
    raw_dataset,
    raw_suite,
)


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "proposals"))
    rules = [
        has_happened(dataset, "proposed_on"),
        in_order(dataset, "proposed_on", "decided_on"),
        not_negative(dataset, "monthly_price"),
        not_negative(dataset, "monthly_cost"),
        holds(
            dataset,
            "decision_fits_status",
            "decided_on is given for proposals won or lost and missing for open ones.",
            "case when status in ('won', 'lost') then decided_on is not null"
            " when status = 'open' then decided_on is null else true end",
            "feed contract",
            severity="warning",
            column="decided_on",
        ),
    ]
    return raw_suite(contract, "proposals", rules, amount="monthly_price")
