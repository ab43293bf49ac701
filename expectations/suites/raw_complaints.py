"""Suite of the feed complaints: clocks that run forwards and a status that fits them."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import (
    has_happened,
    holds,
    in_order,
    keeps_coming,
    raw_dataset,
    raw_suite,
)


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "complaints"))
    rules = [
        *keeps_coming(dataset, "opened_at"),
        has_happened(dataset, "opened_at"),
        in_order(dataset, "opened_at", "acknowledged_at"),
        in_order(dataset, "opened_at", "resolved_at"),
        in_order(dataset, "resolved_at", "closed_at"),
        holds(
            dataset,
            "status_fits_clocks",
            "A resolved complaint has a resolved_at, a closed one a closed_at.",
            "case status when 'resolved' then resolved_at is not null"
            " when 'closed' then closed_at is not null else true end",
            "rulebook 9",
            severity="warning",
            column="status",
        ),
    ]
    return raw_suite(contract, "complaints", rules, amount="compensation")
