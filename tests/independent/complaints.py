"""Complaints counted, and kept or breached by their clocks (rulebook 9)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from tests.independent.loading import History, Row
from tests.independent.months import end_of, number_of
from tests.independent.operator import Operator
from tests.independent.tiers import Tiers

WINDOW_MONTHS = 12
CLOCKED = ("complaint", "fault")


class Complaints:
    """Complaints of known customers, as last delivered, up to the end of the closing month."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        delivered = operator.feed("complaints")
        known = [row for row in delivered if row["customer_id"] in operator.customers]
        self.history = History(known, "complaint_id")
        latest = [self.history.latest(complaint) for complaint in self.history]
        self.rows = [row for row in latest if number_of(row["opened_at"]) <= operator.closing_month]
        self.first_month = min(number_of(row["opened_at"]) for row in delivered)

    def of_kind(self, *kinds: str) -> list[Row]:
        return [row for row in self.rows if row["kind"] in kinds]

    @cached_property
    def _complaints_of(self) -> dict[str, list[Row]]:
        complaints = defaultdict(list)
        for row in self.of_kind("complaint"):
            complaints[row["customer_id"]].append(row)
        return complaints

    def opened_12m(self, customer: str, month: int) -> int | None:
        if month < self.first_month:
            return None
        window = range(month - WINDOW_MONTHS + 1, month + 1)
        return sum(
            number_of(row["opened_at"]) in window for row in self._complaints_of.get(customer, [])
        )

    def open_at_end(self, customer: str, month: int) -> int | None:
        if month < self.first_month:
            return None
        return sum(is_open(row, month) for row in self._complaints_of.get(customer, []))


def resolved_at(complaint: Row, month: int) -> dt.datetime | None:
    """The resolution known at the month's end; none while open or open again.

    A complaint that was closed without one ended when it was closed.
    """
    resolved: dt.datetime | None = complaint["resolved_at"] or complaint["closed_at"]
    if complaint["status"] in ("open", "acknowledged") or resolved is None:
        return None
    return resolved if resolved < end_of(month) else None


def is_open(complaint: Row, month: int) -> bool:
    return complaint["opened_at"] < end_of(month) and resolved_at(complaint, month) is None


def responded_at(complaint: Row, month: int) -> dt.datetime | None:
    """The acknowledgement known at the month's end, without one the resolution."""
    acknowledged: dt.datetime | None = complaint["acknowledged_at"]
    if acknowledged is not None and acknowledged < end_of(month):
        return acknowledged
    return resolved_at(complaint, month)


def seconds_until(complaint: Row, ended: dt.datetime | None, month: int) -> int:
    """Seconds from opening to an end; without one to the month's end."""
    return int(((ended or end_of(month)) - complaint["opened_at"]).total_seconds())


class Clocks:
    """Limits and breaches, as of the closing month or one before."""

    def __init__(self, operator: Operator, complaints: Complaints, tiers: Tiers) -> None:
        self._operator = operator
        self._tiers = tiers
        self.rows = complaints.of_kind(*CLOCKED)
        self._levels = {
            (row["service_class"], row["severity"]): row for row in operator.table("service_levels")
        }

    def limit(self, complaint: Row, clock: str) -> Decimal:
        """Hours allowed by the tier of the month before opening."""
        before = number_of(complaint["opened_at"]) - 1
        return self.limit_of(
            self._tiers.service_class(complaint["customer_id"], before), complaint, clock
        )

    def limit_of(self, service_class: str, complaint: Row, clock: str) -> Decimal:
        level = self._levels.get((service_class, complaint["severity"]))
        return Decimal((level or self._levels["standard", complaint["severity"]])[clock])

    def resolve_breached(self, complaint: Row, month: int | None = None) -> bool | None:
        month = month or self._operator.closing_month
        limit = self.limit(complaint, "resolve_hours")
        return is_over(complaint, resolved_at(complaint, month), limit, month)

    def respond_breached(self, complaint: Row, month: int | None = None) -> bool | None:
        month = month or self._operator.closing_month
        limit = self.limit(complaint, "respond_hours")
        return is_over(complaint, responded_at(complaint, month), limit, month)


def is_over(complaint: Row, ended: dt.datetime | None, hours: Decimal, month: int) -> bool | None:
    """Over its hours, open or not; open and inside is neither kept nor breached."""
    if seconds_until(complaint, ended, month) > hours * 3600:
        return True
    return False if ended else None
