"""Suite of the feed contracts: terms in order, discounts that someone may give."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.custom.rows import ExpectValuesToBeWithin
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
    dataset = raw_dataset(feed_of(contract, "contracts"))
    rules = [
        in_order(dataset, "starts_on", "ends_on"),
        has_happened(dataset, "signed_on"),
        not_negative(dataset, "monthly_commitment"),
        dataset.expect(
            ExpectValuesToBeWithin,
            "discount_rate_is_a_share",
            "discount_rate is a share from 0 to 1.",
            "feed contract",
            severity="warning",
            column="discount_rate",
            at_least=0,
            at_most=1,
        ),
        holds(
            dataset,
            "discount_is_within_limit",
            "discount_rate is not above what the approving level may give.",
            "coalesce(discount_rate <= discount_limit, true)",
            "feed contract",
            severity="info",
            column="discount_rate",
        ),
    ]
    return raw_suite(contract, "contracts", rules)
