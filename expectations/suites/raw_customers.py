"""Suite of the feed customers: keys, codes, references, groups that make sense."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.contract import Contract, feed_of
from expectations.custom.queries import ExpectFindingsToBeNone
from expectations.suites.common import has_happened, holds, raw_dataset, raw_suite

# `union` keeps each pair once, so that the climb ends even within a cycle.
ANCESTORS = """
with recursive climbed as (
    select customer_id, parent_customer_id as ancestor_id
    from checks.customers
    where parent_customer_id is not null
    union
    select climbed.customer_id, parents.parent_customer_id
    from climbed
    inner join checks.customers as parents on parents.customer_id = climbed.ancestor_id
    where parents.parent_customer_id is not null
)
select customer_id, bool_or(ancestor_id = customer_id) as failed
from climbed
group by customer_id
"""


def build(contract: Contract) -> ExpectationSuite:
    """The suite, from the feed contract."""
    dataset = raw_dataset(feed_of(contract, "customers"))
    rules = [
        has_happened(dataset, "registered_on"),
        holds(
            dataset,
            "industry_is_a_section",
            "industry is one letter from A to T and is given for organisations only.",
            "industry is null or (legal_form = 'organisation'"
            " and length(industry) = 1 and industry between 'A' and 'T')",
            "feed contract",
            severity="warning",
            column="industry",
        ),
        holds(
            dataset,
            "region_is_a_local_network",
            "region_code is not a province or the group: such a customer counts under UNKNOWN.",
            "region_code not in"
            " (select region_code from reference.regions where region_level <> 'local')",
            "rulebook 1",
            severity="warning",
            column="region_code",
        ),
        dataset.expect(
            ExpectFindingsToBeNone,
            "group_has_a_root",
            "Following parent_customer_id leads to a root: no customer is its own"
            " ancestor. A customer in a cycle is its own group.",
            "rulebook 1, group_id",
            severity="warning",
            column="parent_customer_id",
            comparison=ANCESTORS,
        ),
    ]
    return raw_suite(contract, "customers", rules)
