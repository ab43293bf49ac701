"""Who left, the band of each risk, and the backtest of months (rulebook 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal

from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import ZERO, rounded
from tests.independent.months import first_day
from tests.independent.operator import Operator
from tests.independent.relationship import Activity

HORIZON = 3
DECILES = 10
BANDS = (
    ("very_high", Decimal("0.30")),
    ("high", Decimal("0.15")),
    ("medium", Decimal("0.05")),
    ("low", Decimal(0)),
)


class Risk:
    """The marts of churn risk; the probabilities are given, by customer and month.

    A stake is what the departure of a customer would cost in a year.
    """

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        customers: Customers,
        risks: dict[tuple[str, int], Decimal],
        tested_risks: dict[tuple[str, int], Decimal],
        stake: Callable[[str, int], Decimal],
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._customers = customers
        self._risks = risks
        self._tested_risks = tested_risks
        self._stake = stake

    def rows(self) -> list[Row]:
        return [
            {
                "customer_id": customer,
                "month": first_day(month),
                "risk_band": next(
                    band for band, least in BANDS if self._risks[customer, month] >= least
                ),
                "left_within_3m": self.has_left(customer, month),
            }
            for customer, month in self._customers.published
            if self._customers.is_ranked(customer, month)
        ]

    def has_left(self, customer: str, month: int) -> bool | None:
        """Whether it left within three months; none until all of them have come true."""
        if month + HORIZON > self._operator.closing_month:
            return None
        following = range(month + 1, month + HORIZON + 1)
        return not all(self._activity.is_active(customer, each) for each in following)

    def backtest(self) -> list[Row]:
        """Departures and value foretold and come true, by month and decile.

        The last three months that have come true are foretold by the tested fit, which
        never saw them.
        """
        risks = {**self._risks, **self._tested_risks}
        months: dict[int, list[tuple[Decimal, str]]] = defaultdict(list)
        for (customer, month), risk in risks.items():
            if month + HORIZON <= self._operator.closing_month:
                months[month].append((-risk, customer))
        rows = []
        for month, ordered in months.items():
            ordered.sort()
            deciles: dict[int, list[str]] = defaultdict(list)
            for place, (_, customer) in enumerate(ordered):
                deciles[place * DECILES // len(ordered) + 1].append(customer)
            rows += [
                {
                    "month": first_day(month),
                    "decile": decile,
                    "customers": len(customers),
                    "predicted": sum(risks[customer, month] for customer in customers),
                    "realised": sum(bool(self.has_left(customer, month)) for customer in customers),
                    "predicted_value": sum(
                        (
                            rounded(risks[customer, month] * self._stake(customer, month))
                            for customer in customers
                        ),
                        ZERO,
                    ),
                    "realised_value": sum(
                        (
                            self._stake(customer, month)
                            for customer in customers
                            if self.has_left(customer, month)
                        ),
                        ZERO,
                    ),
                    "is_in_sample": month + 2 * HORIZON <= self._operator.closing_month,
                }
                for decile, customers in deciles.items()
            ]
        return rows
