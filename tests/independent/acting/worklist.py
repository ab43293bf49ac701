"""Whom to call first, why, and who must not be called (rulebook 10)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cached_property

from tests.independent.acting.contacts import Contacts
from tests.independent.acting.contracts import Contracts
from tests.independent.complaints import Clocks, resolved_at
from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO, quotient, rounded
from tests.independent.months import last_day
from tests.independent.operator import Operator
from tests.independent.receivables import Receivables
from tests.independent.relationship import Activity
from tests.independent.revenue import Revenue
from tests.independent.tiers import NONE, Tiers

HIGH_RISK = Decimal("0.15")
SPEND_DROP_SHARE = Decimal("0.5")
MARGIN_MONTHS = 6
WIN_BACK_MONTHS = 12
WIN_BACK_SHARE = Decimal("0.1")
MONTHS_A_YEAR = 12
LEFT = ("left", "competitor")
CONTACT_PERSON_MONTHS = 12
MANAGER_MONTHS = 6
VISIT_DAYS = 90


class Worklist:
    """Margins, headroom and the risk to leave are given, by customer and month."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        revenue: Revenue,
        receivables: Receivables,
        customers: Customers,
        tiers: Tiers,
        contacts: Contacts,
        contracts: Contracts,
        clocks: Clocks,
        values: dict[tuple[str, int], Row],
        risks: dict[tuple[str, int], Decimal],
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._revenue = revenue
        self._receivables = receivables
        self._customers = customers
        self._tiers = tiers
        self._contacts = contacts
        self._contracts = contracts
        self._clocks = clocks
        self._values = values
        self._risks = risks
        self._closing = operator.closing_month
        self._actions = {
            (row["reason"], row["service_class"]): row for row in operator.table("worklist_actions")
        }

    def rows(self) -> list[Row]:
        """retention_worklist."""
        rows = []
        for customer in self._operator.customers:
            reasons = self._reasons(customer)
            if reasons:
                rows.append(self._row(customer, reasons))
        rows.sort(key=_place)
        return [{**row, "rank": rank} for rank, row in enumerate(rows, start=1)]

    def _reasons(self, customer: str) -> list[str]:
        """In the order of the rulebook; those who left have one reason only."""
        closing = self._closing
        if self._customers.relationship(customer, closing) in LEFT:
            return ["win_back"]
        if not self._customers.is_ranked(customer, closing):
            return []
        mean = self._revenue.average(customer, closing, 6)
        owed = self._receivables.owed.get((customer, closing))
        found = {
            "contract_expiring": customer in self._expiring,
            "high_risk": self._risks[customer, closing] >= HIGH_RISK,
            "spend_drop": self._revenue.of(customer, closing) < SPEND_DROP_SHARE * mean,
            "complaint_breached": customer in self._complaining,
            "overdue": owed is not None and owed.overdue > ZERO,
        }
        return [reason for reason, is_found in found.items() if is_found]

    @cached_property
    def _expiring(self) -> set[str]:
        return {row["customer_id"] for row in self._contracts.rows if row["status"] == "expiring"}

    @cached_property
    def _complaining(self) -> set[str]:
        """Customers with an open complaint or fault that is over its hours."""
        return {
            row["customer_id"]
            for row in self._clocks.rows
            if resolved_at(row, self._closing) is None
            and (self._clocks.resolve_breached(row) or self._clocks.respond_breached(row))
        }

    def _row(self, customer: str, reasons: list[str]) -> Row:
        closing = self._closing
        has_left = reasons == ["win_back"]
        service_class = self._tiers.service_class(customer, closing)
        action = self._actions.get((reasons[0], service_class), {})
        return {
            "customer_id": customer,
            "relationship": self._customers.relationship(customer, closing),
            "region_code": self._operator.local_network(customer, closing),
            "tier_code": NONE if has_left else self._tiers.decision(customer, closing).tier,
            "service_class": service_class,
            "manager_id": self._operator.manager(customer, closing),
            "reasons": ",".join(reasons),
            "first_reason": reasons[0],
            **(self._lost_value(customer) if has_left else self._value(customer)),
            "recommended_action": action.get("action"),
            "recommended_channel": action.get("channel"),
            **self._permission(customer, service_class, action.get("channel")),
            **self._dependence(customer),
        }

    def _value(self, customer: str) -> Row:
        window = self._revenue.months_existing(customer, self._closing, MARGIN_MONTHS)
        rows = (self._values.get((customer, month)) for month in window)
        mean = quotient(sum((row["margin"] for row in rows if row), ZERO), len(window))
        headroom = self._values[customer, self._closing]["headroom_value"]
        risk = self._risks[customer, self._closing]
        a_year = MONTHS_A_YEAR * mean + (headroom or ZERO)
        return {
            "churn_probability": risk,
            "mean_margin": mean,
            "headroom_value": headroom,
            "value_at_risk": rounded(EXACT.multiply(risk, a_year)),
        }

    def _lost_value(self, customer: str) -> Row:
        active = [
            month for month in self._operator.months if self._activity.is_active(customer, month)
        ]
        margins = [self._values[customer, month]["margin"] for month in active[-WIN_BACK_MONTHS:]]
        mean = quotient(sum(margins, ZERO), len(margins)) if margins else None
        return {
            "churn_probability": None,
            "mean_margin": mean,
            "headroom_value": None,
            "value_at_risk": (
                None if mean is None else rounded(WIN_BACK_SHARE * MONTHS_A_YEAR * mean)
            ),
        }

    def _permission(self, customer: str, service_class: str, channel: str | None) -> Row:
        """Consent first, then the contacts of 30 days on the channel."""
        made = limit = None
        if channel:
            made = self._contacts.made_before(customer, channel, self._contacts.now)
            limit = self._contacts.limit(service_class, channel)
        blocked_by = None
        if not self._operator.customers.as_of(customer, self._closing)["marketing_consent"]:
            blocked_by = "no_consent"
        elif made is not None and limit is not None and made >= limit:
            blocked_by = "limit_reached"
        return {
            "contact_allowed": blocked_by is None,
            "contact_blocked_by": blocked_by,
            "marketing_contacts_30_days": made,
            "limit_30_days": limit,
        }

    def _dependence(self, customer: str) -> Row:
        closing = self._closing
        persons = {
            row["manager_id"]
            for row in self._contacts.by_customer.get(customer, [])
            if row["month"] > closing - CONTACT_PERSON_MONTHS
        }
        managers = {
            self._operator.manager(customer, month)
            for month in range(closing - MANAGER_MONTHS, closing + 1)
        }
        earliest = last_day(closing) - dt.timedelta(days=VISIT_DAYS - 1)
        visits = self._contacts.visits(customer)
        signs = {
            "has_single_contact_person": len(persons - {None}) == 1,
            "has_new_manager": len(managers - {None}) > 1,
            "lacks_recent_visit": all(row["contacted_at"].date() < earliest for row in visits),
            "has_known_competitor": (
                self._operator.customers.as_of(customer, closing)["competitor"] is not None
            ),
        }
        return {
            **signs,
            "relationship_dependence": sum(signs.values()),
            "dependence_coverage": None,
        }


def _place(row: Row) -> tuple[bool, Decimal, str]:
    """Highest value first, unknown ones last, then by customer."""
    value = row["value_at_risk"]
    return value is None, -(value or ZERO), row["customer_id"]
