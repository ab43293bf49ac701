"""Suite of the mart retention_worklist: whom to act on, why, and who may not be contacted."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.base import quoted
from expectations.suites.common import (
    coded,
    compared,
    holds,
    key_rules,
    mart,
    present,
    ranged,
    refers,
)

DATASET = mart("retention_worklist", "customer_id", owner="customer value team")

REASONS = (
    "contract_expiring",
    "high_risk",
    "spend_drop",
    "complaint_breached",
    "overdue",
    "win_back",
)

# What the feed contract marks as personal of customers, and the names of the managers.
PERSONAL = (
    "customer_name",
    "customer_name_masked",
    "registration_number",
    "birth_year",
    "gender",
    "occupation",
    "contact_name",
    "contact_phone",
    "contact_email",
    "address",
    "service_number",
    "manager_name",
)

PERSONAL_COLUMNS = f"""
select column_name, column_name in ({quoted(PERSONAL)}) as failed
from information_schema.columns
where table_schema = 'marts' and table_name = 'retention_worklist'
"""

RANKS = """
select
    customer_id,
    rank <> row_number() over (order by value_at_risk desc nulls last, customer_id) as failed
from marts.retention_worklist
"""

LEFT = """
select
    customer_id,
    (worklist.reasons is not distinct from 'win_back')
        <> (customers.relationship in ('left', 'competitor')) as failed
from marts.dim_customer as customers
left join marts.retention_worklist as worklist using (customer_id)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "rank",
                "tier_code",
                "service_class",
                "reasons",
                "first_reason",
                "contact_allowed",
                "relationship_dependence",
            ),
            coded(
                DATASET,
                "relationship",
                ["on_net", "returned", "dormant", "left", "competitor"],
                "rulebook 10",
            ),
            coded(DATASET, "first_reason", REASONS, "rulebook 10"),
            coded(
                DATASET,
                "recommended_channel",
                ["visit", "call", "sms", "email", "app"],
                "reference contract",
            ),
            coded(DATASET, "contact_blocked_by", ["no_consent", "limit_reached"], "rulebook 10"),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            refers(DATASET, "region_code", "marts.dim_region"),
            refers(DATASET, "manager_id", "marts.dim_manager"),
            ranged(DATASET, "churn_probability", 0, 1, "rulebook 8"),
            ranged(DATASET, "relationship_dependence", 0, 4, "rulebook 10"),
            holds(
                DATASET,
                "first_reason_leads_the_reasons",
                "first_reason is the first of the reasons.",
                "first_reason = split_part(reasons, ',', 1)",
                "rulebook 10",
                column="first_reason",
            ),
            holds(
                DATASET,
                "blocked_contact_says_why",
                "A contact that is not allowed says what blocks it, one that is allowed nothing.",
                "contact_allowed = (contact_blocked_by is null)",
                "rulebook 10",
                column="contact_blocked_by",
            ),
            holds(
                DATASET,
                "allowed_contact_is_within_the_limit",
                "A contact is allowed only while the channel's limit is not reached.",
                "not contact_allowed or coalesce(marketing_contacts_30_days < limit_30_days, true)",
                "rulebook 10",
                column="contact_allowed",
            ),
            holds(
                DATASET,
                "dependence_is_the_number_of_its_signs",
                "relationship_dependence counts the signs that are true.",
                "relationship_dependence"
                " = coalesce(cast(has_single_contact_person as integer), 0)"
                " + coalesce(cast(has_new_manager as integer), 0)"
                " + coalesce(cast(lacks_recent_visit as integer), 0)"
                " + cast(has_known_competitor as integer)",
                "rulebook 10",
                column="relationship_dependence",
            ),
            compared(
                DATASET,
                "ranks_follow_value_at_risk",
                "Ranks run from 1 by falling value_at_risk, then customer_id; unknown values last.",
                RANKS,
                "rulebook 10",
                keys=["customer_id"],
                column="rank",
            ),
            compared(
                DATASET,
                "every_customer_that_left_is_to_be_won_back",
                "Customers that left within 12 months are listed as win_back, and no others.",
                LEFT,
                "rulebook 10",
                keys=["customer_id"],
                column="reasons",
            ),
            compared(
                DATASET,
                "no_column_is_personal",
                "The list has no column that the feed contract marks as personal.",
                PERSONAL_COLUMNS,
                "rulebook 12",
                keys=["column_name"],
            ),
        ],
        "Whom to act on first, why and how, and who may not be contacted.",
    )
