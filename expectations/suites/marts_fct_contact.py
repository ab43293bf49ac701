"""Suite of the mart fct_contact: every contact, and the proof that its budget was kept."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    ranged,
    refers,
)

DATASET = mart("fct_contact", "contact_id", owner="customer data team")

CHANNELS = ("visit", "call", "sms", "email", "app", "counter")
PURPOSES = (
    "care",
    "renewal",
    "campaign",
    "complaint_follow_up",
    "win_back",
    "survey",
    "service_notice",
)
OUTCOMES = ("reached", "no_answer", "accepted", "declined")

ONLY_MARKETING = """
case
    when counts_as_marketing then marketing_contacts_30_days is not null
    else coalesce(marketing_contacts_30_days, limit_30_days) is null
end
"""

LATER = """
select contacts.contact_id, contacts.contacted_at >= closing.closes_at as failed
from marts.fct_contact as contacts
cross join (
    select max(month) + interval 1 month as closes_at from marts.dim_month where is_closed
) as closing
"""

TIERS = """
select
    contacts.contact_id,
    contacts.tier_code <> coalesce(tiers.tier_code, 'none') as failed
from marts.fct_contact as contacts
left join marts.customer_tier_monthly as tiers
    on contacts.customer_id = tiers.customer_id
    and tiers.month = cast(contacts.contacted_month - interval 1 month as date)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "customer_id",
                "tier_code",
                "service_class",
                "channel",
                "purpose",
                "counts_as_marketing",
                "contacted_at",
            ),
            first_day(DATASET, "contacted_month"),
            coded(DATASET, "channel", CHANNELS, "feed contract"),
            coded(DATASET, "purpose", PURPOSES, "feed contract"),
            coded(DATASET, "outcome", OUTCOMES, "feed contract"),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            refers(DATASET, "manager_id", "marts.dim_manager"),
            refers(DATASET, "campaign_id", "marts.campaign_result"),
            ranged(DATASET, "score", 1, 5, "feed contract"),
            not_negative(DATASET, "cost"),
            holds(
                DATASET,
                "marketing_fits_purpose",
                "Campaign, renewal and win-back contacts count as marketing, no others do.",
                "counts_as_marketing = (purpose in ('campaign', 'renewal', 'win_back'))",
                "rulebook 10",
                column="counts_as_marketing",
            ),
            holds(
                DATASET,
                "only_marketing_is_counted",
                "Marketing contacts have their number in 30 days; others have neither number"
                " nor limit.",
                ONLY_MARKETING,
                "rulebook 10",
                column="marketing_contacts_30_days",
            ),
            holds(
                DATASET,
                "within_limit_fits_the_count",
                "within_limit says whether the contacts in 30 days are at most the limit.",
                "within_limit is not distinct from (marketing_contacts_30_days <= limit_30_days)",
                "rulebook 10",
                column="within_limit",
            ),
            holds(
                DATASET,
                "limits_are_kept",
                "No marketing contact goes beyond the customer's limit for the channel.",
                "coalesce(within_limit, true)",
                "rulebook 10",
                severity="info",
                column="within_limit",
            ),
            compared(
                DATASET,
                "nothing_is_later_than_the_closing_month",
                "No contact is made after the closing month.",
                LATER,
                "rulebook 0, dated events",
                keys=["contact_id"],
                column="contacted_at",
            ),
            compared(
                DATASET,
                "tier_is_that_of_the_month_before",
                "tier_code is that of customer_tier_monthly in the month before the contact.",
                TIERS,
                "rulebook 10",
                keys=["contact_id"],
                column="tier_code",
            ),
        ],
        "Every contact, and whether the customer's contact budget was kept.",
    )
