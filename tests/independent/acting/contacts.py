"""Contacts with customers, the budget they use, and visits (rulebook 10)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from functools import cached_property

from tests.independent.loading import History, Row
from tests.independent.months import end_of, first_day, number_of
from tests.independent.operator import Operator
from tests.independent.tiers import NONE, Tiers

MARKETING = ("campaign", "renewal", "win_back")
BUDGET_WINDOW = dt.timedelta(hours=30 * 24)


class Contacts:
    """Contacts with known customers up to the end of the closing month."""

    def __init__(self, operator: Operator, tiers: Tiers) -> None:
        self._operator = operator
        self._tiers = tiers
        self.campaigns = History(operator.feed("campaigns"), "campaign_id")
        delivered = operator.feed("contacts")
        self.first_month = min(number_of(row["contacted_at"]) for row in delivered)
        self.made = [
            {
                **row,
                "month": number_of(row["contacted_at"]),
                "manager_id": _known(row["manager_id"], operator.managers),
                "campaign_id": _known(row["campaign_id"], self.campaigns),
            }
            for row in delivered
            if row["customer_id"] in operator.customers
            and number_of(row["contacted_at"]) <= operator.closing_month
        ]
        self._limits = {
            (row["service_class"], row["channel"]): int(row["limit_30_days"])
            for row in operator.table("contact_limits")
        }

    @cached_property
    def by_customer(self) -> dict[str, list[Row]]:
        contacts = defaultdict(list)
        for row in self.made:
            contacts[row["customer_id"]].append(row)
        return contacts

    def visits(self, customer: str) -> list[Row]:
        return [row for row in self.by_customer.get(customer, []) if row["channel"] == "visit"]

    def limit(self, service_class: str, channel: str) -> int | None:
        """The limit of a class, or else of standard."""
        return self._limits.get((service_class, channel), self._limits.get(("standard", channel)))

    def made_before(self, customer: str, channel: str, now: dt.datetime) -> int:
        """Marketing contacts in the 30 days of 24 hours up to an instant."""
        return sum(
            now - BUDGET_WINDOW < row["contacted_at"] < now
            for row in self._marketing_of(customer, channel)
        )

    def _marketing_of(self, customer: str, channel: str) -> list[Row]:
        return [
            row
            for row in self.by_customer.get(customer, [])
            if row["channel"] == channel and row["purpose"] in MARKETING
        ]

    def _made_up_to(self, contact: Row) -> int:
        """Marketing contacts in the window, of one instant those of no higher id."""
        place = contact["contacted_at"], contact["contact_id"]
        return sum(
            row["contacted_at"] > contact["contacted_at"] - BUDGET_WINDOW
            and (row["contacted_at"], row["contact_id"]) <= place
            for row in self._marketing_of(contact["customer_id"], contact["channel"])
        )

    def rows(self) -> list[Row]:
        """fct_contact."""
        return [self._row(contact) for contact in self.made]

    def _row(self, contact: Row) -> Row:
        before = contact["month"] - 1
        service_class = self._tiers.service_class(contact["customer_id"], before)
        is_marketing = contact["purpose"] in MARKETING
        made = self._made_up_to(contact) if is_marketing else None
        limit = self.limit(service_class, contact["channel"]) if is_marketing else None
        return {
            **{
                name: contact[name]
                for name in (
                    "contact_id",
                    "customer_id",
                    "manager_id",
                    "campaign_id",
                    "channel",
                    "purpose",
                    "outcome",
                    "score",
                    "cost",
                    "contacted_at",
                )
            },
            "tier_code": self.tier(contact["customer_id"], before),
            "service_class": service_class,
            "marketing_contacts_30_days": made,
            "limit_30_days": limit,
            "counts_as_marketing": is_marketing,
            "within_limit": None if made is None or limit is None else made <= limit,
            "contacted_month": first_day(contact["month"]),
        }

    def tier(self, customer: str, month: int) -> str:
        """The tier of a month of the run; none outside it."""
        if month not in self._operator.months:
            return NONE
        return self._tiers.decision(customer, month).tier

    @property
    def now(self) -> dt.datetime:
        """The instant at which the closing month is over."""
        return end_of(self._operator.closing_month)


def _known(name: str | None, history: History) -> str | None:
    return name if name and name in history else None
