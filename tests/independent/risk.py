"""Who left, the band of each risk, and the backtest of months (rulebook 8)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from tests.independent.customers import Customers
from tests.independent.loading import Row
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
    """The marts of churn risk; the probabilities are given, by customer and month."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        customers: Customers,
        risks: dict[tuple[str, int], Decimal],
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._customers = customers
        self._risks = risks

    def rows(self) -> list[Row]:
        return [
            {
                "customer_id": customer,
                "month": first_day(month),
                "risk_band": next(
                    band for band, least in BANDS if self._risks[customer, month] >= least
                ),
                "left_within_3m": self._left(customer, month),
            }
            for customer, month in self._customers.published
            if self._customers.is_ranked(customer, month)
        ]

    def _left(self, customer: str, month: int) -> bool | None:
        if month + HORIZON > self._operator.closing_month:
            return None
        following = range(month + 1, month + HORIZON + 1)
        return not all(self._activity.is_active(customer, each) for each in following)

    def backtest(self) -> list[Row]:
        """Customers, departures foretold and departures, by month and decile.

        Only months that the published probabilities themselves are tested on: those
        before the last three that have come true.
        """
        months: dict[int, list[tuple[Decimal, str]]] = defaultdict(list)
        for (customer, month), risk in self._risks.items():
            if month + 2 * HORIZON <= self._operator.closing_month:
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
                    "predicted": sum(self._risks[customer, month] for customer in customers),
                    "realised": sum(bool(self._left(customer, month)) for customer in customers),
                    "is_in_sample": True,
                }
                for decile, customers in deciles.items()
            ]
        return rows
