"""What a customer will bring (rulebook 5), month by month and to sixty digits."""

from __future__ import annotations

from decimal import Decimal

from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO, quotient, rounded
from tests.independent.months import first_day
from tests.independent.revenue import Revenue

HORIZON = 24
MARGIN_MONTHS = 6
STAKE_MONTHS = 12
TREND_MONTHS = 3
TREND_MINIMUM = 6
LOWEST_TREND, HIGHEST_TREND = Decimal("0.97"), Decimal("1.03")
YEARLY_DISCOUNT = Decimal("1.10")
RISK_MONTHS = 3


class Potential:
    """Potential value by customer and month; margins and the risk to leave are given."""

    def __init__(
        self,
        customers: Customers,
        revenue: Revenue,
        values: dict[tuple[str, int], Row],
        risks: dict[tuple[str, int], Decimal],
    ) -> None:
        self._customers = customers
        self._revenue = revenue
        self._values = values
        self._risks = risks
        self._monthly_discount = self._root(YEARLY_DISCOUNT, 12)

    def rows(self) -> list[Row]:
        return [
            {
                "customer_id": customer,
                "month": first_day(month),
                "potential_value": self.value(customer, month),
            }
            for customer, month in self._values
        ]

    def value(self, customer: str, month: int) -> Decimal:
        if not self._customers.is_ranked(customer, month):
            return ZERO
        margin = max(self._mean_margin(customer, month), ZERO)
        stays = self._root(Decimal(1) - self._risks[customer, month], RISK_MONTHS)
        moved = EXACT.multiply(self._trend(customer, month), stays)
        factor = EXACT.divide(moved, self._monthly_discount)
        total, step = ZERO, Decimal(1)
        for _ in range(HORIZON):
            step = EXACT.multiply(step, factor)
            total = EXACT.add(total, step)
        return rounded(EXACT.multiply(margin, total))

    def stake(self, customer: str, month: int) -> Decimal:
        """What a departure would cost in a year."""
        return STAKE_MONTHS * max(self._mean_margin(customer, month), ZERO)

    def _mean_margin(self, customer: str, month: int) -> Decimal:
        window = self._revenue.months_existing(customer, month, MARGIN_MONTHS)
        rows = (self._values.get((customer, each)) for each in window)
        return quotient(sum((row["margin"] for row in rows if row), ZERO), len(window))

    def _trend(self, customer: str, month: int) -> Decimal:
        if len(self._revenue.months_existing(customer, month, TREND_MINIMUM)) < TREND_MINIMUM:
            return Decimal(1)
        now = self._revenue.average(customer, month, TREND_MONTHS)
        before = self._revenue.average(customer, month - TREND_MONTHS, TREND_MONTHS)
        if now <= 0 or before <= 0:
            return Decimal(1)
        trend = self._root(EXACT.divide(now, before), TREND_MONTHS)
        return min(max(trend, LOWEST_TREND), HIGHEST_TREND)

    @staticmethod
    def _root(number: Decimal, degree: int) -> Decimal:
        return EXACT.power(number, EXACT.divide(Decimal(1), Decimal(degree)))
