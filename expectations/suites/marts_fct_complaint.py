"""Suite of the mart fct_complaint: every complaint, its clocks and who kept them."""

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

DATASET = mart("fct_complaint", "complaint_id", owner="complaint desk")

CATEGORIES = (
    "billing",
    "network_quality",
    "service_attitude",
    "contract",
    "provisioning",
    "fraud",
    "privacy",
    "other",
)

CLOCKS_FIT_KIND = """
case
    when kind in ('complaint', 'fault')
        then respond_hours is not null and resolve_hours is not null
            and is_repeat is not null
    else coalesce(respond_hours, resolve_hours) is null
        and coalesce(
            respond_breached, resolve_breached, regulatory_breached, is_repeat
        ) is null
end
"""

# Hours are shown to 4 decimals, breaches judged to the microsecond.
BREACH_FITS_HOURS = """
case
    when {clock}_breached then {clock}_hours > {clock}_limit_hours - 0.0001
    when not {clock}_breached then {clock}_hours < {clock}_limit_hours + 0.0001
    else true
end
"""

LATER = """
with closing as (
    select max(month) + interval 1 month as closes_at from marts.dim_month where is_closed
)
select
    complaints.complaint_id,
    greatest(
        complaints.opened_at, complaints.acknowledged_at, complaints.resolved_at,
        complaints.closed_at
    ) >= closing.closes_at as failed
from marts.fct_complaint as complaints
cross join closing
"""

TIERS = """
select
    complaints.complaint_id,
    complaints.tier_code <> coalesce(tiers.tier_code, 'none') as failed
from marts.fct_complaint as complaints
left join marts.customer_tier_monthly as tiers
    on complaints.customer_id = tiers.customer_id
    and tiers.month
        = cast(date_trunc('month', complaints.opened_at) - interval 1 month as date)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(
                DATASET,
                "customer_id",
                "region_code",
                "tier_code",
                "opened_at",
                "reopened_count",
                "mediated",
                "handed_off",
                "closed_loop",
                "compensation",
            ),
            first_day(DATASET, "opened_month"),
            coded(
                DATASET, "kind", ["complaint", "fault", "enquiry", "suggestion"], "feed contract"
            ),
            coded(DATASET, "category", CATEGORIES, "feed contract"),
            coded(DATASET, "severity", ["critical", "major", "minor"], "feed contract"),
            coded(
                DATASET, "status", ["open", "acknowledged", "resolved", "closed"], "feed contract"
            ),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            refers(DATASET, "region_code", "marts.dim_region"),
            ranged(DATASET, "satisfaction", 1, 5, "feed contract"),
            not_negative(DATASET, "compensation", "critical", "feed contract"),
            not_negative(DATASET, "respond_hours", source="rulebook 9"),
            not_negative(DATASET, "resolve_hours", source="rulebook 9"),
            holds(
                DATASET,
                "clocks_fit_kind",
                "Complaints and faults have clocks, enquiries and suggestions have none.",
                CLOCKS_FIT_KIND,
                "rulebook 9",
                column="kind",
            ),
            *[
                holds(
                    DATASET,
                    f"{clock}_breach_fits_hours",
                    f"{clock}_breached says whether {clock}_hours is over {clock}_limit_hours.",
                    BREACH_FITS_HOURS.format(clock=clock),
                    "rulebook 9",
                    column=f"{clock}_breached",
                )
                for clock in ("respond", "resolve")
            ],
            holds(
                DATASET,
                "open_complaint_is_not_resolved",
                "A complaint without a resolved_at is open or acknowledged, one with it is not.",
                "(resolved_at is null) = (status in ('open', 'acknowledged'))"
                " and is_open = (resolved_at is null)",
                "rulebook 9",
                column="resolved_at",
            ),
            holds(
                DATASET,
                "open_complaint_is_not_kept",
                "What is still open may be breached, but is never said to be in time.",
                "not is_open or coalesce(resolve_breached, true)"
                " and coalesce(regulatory_breached, true)",
                "rulebook 9",
                column="is_open",
            ),
            compared(
                DATASET,
                "nothing_is_later_than_the_closing_month",
                "No complaint shows anything that happened after the closing month.",
                LATER,
                "rulebook 0, dated events",
                keys=["complaint_id"],
                column="opened_at",
            ),
            compared(
                DATASET,
                "tier_is_that_of_the_month_before",
                "tier_code is that of customer_tier_monthly in the month before opening.",
                TIERS,
                "rulebook 9",
                keys=["complaint_id"],
                column="tier_code",
            ),
        ],
        "Every complaint, its clocks and whether they were kept.",
    )
