"""What becomes of contracts, and the revenue that hangs on them (rulebook 10)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from tests.independent.loading import History, Row
from tests.independent.money import EXACT, ZERO, quotient, rounded
from tests.independent.months import first_day, last_day, number_of
from tests.independent.operator import Operator
from tests.independent.revenue import COMPONENTS, Revenue

EXPIRING_DAYS = 90
RENEWAL_DAYS = dt.timedelta(days=60)
REVENUE_MONTHS = 3
MONTHS_A_YEAR = 12


class Contracts:
    """Contracts of known customers signed by the end of the closing month."""

    def __init__(
        self, operator: Operator, revenue: Revenue, risks: dict[tuple[str, int], Decimal]
    ) -> None:
        self._operator = operator
        self._revenue = revenue
        self._risks = risks
        self._closing_day = last_day(operator.closing_month)
        self._history = History(
            (row for row in operator.feed("contracts") if row["customer_id"] in operator.customers),
            "contract_id",
        )
        latest = map(self._history.latest, self._history)
        self._contracts = [row for row in latest if row["signed_on"] <= self._closing_day]
        self._of_customer: dict[str, list[Row]] = defaultdict(list)
        for contract in self._contracts:
            self._of_customer[contract["customer_id"]].append(contract)

    def _status(self, contract: Row) -> str:
        if any(_renews(other, contract) for other in self._of_customer[contract["customer_id"]]):
            return "renewed"
        days_left = contract["ends_on"] - self._closing_day
        if days_left < dt.timedelta(0):
            return "ended_pending" if -days_left < RENEWAL_DAYS else "lapsed"
        return "expiring" if days_left.days <= EXPIRING_DAYS else "running"

    @cached_property
    def _named(self) -> dict[str, str]:
        """The contract that each subscription names, where it is known."""
        latest = map(self._operator.subscriptions.latest, self._operator.subscriptions)
        return {
            row["subscription_id"]: row["contract_id"]
            for row in latest
            if row["contract_id"] and row["contract_id"] in self._history
        }

    @cached_property
    def _naming_customers(self) -> set[str]:
        """Customers with a subscription that names a contract."""
        closing = self._operator.closing_month
        accounts = (self._operator.subscriptions.latest(each)["account_id"] for each in self._named)
        return {self._operator.owner(account, closing) for account in accounts}

    @cached_property
    def _named_revenue(self) -> dict[str, Decimal]:
        """Mean revenue of what names a contract: each billed customer over its own months."""
        closing = self._operator.closing_month
        window = range(closing - REVENUE_MONTHS + 1, closing + 1)
        sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
        for charge in self._operator.feed("charges"):
            bill = self._operator.bills.get(charge["invoice_id"])
            contract = self._named.get(charge["subscription_id"])
            is_revenue = charge["charge_type"] in COMPONENTS
            if contract and is_revenue and bill and bill["month"] in window:
                money = self._operator.convert(charge["amount"], bill["currency"], bill["month"])
                sums[contract, bill["customer_id"]] += money
        means: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for (contract, customer), total in sums.items():
            months = self._revenue.months_existing(customer, closing, REVENUE_MONTHS)
            means[contract] += quotient(total, len(months))
        return means

    def _monthly_revenue(self, contract: Row) -> Decimal:
        customer = contract["customer_id"]
        if customer in self._naming_customers:
            return self._named_revenue[contract["contract_id"]]
        started = (
            other
            for other in self._of_customer[customer]
            if other["starts_on"] <= self._closing_day
        )
        carrier = min(
            started,
            key=lambda each: (-each["ends_on"].toordinal(), each["contract_id"]),
            default=None,
        )
        if contract is not carrier:
            return ZERO
        return self._revenue.average(customer, self._operator.closing_month, REVENUE_MONTHS)

    @cached_property
    def rows(self) -> list[Row]:
        """contract_renewal."""
        return [self._row(contract) for contract in self._contracts]

    def _row(self, contract: Row) -> Row:
        customer = contract["customer_id"]
        monthly_revenue = self._monthly_revenue(contract)
        risk = self._risks.get((customer, self._operator.closing_month))
        return {
            **{
                name: contract[name]
                for name in ("contract_id", "customer_id", "signed_on", "starts_on", "ends_on")
            },
            "status": self._status(contract),
            "revenue_basis": (
                "subscriptions" if customer in self._naming_customers else "customer"
            ),
            "days_left": (contract["ends_on"] - self._closing_day).days,
            "monthly_revenue": monthly_revenue,
            "churn_probability": risk,
            "value_at_risk": (
                None
                if risk is None
                else rounded(EXACT.multiply(risk, MONTHS_A_YEAR * monthly_revenue))
            ),
            "end_month": first_day(number_of(contract["ends_on"])),
        }


def _renews(other: Row, contract: Row) -> bool:
    end: dt.date = contract["ends_on"]
    is_later = bool(other["ends_on"] > end)
    return is_later and end - RENEWAL_DAYS <= other["starts_on"] <= end + RENEWAL_DAYS
