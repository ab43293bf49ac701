"""The months in which a customer has rows, its relationship and its group (rulebook 1, 2)."""

from __future__ import annotations

from functools import cached_property, lru_cache

from tests.independent.money import ZERO
from tests.independent.operator import Operator
from tests.independent.receivables import Receivables
from tests.independent.relationship import RANKED, Activity, relationship
from tests.independent.revenue import Revenue, usage_by_customer

ROW_MONTHS_AFTER_LEAVING = 11


class Customers:
    """What the marts about customers and tiers share."""

    def __init__(
        self, operator: Operator, activity: Activity, revenue: Revenue, receivables: Receivables
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._revenue = revenue
        self._receivables = receivables
        self.usage = usage_by_customer(operator)
        self.relationship = lru_cache(maxsize=None)(self._relationship)

    def _relationship(self, customer: str, month: int) -> str:
        return relationship(self._operator, self._activity, self._is_silent, customer, month)

    def _is_silent(self, customer: str, month: int) -> bool:
        used = self.usage.get((customer, month), {})
        return self._revenue.of(customer, month) <= ZERO and not any(used.values())

    def is_ranked(self, customer: str, month: int) -> bool:
        return self.relationship(customer, month) in RANKED

    @cached_property
    def published(self) -> set[tuple[str, int]]:
        """Customer and month of every row of the monthly marts."""
        busy = {(bill["customer_id"], bill["month"]) for bill in self._operator.bills.values()}
        busy |= set(self._receivables.paid)
        busy |= {place for place, owed in self._receivables.owed.items() if owed.outstanding}
        return busy | {
            (customer, month)
            for customer in self._operator.customers
            for month in self._operator.months
            if self._is_followed(customer, month)
        }

    def _is_followed(self, customer: str, month: int) -> bool:
        activity = self._activity
        first = activity.first_active_month(customer)
        if first is None or month < first:
            return False
        if activity.is_active(customer, month) or not activity.is_activated(customer, month):
            return True
        return month <= activity.inactive_since(customer, month) + ROW_MONTHS_AFTER_LEAVING

    @cached_property
    def beginnings(self) -> dict[str, int]:
        """First month of each customer with rows: its first active month, within the run."""
        beginnings: dict[str, int] = {}
        for customer in self._operator.customers:
            first = self._activity.first_active_month(customer)
            if first is not None and first <= self._operator.closing_month:
                beginnings[customer] = max(first, self._operator.first_month)
        return beginnings

    def group(self, customer: str) -> str:
        """Root of the chain of parents; one whose parent is not known is a root.

        Where the chain runs in a circle there is no root, and the customer is its own group.
        """
        chain = [customer]
        while parent := self._operator.customers.latest(chain[-1])["parent_customer_id"]:
            if parent not in self._operator.customers:
                break
            if parent in chain:
                return customer
            chain.append(parent)
        return chain[-1]

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """Customers of each group, by its root."""
        members: dict[str, list[str]] = {}
        for customer in self._operator.customers:
            members.setdefault(self.group(customer), []).append(customer)
        return members
