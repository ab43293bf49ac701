"""Suite of the feed contacts: who was contacted when, on which channel, at what cost."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.suites.common import (
    has_happened,
    holds,
    keeps_coming,
    not_negative,
    raw_dataset,
    raw_suite,
)


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "contacts"))
    rules = [
        *keeps_coming(dataset, "contacted_at"),
        has_happened(dataset, "contacted_at"),
        not_negative(dataset, "cost"),
        holds(
            dataset,
            "score_belongs_to_a_survey",
            "A score is given in a survey contact only.",
            "score is null or purpose = 'survey'",
            "feed contract",
            severity="warning",
            column="score",
        ),
    ]
    return raw_suite(contract, "contacts", rules, amount="cost")
