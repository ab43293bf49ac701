"""Who is active when, and the relationship that follows (rulebook 0, 1 and 2)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tests.independent.loading import Row
from tests.independent.months import first_day, last_day, number_of
from tests.independent.operator import Operator

RANKED = ("on_net", "returned", "dormant")


@dataclass(frozen=True)
class Departure:
    """A subscription that ended, and why."""

    day: dt.date
    reason: str | None


class Activity:
    """Subscriptions by the customer that owns their account at a month's end."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.active: dict[tuple[str, int], list[Row]] = defaultdict(list)
        self.first_activation: dict[str, int] = {}
        self.served: dict[tuple[str, int, str], int] = defaultdict(int)
        self.departures: dict[str, list[Departure]] = defaultdict(list)
        for subscription in operator.subscriptions:
            self._follow(operator.subscriptions.latest(subscription))
        self.first_bill: dict[str, int] = {}
        for bill in operator.bills.values():
            _keep_earliest(self.first_bill, bill["customer_id"], bill["month"])
        self.last_active_before = lru_cache(maxsize=None)(self._last_active_before)

    def _follow(self, subscription: Row) -> None:
        """A subscription from its activation to its end or the closing month.

        One that ends in the month in which its account changes hands leaves the owner
        before without having ended there, and never was the new owner's.
        """
        begin, ended = subscription["activated_on"], subscription["deactivated_on"]
        until = self._operator.closing_month
        if ended:
            until = min(until, number_of(ended))
        for month in range(number_of(begin), max(until, number_of(begin)) + 1):
            owner = self._operator.owner(subscription["account_id"], month)
            self._serve(subscription, owner, month)
            if not ended or ended > last_day(month):
                self.active[owner, month].append(subscription)
            elif month == number_of(begin) or (
                owner == self._operator.owner(subscription["account_id"], month - 1)
            ):
                departure = Departure(ended, subscription["deactivation_reason"])
                self.departures[owner].append(departure)
            else:
                continue
            _keep_earliest(self.first_activation, owner, month)

    def _serve(self, subscription: Row, owner: str, month: int) -> None:
        """Count it among those active on a day of the month, by customer and product."""
        begin, ended = subscription["activated_on"], subscription["deactivated_on"]
        if not ended or ended > max(begin, first_day(month)):
            product = self._operator.product(subscription["product_code"])
            self.served[owner, month, product] += 1

    def first_active_month(self, customer: str) -> int | None:
        """Month of the first activation or of the first counted bill, the earlier."""
        starts = (self.first_activation.get(customer), self.first_bill.get(customer))
        return min((start for start in starts if start is not None), default=None)

    def is_active(self, customer: str, month: int) -> bool:
        return (customer, month) in self.active

    def is_activated(self, customer: str, month: int) -> bool:
        return customer in self.first_activation and self.first_activation[customer] <= month

    def last_departure(self, customer: str, month: int) -> list[Departure]:
        """The departures of the last day on which any subscription ended, up to the month."""
        past = [gone for gone in self.departures[customer] if gone.day <= last_day(month)]
        last = max((gone.day for gone in past), default=None)
        return [gone for gone in past if gone.day == last]

    def _last_active_before(self, customer: str, month: int) -> int | None:
        if not self.is_activated(customer, month):
            return None
        earliest = self.first_activation[customer]
        return next(
            (each for each in range(month, earliest - 1, -1) if self.is_active(customer, each)),
            None,
        )

    def inactive_since(self, customer: str, month: int) -> int:
        """Later of the last departure's month and the month after the last active month-end."""
        last = self.last_active_before(customer, month)
        since = [number_of(gone.day) for gone in self.last_departure(customer, month)]
        return max([*since, *([] if last is None else [last + 1])])


def _keep_earliest(earliest: dict[str, int], customer: str, month: int) -> None:
    earliest[customer] = min(month, earliest.get(customer, month))


IsSilent = Callable[[str, int], bool]


def relationship(
    operator: Operator, activity: Activity, is_silent: IsSilent, customer: str, month: int
) -> str:
    """The state at the end of the month; the first match of rulebook 2's table wins."""
    if not activity.is_activated(customer, month):
        return "prospect"
    if not activity.is_active(customer, month):
        if month >= activity.inactive_since(customer, month) + 12:
            return "historic"
        reasons = {gone.reason for gone in activity.last_departure(customer, month)}
        if operator.customers.as_of(customer, month)["competitor"] or "port_out" in reasons:
            return "competitor"
        return "left"
    first = activity.first_activation[customer]
    for earlier in range(max(first, month - 12), month):
        if not activity.is_active(customer, earlier):
            return "returned"
    long_active = all(activity.is_active(customer, each) for each in range(month - 3, month + 1))
    silent = all(
        each >= operator.first_month and is_silent(customer, each)
        for each in range(month - 2, month + 1)
    )
    return "dormant" if long_active and silent else "on_net"
