"""Suite of the mart complaint_service_monthly.

How complaints were served each month, adding up to the complaints themselves.
"""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.base import Rule
from expectations.custom.queries import ExpectTotalsToAgree
from expectations.suites.common import (
    first_day,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    ranged,
    refers,
)

DATASET = mart(
    "complaint_service_monthly",
    "month",
    "region_code",
    "tier_code",
    "category",
    owner="complaint desk",
)

COUNTS = ("opened", "resolved", "open_at_end", "reopened", "mediated")

CLOCKED = "select * from marts.fct_complaint where kind in ('complaint', 'fault')"

RESOLVED = f"""(
    select cast(date_trunc('month', resolved_at) as date) as month, category
    from ({CLOCKED}) as complaints
    where resolved_at >= (select min(month) from marts.dim_month)
) as complaints"""

OPENED = f"""(
    select opened_month as month, category, compensation
    from ({CLOCKED}) as complaints
    where opened_month >= (select min(month) from marts.dim_month)
) as complaints"""

OPEN = f"""(
    select months.month, complaints.category
    from ({CLOCKED}) as complaints
    inner join marts.dim_month as months
        on months.is_closed
        and complaints.opened_month <= months.month
        and coalesce(complaints.resolved_at >= months.month + interval 1 month, true)
) as complaints"""

# Figure, the complaints it stands for, and their own total.
TOTALS = (
    ("opened", OPENED, "count(*)"),
    ("resolved", RESOLVED, "count(*)"),
    ("open_at_end", OPEN, "count(*)"),
    ("compensation", OPENED, "sum(compensation)"),
)


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, *COUNTS, "compensation"),
            first_day(DATASET),
            refers(DATASET, "region_code", "marts.dim_region"),
            *[not_negative(DATASET, column, "critical") for column in (*COUNTS, "compensation")],
            *[
                ranged(DATASET, column, 0, 1, "rulebook 9")
                for column in ("respond_breach_share", "resolve_breach_share", "repeat_share")
            ],
            ranged(DATASET, "mean_satisfaction", 1, 5, "rulebook 9"),
            holds(
                DATASET,
                "hours_are_of_those_resolved",
                "median_resolve_hours and p90_resolve_hours are there where something was"
                " resolved, and nowhere else.",
                "(resolved > 0) = (median_resolve_hours is not null)"
                " and (resolved > 0) = (p90_resolve_hours is not null)",
                "rulebook 9",
                column="median_resolve_hours",
            ),
            holds(
                DATASET,
                "parts_are_of_those_opened",
                "No more were reopened or mediated than were opened, and only where some"
                " were opened is there a repeat_share.",
                "greatest(reopened, mediated) <= opened"
                " and (opened > 0) = (repeat_share is not null)",
                "rulebook 9",
                column="opened",
            ),
            *[_agrees(column, complaints, total) for column, complaints, total in TOTALS],
        ],
        "How complaints were served each month, adding up to the complaints themselves.",
    )


def _agrees(column: str, complaints: str, total: str) -> Rule:
    return DATASET.expect(
        ExpectTotalsToAgree,
        f"{column}_agrees_with_fct_complaint",
        f"Each month and category, {column} is that of the complaints and faults in fct_complaint.",
        "rulebook 9",
        column=column,
        left=f"{DATASET.table}",
        left_total=f"sum({column})",
        right=complaints,
        right_total=total,
        by=["month", "category"],
        keys=["month", "category"],
    )
