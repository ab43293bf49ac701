"""Every complaint with its clocks, and the service by network, tier and category (rulebook 9)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property

from tests.independent.complaints import (
    CLOCKED,
    Clocks,
    Complaints,
    is_open,
    is_over,
    resolved_at,
    responded_at,
    seconds_until,
)
from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO, quotient, rounded
from tests.independent.months import end_of, first_day, number_of
from tests.independent.operator import Operator
from tests.independent.tiers import NONE, Tiers

REGULATORY_HOURS = Decimal(15 * 24)
REPEAT_WITHIN = dt.timedelta(days=30)
PERCENTILE = Decimal("0.9")


class ComplaintService:
    """fct_complaint and complaint_service_monthly, as of the closing month."""

    def __init__(
        self, operator: Operator, complaints: Complaints, clocks: Clocks, tiers: Tiers
    ) -> None:
        self._operator = operator
        self._complaints = complaints
        self._clocks = clocks
        self._tiers = tiers

    @cached_property
    def rows(self) -> list[Row]:
        """fct_complaint."""
        return [self._row(complaint) for complaint in self._complaints.rows]

    def _row(self, complaint: Row) -> Row:
        customer, opened = complaint["customer_id"], number_of(complaint["opened_at"])
        in_run = opened - 1 in self._operator.months
        tier = self._tiers.decision(customer, opened - 1).tier if in_run else NONE
        row = {
            name: complaint[name]
            for name in (
                "complaint_id",
                "customer_id",
                "kind",
                "category",
                "severity",
                "reopened_count",
                "satisfaction",
                "compensation",
                "mediated",
                "opened_at",
            )
        }
        return row | {
            "region_code": self._operator.local_network(customer, opened),
            "tier_code": tier,
            "service_class": self._tiers.service_class(customer, opened - 1),
            "opened_month": first_day(opened),
            "handed_off": complaint["owner_changes"] > 0,
            **self._course(complaint),
            **self._clocks_of(complaint),
        }

    def _course(self, complaint: Row) -> Row:
        """What had become of it by the end of the closing month."""
        closing = self._operator.closing_month
        resolved = resolved_at(complaint, closing)
        acknowledged = _known(complaint["acknowledged_at"], closing)
        closed = _known(complaint["closed_at"], closing)
        if complaint["status"] != "closed":
            closed = None
        status = "open"
        if closed:
            status = "closed"
        elif resolved:
            status = "resolved"
        elif acknowledged and complaint["status"] != "open":
            status = "acknowledged"
        is_resolved = resolved is not None and complaint["resolved_at"] is not None
        return {
            "status": status,
            "acknowledged_at": acknowledged,
            "resolved_at": resolved,
            "closed_at": closed,
            "is_open": resolved is None,
            "closed_loop": bool(
                complaint["first_owner"] and acknowledged and is_resolved and closed
            ),
        }

    def _clocks_of(self, complaint: Row) -> Row:
        if complaint["kind"] not in CLOCKED:
            return dict.fromkeys(
                (
                    "respond_limit_hours",
                    "resolve_limit_hours",
                    "respond_hours",
                    "resolve_hours",
                    "respond_breached",
                    "resolve_breached",
                    "regulatory_breached",
                    "is_repeat",
                )
            )
        closing = self._operator.closing_month
        responded, resolved = responded_at(complaint, closing), resolved_at(complaint, closing)
        return {
            "respond_limit_hours": self._clocks.limit(complaint, "respond_hours"),
            "resolve_limit_hours": self._clocks.limit(complaint, "resolve_hours"),
            "respond_hours": quotient(Decimal(seconds_until(complaint, responded, closing)), 3600),
            "resolve_hours": quotient(Decimal(seconds_until(complaint, resolved, closing)), 3600),
            "respond_breached": self._clocks.respond_breached(complaint),
            "resolve_breached": self._clocks.resolve_breached(complaint),
            "regulatory_breached": is_over(complaint, resolved, REGULATORY_HOURS, closing),
            "is_repeat": self.is_repeat(complaint),
        }

    def is_repeat(self, complaint: Row) -> bool:
        """Opened at most 30 days after an earlier one of the category was resolved."""
        opened = complaint["opened_at"]
        return any(
            opened - REPEAT_WITHIN <= resolved <= opened
            for earlier in self._of_category[complaint["customer_id"], complaint["category"]]
            if earlier is not complaint
            and earlier["opened_at"] <= opened
            and (resolved := resolved_at(earlier, self._operator.closing_month))
        )

    @cached_property
    def _of_category(self) -> dict[tuple[str, str], list[Row]]:
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self._clocks.rows:
            found[row["customer_id"], row["category"]].append(row)
        return found

    def monthly(self) -> list[Row]:
        """complaint_service_monthly."""
        shown = {row["complaint_id"]: row for row in self.rows}
        cells: dict[tuple[int, str, str, str], dict[str, list[Row]]] = defaultdict(
            lambda: {"opened": [], "resolved": [], "unresolved": []}
        )
        for complaint in self._clocks.rows:
            row = shown[complaint["complaint_id"]]
            place = row["region_code"], row["tier_code"], row["category"]
            opened = number_of(complaint["opened_at"])
            cells[opened, *place]["opened"].append(row)
            if row["resolved_at"]:
                cells[number_of(row["resolved_at"]), *place]["resolved"].append(row)
            for month in range(opened, self._operator.closing_month + 1):
                if is_open(complaint, month):
                    cells[month, *place]["unresolved"].append(row)
        return [
            {
                "month": first_day(month),
                "region_code": region,
                "tier_code": tier,
                "category": category,
                **_figures(**cell),
            }
            for (month, region, tier, category), cell in cells.items()
            if month in self._operator.months
        ]


def _known(moment: dt.datetime | None, month: int) -> dt.datetime | None:
    return moment if moment is not None and moment < end_of(month) else None


def _figures(opened: list[Row], resolved: list[Row], unresolved: list[Row]) -> Row:
    ratings = [row["satisfaction"] for row in opened if row["satisfaction"] is not None]
    hours = sorted(row["resolve_hours"] for row in resolved)
    repeats = sum(row["is_repeat"] for row in opened)
    return {
        "opened": len(opened),
        "resolved": len(resolved),
        "open_at_end": len(unresolved),
        **_breaches("respond", (row["respond_breached"] for row in opened)),
        **_breaches("resolve", (row["resolve_breached"] for row in opened)),
        "median_resolve_hours": percentile(hours, Decimal("0.5")),
        "p90_resolve_hours": percentile(hours, PERCENTILE),
        "repeats": repeats,
        "repeat_share": repeats / len(opened) if opened else None,
        "reopened": sum(row["reopened_count"] > 0 for row in opened),
        "mediated": sum(row["mediated"] for row in opened),
        "ratings": len(ratings),
        "mean_satisfaction": quotient(Decimal(sum(ratings)), len(ratings)) if ratings else None,
        "compensation": sum((row["compensation"] for row in opened), ZERO),
    }


def _breaches(clock: str, outcomes: Iterable[bool | None]) -> Row:
    known = [outcome for outcome in outcomes if outcome is not None]
    return {
        f"{clock}_outcomes": len(known),
        f"{clock}_breaches": sum(known),
        f"{clock}_breach_share": sum(known) / len(known) if known else None,
    }


def percentile(ordered: list[Decimal], share: Decimal) -> Decimal | None:
    """Linear between the neighbours, rounded as means are; none of nothing."""
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    step = EXACT.multiply(ordered[above] - ordered[below], place - below)
    return rounded(ordered[below] + step)
