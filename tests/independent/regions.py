"""Figures by month and region of every level (rulebook 1, 2, 3, Region summary)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from tests.independent.complaints import CLOCKED, Clocks, Complaints, is_open
from tests.independent.customers import Customers
from tests.independent.kinds import KeyCustomers
from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO, quotient
from tests.independent.months import first_day, number_of
from tests.independent.operator import Operator
from tests.independent.receivables import Receivables
from tests.independent.relationship import Activity
from tests.independent.revenue import Revenue

Sums = dict[str, Decimal]


class RegionSummary:
    """Adds up over local networks, then over the regions above them."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        revenue: Revenue,
        receivables: Receivables,
        customers: Customers,
        key_customers: KeyCustomers,
        complaints: Complaints,
        clocks: Clocks,
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._revenue = revenue
        self._receivables = receivables
        self._customers = customers
        self._key_customers = key_customers
        self._complaints = complaints
        self._clocks = clocks
        self._sums: dict[tuple[int, str], Sums] = defaultdict(lambda: defaultdict(lambda: ZERO))

    def _add(self, month: int, local: str, name: str, amount: Decimal | int) -> None:
        for region in self._operator.regions_above(local):
            self._sums[month, region][name] += amount

    def _add_customers(self) -> None:
        for customer, month in self._customers.published:
            local = self._operator.local_network(customer, month)
            is_key = self._key_customers.segment(customer, month) == "key"
            revenue = self._revenue.of(customer, month)
            self._add(month, local, "revenue", revenue)
            self._add(month, local, "key_revenue", revenue if is_key else ZERO)
            owed = self._receivables.owed.get((customer, month))
            self._add(month, local, "overdue_amount", owed.overdue if owed else ZERO)
            active = self._activity.active.get((customer, month), [])
            if active:
                self._add(month, local, "customers", 1)
                self._add(month, local, "key_customers", int(is_key))
                self._add(month, local, "active_subscriptions", len(active))
                accounts = {subscription["account_id"] for subscription in active}
                self._add(month, local, "active_accounts", len(accounts))

    def _add_departures(self) -> None:
        for customer, before in list(self._activity.active):
            month = before + 1
            if month not in self._operator.months:
                continue
            local = self._operator.local_network(customer, before)
            has_left = not self._activity.is_active(customer, month)
            stake = max(self._revenue.average(customer, before, 3), ZERO)
            self._add(month, local, "customers_before", 1)
            self._add(month, local, "customers_left", int(has_left))
            self._add(month, local, "revenue_at_stake", stake)
            self._add(month, local, "revenue_left", stake if has_left else ZERO)

    def _add_movements(self) -> None:
        for row in self._revenue.movements:
            month = number_of(row["month"])
            local = self._operator.local_network(row["customer_id"], month)
            for name in ("won", "kept", "grown"):
                self._add(month, local, f"revenue_{name}", row[f"{name}_revenue"])

    def _add_complaints(self) -> None:
        exposed: set[tuple[str, int]] = set()
        for row in self._complaints.of_kind(*CLOCKED):
            opened = number_of(row["opened_at"])
            if opened not in self._operator.months:
                continue
            local = self._operator.local_network(row["customer_id"], opened)
            breached = self._clocks.resolve_breached(row)
            self._add(opened, local, "complaints", int(row["kind"] == "complaint"))
            self._add(opened, local, "resolve_outcomes", int(breached is not None))
            self._add(opened, local, "resolve_breaches", int(bool(breached)))
            if breached or self._clocks.respond_breached(row):
                exposed.add((row["customer_id"], opened))
            exposed |= {
                (row["customer_id"], month)
                for month in range(opened, self._operator.closing_month + 1)
                if is_open(row, month)
            }
        for customer, month in exposed:
            local = self._operator.local_network(customer, month)
            average = self._revenue.average(customer, month, 3)
            self._add(month, local, "complaint_exposure", average)

    def rows(self) -> list[Row]:
        """region_summary_monthly."""
        self._add_customers()
        self._add_departures()
        self._add_movements()
        self._add_complaints()
        return [
            {
                "month": first_day(month),
                "region_code": region.code,
                "region_level": region.level,
                **self._figures(month, self._sums[month, region.code]),
            }
            for month in self._operator.months
            for region in self._operator.regions.values()
        ]

    def _figures(self, month: int, sums: Sums) -> Row:
        is_first = month == self._operator.first_month
        hears = month >= self._complaints.first_month
        sees_payments = month >= self._operator.first_payment_month
        churn = _ratio(sums["customers_left"], sums["customers_before"])
        revenue_churn = _ratio(sums["revenue_left"], sums["revenue_at_stake"])
        per_subscription = _ratio(sums["complaints"] * 1000, sums["active_subscriptions"])
        breach_share = _ratio(sums["resolve_breaches"], sums["resolve_outcomes"])
        return {
            name: sums[name]
            for name in (
                "customers",
                "key_customers",
                "active_subscriptions",
                "active_accounts",
                "revenue",
                "key_revenue",
                "customers_before",
                "customers_left",
                "revenue_won",
                "revenue_kept",
                "revenue_grown",
            )
        } | {
            "key_revenue_share": _ratio(sums["key_revenue"], sums["revenue"]),
            "arpu": _mean(sums["revenue"], sums["active_subscriptions"]),
            "arpa": _mean(sums["revenue"], sums["active_accounts"]),
            "customer_churn_rate": churn,
            "retention_rate": None if churn is None else 1 - churn,
            "revenue_at_stake": None if is_first else sums["revenue_at_stake"],
            "revenue_left": None if is_first else sums["revenue_left"],
            "revenue_churn_rate": None if is_first else revenue_churn,
            "complaint_exposure": sums["complaint_exposure"] if hears else None,
            "complaints": sums["complaints"] if hears else None,
            "complaints_per_1000": per_subscription if hears else None,
            "resolve_breach_share": breach_share if hears else None,
            "overdue_amount": sums["overdue_amount"] if sees_payments else None,
        }


def _ratio(part: Decimal, whole: Decimal) -> float | None:
    return float(EXACT.divide(part, whole)) if whole else None


def _mean(total: Decimal, count: Decimal) -> Decimal | None:
    return quotient(total, count) if count else None
