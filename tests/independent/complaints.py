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
        history = History(known, "complaint_id")
        latest = [history.latest(complaint) for complaint in history]
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


class Clocks:
    """Hours and breaches as of the closing month."""

    def __init__(self, operator: Operator, complaints: Complaints, tiers: Tiers) -> None:
        self._operator = operator
        self._tiers = tiers
        self.rows = complaints.of_kind(*CLOCKED)
        self._levels = {
            (row["service_class"], row["severity"]): row for row in operator.table("service_levels")
        }

    def _limit(self, complaint: Row, clock: str) -> Decimal:
        before = number_of(complaint["opened_at"]) - 1
        service_class = self._tiers.service_class(complaint["customer_id"], before)
        level = self._levels.get((service_class, complaint["severity"]))
        return Decimal((level or self._levels["standard", complaint["severity"]])[clock])

    def _breached(self, complaint: Row, until: dt.datetime | None, clock: str) -> bool | None:
        """Over its hours, open or not; open and inside is neither kept nor breached."""
        end = until or end_of(self._operator.closing_month)
        seconds = Decimal(int((end - complaint["opened_at"]).total_seconds()))
        if seconds > self._limit(complaint, clock) * 3600:
            return True
        return False if until else None

    def resolve_breached(self, complaint: Row) -> bool | None:
        until = resolved_at(complaint, self._operator.closing_month)
        return self._breached(complaint, until, "resolve_hours")

    def respond_breached(self, complaint: Row) -> bool | None:
        closing = self._operator.closing_month
        until = complaint["acknowledged_at"] or complaint["resolved_at"]
        known = until if until and until < end_of(closing) else None
        return self._breached(complaint, known, "respond_hours")
