"""Revenue (rulebook 3): the lines, their sums and means, what moved."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from tests.independent.loading import Row
from tests.independent.money import ZERO, quotient
from tests.independent.months import first_day, number_of
from tests.independent.operator import Operator
from tests.independent.relationship import Activity

COMPONENTS = {
    "recurring": "recurring_revenue",
    "usage": "usage_revenue",
    "one_off": "one_off_revenue",
    "discount": "discount",
    "adjustment": "adjustment",
    "unitemised": "unitemised_revenue",
}
Moment = tuple[str, int]  # customer and month


class Revenue:
    """Everything billed, by line, customer and month."""

    def __init__(self, operator: Operator, activity: Activity) -> None:
        self._operator = operator
        self._activity = activity
        self.by_customer: dict[Moment, Decimal] = defaultdict(lambda: ZERO)
        self.billed: dict[Moment, Decimal] = defaultdict(lambda: ZERO)
        self._lines: dict[tuple[str, str, str, int], Row] = {}
        self._add_up_lines()
        for bill in operator.bills.values():
            moment = bill["customer_id"], bill["month"]
            self.billed[moment] += operator.convert(
                bill["total_amount"], bill["currency"], bill["month"]
            )

    def _add_up_lines(self) -> None:
        operator = self._operator
        itemised = set()
        for charge in operator.feed("charges"):
            bill = operator.bills.get(charge["invoice_id"])
            if bill:
                itemised.add(charge["invoice_id"])
                product = operator.product(charge["product_code"])
                self._add_line(bill, product, charge["charge_type"], charge["amount"])
        for invoice_id, bill in operator.bills.items():
            if invoice_id not in itemised:
                net = bill["total_amount"] - bill["tax_amount"]
                self._add_line(bill, "UNITEMISED", "unitemised", net)

    def _add_line(self, bill: Row, product: str, charge_type: str, amount: Decimal) -> None:
        line = self._line(bill["customer_id"], bill["account_id"], product, bill["month"])
        if charge_type in COMPONENTS:
            money = self._operator.convert(amount, bill["currency"], bill["month"])
            line[COMPONENTS[charge_type]] += money
            line["revenue"] += money
            self.by_customer[bill["customer_id"], bill["month"]] += money

    def _line(self, customer: str, account: str, product: str, month: int) -> Row:
        place = (customer, account, product, month)
        return self._lines.setdefault(
            place,
            {
                "customer_id": customer,
                "account_id": account,
                "product_code": product,
                "month": first_day(month),
                "revenue": ZERO,
                "active_subscriptions": 0,
                **dict.fromkeys(COMPONENTS.values(), ZERO),
            },
        )

    @cached_property
    def monthly(self) -> list[Row]:
        """fct_revenue_monthly: charged lines, and lines of what is active without a charge."""
        for (customer, month), active in self._activity.active.items():
            if month in self._operator.months:
                for subscription in active:
                    product = self._operator.product(subscription["product_code"])
                    line = self._line(customer, subscription["account_id"], product, month)
                    line["active_subscriptions"] += 1
        return list(self._lines.values())

    def months_existing(self, customer: str, month: int, length: int) -> range:
        """The months of a window from the customer's and the run's first month on."""
        first = self._activity.first_active_month(customer)
        if first is None:
            return range(0)
        return range(max(month - length + 1, first, self._operator.first_month), month + 1)

    def average(self, customer: str, month: int, length: int) -> Decimal:
        """avg_revenue_k; 0 before the customer's first month."""
        window = self.months_existing(customer, month, length)
        total = sum((self.of(customer, each) for each in window), ZERO)
        return quotient(total, len(window)) if window else ZERO

    def of(self, customer: str, month: int) -> Decimal:
        return self.by_customer.get((customer, month), ZERO)

    @cached_property
    def movements(self) -> list[Row]:
        """fct_revenue_movement."""
        rows = []
        earned: set[str] = set()
        customers = {customer for customer, _ in self.by_customer}
        for month in self._operator.months:
            for customer in customers:
                before, now = self.of(customer, month - 1), self.of(customer, month)
                if before or now:
                    movement = _movement(max(before, ZERO), max(now, ZERO), customer in earned)
                    rows.append(_movement_row(customer, month, movement, before, now))
                if now > 0:
                    earned.add(customer)
        return rows


def _movement(before: Decimal, now: Decimal, earned_earlier: bool) -> str:
    if before == now:
        return "flat"
    if now == 0:
        return "lost"
    if before == 0:
        return "returned" if earned_earlier else "new"
    return "expansion" if now > before else "contraction"


def _movement_row(customer: str, month: int, movement: str, before: Decimal, now: Decimal) -> Row:
    stays = movement in ("expansion", "contraction", "flat")
    return {
        "customer_id": customer,
        "month": first_day(month),
        "movement": movement,
        "revenue_before": before,
        "revenue": now,
        "change": now - before,
        "won_revenue": now if movement in ("new", "returned") else ZERO,
        "kept_revenue": min(max(before, ZERO), max(now, ZERO)) if stays else ZERO,
        "grown_revenue": now - max(before, ZERO) if movement == "expansion" else ZERO,
    }


def usage_by_customer(operator: Operator) -> dict[Moment, Row]:
    """Usage of known subscriptions, for the account's owner at the month's end."""
    totals: dict[Moment, Row] = {}
    for row in operator.feed("usage"):
        month = number_of(row["usage_month"])
        if row["subscription_id"] not in operator.subscriptions or month not in operator.months:
            continue
        account = operator.subscriptions.latest(row["subscription_id"])["account_id"]
        total = totals.setdefault(
            (operator.owner(account, month), month),
            {"voice_minutes": ZERO, "data_mb": ZERO, "sms_count": 0, "active_days": 0},
        )
        for measure in total:
            total[measure] += row[measure] or 0
    return totals
