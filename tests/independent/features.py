"""What was known at a month's end that may tell whether a customer leaves (rulebook 8).

Strict: a row with an updated_at counts from that month on, a bill from its issue.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from statistics import median

from tests.independent.complaints import (
    CLOCKED,
    Clocks,
    Complaints,
    is_open,
    is_over,
    resolved_at,
    responded_at,
)
from tests.independent.customers import Customers
from tests.independent.delivered_value import quality_reports
from tests.independent.loading import History, Row
from tests.independent.money import EXACT, ZERO, quotient, rounded, six_decimals
from tests.independent.months import first_day, last_day, number_of
from tests.independent.operator import Operator
from tests.independent.receivables import Receivables
from tests.independent.relationship import Activity
from tests.independent.revenue import COMPONENTS
from tests.independent.stars import plan_changes

TREND_MONTHS = 3
DROP_MONTHS = 6
SHORT_MONTHS, LONG_MONTHS = 3, 12
MANAGER_CHANGE_MONTHS = 6
CONTACT_MONTHS = 3
MINUTES_AN_HOUR = 60

Moment = tuple[str, int]
Feature = Decimal | int | None
Features = dict[str, Feature]


class ChurnFeatures:
    """The features of every ranked customer-month."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        customers: Customers,
        receivables: Receivables,
        complaints: Complaints,
        clocks: Clocks,
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._customers = customers
        self._receivables = receivables
        self._complaints = complaints
        self._clocks = clocks
        self._reports = quality_reports(operator)
        self._contracts = History(operator.feed("contracts"), "contract_id")

    @cached_property
    def by_customer_month(self) -> dict[Moment, Features]:
        return {
            (customer, month): self._features(customer, month)
            for customer, month in self._customers.published
            if self._customers.is_ranked(customer, month)
        }

    def rows(self) -> list[Row]:
        return [
            {
                "customer_id": customer,
                "month": first_day(month),
                **{name: _shown(value) for name, value in features.items()},
            }
            for (customer, month), features in self.by_customer_month.items()
        ]

    def _features(self, customer: str, month: int) -> Features:
        return {
            **self._holdings_of(customer, month),
            **self._contract_of(customer, month),
            **self._revenue_of(customer, month),
            "usage_trend": self._usage_trend(customer, month),
            **self._complaints_of(customer, month),
            **self._overdue_of(customer, month),
            "plan_changes_12m": self._in_window(self._plan_changes, customer, month, LONG_MONTHS),
            "manager_changes_6m": self._in_window(
                self._manager_changes, customer, month, MANAGER_CHANGE_MONTHS
            ),
            "contacts_3m": self._in_window(self._contacts, customer, month, CONTACT_MONTHS),
            **self._quality_of(customer, month),
            "competitor_known": self._competitor(customer, month),
            "charge_level": self._charge_levels.get((customer, month)),
        }

    @staticmethod
    def _in_window(months: dict[str, list[int]], customer: str, month: int, length: int) -> int:
        window = range(month - length + 1, month + 1)
        return sum(each in window for each in months.get(customer, []))

    @cached_property
    def _subscriptions(self) -> dict[Moment, list[tuple[Row, Row]]]:
        """Subscriptions known at each month's end with their accounts, by the owner known."""
        found: dict[Moment, list[tuple[Row, Row]]] = defaultdict(list)
        for subscription in self._operator.subscriptions:
            for month in self._operator.months:
                known = self._operator.subscriptions.known(subscription, month)
                account = known and self._operator.accounts.known(known["account_id"], month)
                if known and account:
                    found[account["customer_id"], month].append((known, account))
        return found

    def _holdings_of(self, customer: str, month: int) -> Features:
        end = last_day(month)
        known = [
            (subscription, account)
            for subscription, account in self._subscriptions.get((customer, month), [])
            if subscription["activated_on"] <= end
        ]
        active = [
            (subscription, account)
            for subscription, account in known
            if not subscription["deactivated_on"] or subscription["deactivated_on"] > end
        ]
        if not known:
            return dict.fromkeys(("tenure_months", "product_count", "family_count", "is_prepaid"))
        products = {self._operator.product(row["product_code"]) for row, _ in active}
        first = min(number_of(row["activated_on"]) for row, _ in known)
        return {
            "tenure_months": month - first,
            "product_count": len(products),
            "family_count": len({self._operator.product_families[each] for each in products}),
            "is_prepaid": int(all(account["payment_mode"] == "prepaid" for _, account in active))
            if active
            else None,
        }

    @cached_property
    def _contracts_of(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for contract in self._contracts:
            for customer in {row["customer_id"] for row in self._contracts.versions(contract)}:
                found[customer].append(contract)
        return found

    def _contract_of(self, customer: str, month: int) -> Features:
        """Contracts that run at the month's end, and the month-ends that they still reach."""
        known = (
            self._contracts.known(contract, month)
            for contract in self._contracts_of.get(customer, [])
        )
        ends = [
            number_of(row["ends_on"] + dt.timedelta(days=1)) - 1
            for row in known
            if row
            and row["customer_id"] == customer
            and row["starts_on"] <= last_day(month) <= row["ends_on"]
        ]
        return {
            "in_contract": int(bool(ends)),
            "contract_months_left": max(ends) - month if ends else 0,
        }

    @cached_property
    def _lines(self) -> dict[tuple[str, int, str], Decimal]:
        """Revenue by customer, month in which the bill is known, and product."""
        operator = self._operator
        lines: dict[tuple[str, int, str], Decimal] = defaultdict(lambda: ZERO)
        itemised = set()
        for charge in operator.feed("charges"):
            bill = operator.bills.get(charge["invoice_id"])
            if bill:
                itemised.add(charge["invoice_id"])
                if charge["charge_type"] in COMPONENTS:
                    product = operator.product(charge["product_code"])
                    money = operator.convert(charge["amount"], bill["currency"], bill["month"])
                    lines[bill["customer_id"], _known_month(bill), product] += money
        for invoice_id, bill in operator.bills.items():
            if invoice_id not in itemised:
                net = bill["total_amount"] - bill["tax_amount"]
                money = operator.convert(net, bill["currency"], bill["month"])
                lines[bill["customer_id"], _known_month(bill), "UNITEMISED"] += money
        return lines

    @cached_property
    def _revenue(self) -> dict[Moment, Decimal]:
        revenue: dict[Moment, Decimal] = defaultdict(lambda: ZERO)
        for (customer, month, _), money in self._lines.items():
            revenue[customer, month] += money
        return revenue

    @cached_property
    def _first_billed(self) -> dict[str, int]:
        first: dict[str, int] = {}
        for bill in self._operator.bills.values():
            customer, month = bill["customer_id"], _known_month(bill)
            first[customer] = min(month, first.get(customer, month))
        return first

    def _months_billed(self, customer: str, month: int) -> int:
        return month - self._first_billed.get(customer, month + 1) + 1

    def _mean_revenue(self, customer: str, month: int) -> Decimal | None:
        if self._months_billed(customer, month) < DROP_MONTHS:
            return None
        total = _sum(self._revenue, customer, month, DROP_MONTHS)
        return quotient(total, DROP_MONTHS)

    def _revenue_of(self, customer: str, month: int) -> Features:
        mean = self._mean_revenue(customer, month)
        trend, drop = None, None
        if self._months_billed(customer, month) >= 2 * TREND_MONTHS:
            trend = _trend(self._revenue, customer, month)
        if mean is not None and mean > 0:
            now = self._revenue.get((customer, month), ZERO)
            drop = min(max(1 - EXACT.divide(now, mean), ZERO), Decimal(1))
        return {"revenue_trend": trend, "revenue_drop_share": drop}

    def _usage_trend(self, customer: str, month: int) -> Decimal | None:
        """Mean of the trends of voice and data."""
        first = self._activity.first_active_month(customer)
        begin = month - 2 * TREND_MONTHS + 1
        if first is None or begin < max(first, self._first_usage_month):
            return None
        trends = [_trend(self._use[measure], customer, month) for measure in self._use]
        known = [trend for trend in trends if trend is not None]
        return EXACT.divide(sum(known, ZERO), Decimal(len(known))) if known else None

    @cached_property
    def _first_usage_month(self) -> int:
        return min(number_of(row["usage_month"]) for row in self._operator.feed("usage"))

    @cached_property
    def _use(self) -> dict[str, dict[Moment, Decimal]]:
        return {
            measure: {place: row[measure] for place, row in self._customers.usage.items()}
            for measure in ("voice_minutes", "data_mb")
        }

    @cached_property
    def _complaints_by_customer(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for complaint in self._complaints.history:
            for customer in {
                row["customer_id"] for row in self._complaints.history.versions(complaint)
            }:
                found[customer].append(complaint)
        return found

    def _complaints_of(self, customer: str, month: int) -> Features:
        names = (
            "complaints_3m",
            "complaints_12m",
            "open_complaints",
            "breaches_12m",
            "mean_satisfaction",
        )
        if month < self._complaints.first_month:
            return dict.fromkeys(names)
        versions = (
            self._complaints.history.known(complaint, month)
            for complaint in self._complaints_by_customer.get(customer, [])
        )
        known = [row for row in versions if row and row["customer_id"] == customer]
        of_year = [row for row in known if month - number_of(row["opened_at"]) < LONG_MONTHS]
        grievances = [row for row in of_year if row["kind"] == "complaint"]
        clocked = [row for row in of_year if row["kind"] in CLOCKED]
        answers = [row["satisfaction"] for row in of_year if row["satisfaction"] is not None]
        return {
            "complaints_3m": sum(
                month - number_of(row["opened_at"]) < SHORT_MONTHS for row in grievances
            ),
            "complaints_12m": len(grievances),
            "open_complaints": sum(
                row["kind"] == "complaint" and is_open(row, month) for row in known
            ),
            "breaches_12m": sum(self._is_breached(row, month) for row in clocked),
            "mean_satisfaction": EXACT.divide(Decimal(sum(answers)), Decimal(len(answers)))
            if answers
            else None,
        }

    def _is_breached(self, complaint: Row, month: int) -> bool:
        """Over the hours of class standard, whatever the tier."""
        clocks = {
            "respond_hours": responded_at(complaint, month),
            "resolve_hours": resolved_at(complaint, month),
        }
        return any(
            is_over(complaint, ended, self._clocks.limit_of("standard", complaint, clock), month)
            for clock, ended in clocks.items()
        )

    def _overdue_of(self, customer: str, month: int) -> Features:
        if month < self._operator.first_payment_month:
            return dict.fromkeys(("is_overdue", "overdue_months", "days_past_due"))
        owed = self._receivables.owed.get((customer, month))
        overdue = owed.overdue if owed else ZERO
        mean = self._mean_revenue(customer, month)
        return {
            "is_overdue": int(overdue > 0),
            "overdue_months": EXACT.divide(overdue, mean) if mean else None,
            "days_past_due": self._oldest_overdue.get((customer, month), 0),
        }

    @cached_property
    def _oldest_overdue(self) -> dict[Moment, int]:
        oldest: dict[Moment, int] = defaultdict(int)
        for bill in self._receivables.bills.values():
            for month in self._operator.months:
                end = last_day(month)
                if bill.is_postpaid and bill.total and bill.issued_on <= end:
                    state = bill.state(end)
                    if state.open_amount:
                        place = bill.customer_id, month
                        oldest[place] = max(oldest[place], state.days_past_due)
        return oldest

    @cached_property
    def _plan_changes(self) -> dict[str, list[int]]:
        changes: dict[str, list[int]] = defaultdict(list)
        for subscription in self._operator.subscriptions:
            versions = self._operator.subscriptions.versions(subscription)
            for month in plan_changes(versions):
                changes[self._operator.owner(versions[-1]["account_id"], month)].append(month)
        return changes

    @cached_property
    def _manager_changes(self) -> dict[str, list[int]]:
        changes: dict[str, list[int]] = defaultdict(list)
        for customer in self._operator.customers:
            versions = self._operator.customers.versions(customer)
            for before, version in pairwise(versions):
                if version["manager_id"] != before["manager_id"]:
                    changes[customer].append(number_of(version["updated_at"]))
        return changes

    @cached_property
    def _contacts(self) -> dict[str, list[int]]:
        contacts: dict[str, list[int]] = defaultdict(list)
        for row in self._operator.feed("contacts"):
            contacts[row["customer_id"]].append(number_of(row["contacted_at"]))
        return contacts

    def _quality_of(self, customer: str, month: int) -> Features:
        reports = self._reports.get((customer, month), [])
        outages = [row["outage_minutes"] for row in reports if row["outage_minutes"] is not None]
        return {
            "outage_hours": EXACT.divide(sum(outages, ZERO), Decimal(MINUTES_AN_HOUR))
            if outages
            else None,
            "drop_rate": _mean(row["drop_rate"] for row in reports),
        }

    def _competitor(self, customer: str, month: int) -> int | None:
        known = self._operator.customers.known(customer, month)
        return None if known is None else int(bool(known["competitor"]))

    @cached_property
    def _charge_levels(self) -> dict[Moment, Decimal]:
        """Own charges over the medians of the same products, less 1."""
        charges: dict[tuple[int, str], list[Decimal]] = defaultdict(list)
        for (_, month, product), money in self._lines.items():
            if money > 0:
                charges[month, product].append(money)
        medians = {place: rounded(median(values)) for place, values in charges.items()}
        own: dict[Moment, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        for (customer, month, product), money in self._lines.items():
            if money > 0:
                own[customer, month][0] += money
                own[customer, month][1] += medians[month, product]
        return {place: EXACT.divide(paid, usual) - 1 for place, (paid, usual) in own.items()}


def _shown(value: Feature) -> float | None:
    return None if value is None else float(six_decimals(Decimal(value)))


def _known_month(bill: Row) -> int:
    """A bill counts when it is issued, or in its month if that is later."""
    return int(max(number_of(bill["issued_on"]), bill["month"]))


def _sum(values: dict[Moment, Decimal], customer: str, month: int, length: int) -> Decimal:
    window = range(month - length + 1, month + 1)
    return sum((values.get((customer, each), ZERO) for each in window), ZERO)


def _trend(values: dict[Moment, Decimal], customer: str, month: int) -> Decimal | None:
    """Three months over the three before, less 1; null where there was nothing before."""
    before = _sum(values, customer, month - TREND_MONTHS, TREND_MONTHS)
    now = _sum(values, customer, month, TREND_MONTHS)
    return EXACT.divide(now, before) - 1 if before > 0 else None


def _mean(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    return EXACT.divide(sum(known, ZERO), Decimal(len(known))) if known else None
