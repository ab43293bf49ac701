"""How few customers bring how much (rulebook 11)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO
from tests.independent.months import first_day
from tests.independent.operator import Operator

TOP_PERCENTS = (1, 5, 10, 20, 50)
PARTS = (20, 30, 80)
TOP_CUSTOMERS = 1000


def concentration(
    operator: Operator, measures: Mapping[str, Mapping[tuple[str, int], Decimal]]
) -> list[Row]:
    """revenue_concentration_monthly of measures by customer and month."""
    populations: dict[tuple[int, str, str], list[Decimal]] = defaultdict(list)
    for measure, values in measures.items():
        for (customer, month), value in values.items():
            if value > 0:
                for region in operator.regions_above(operator.local_network(customer, month)):
                    populations[month, region, measure].append(value)
    return [
        {
            "month": first_day(month),
            "region_code": region,
            "measure": measure,
            **_figures(sorted(values, reverse=True)),
        }
        for (month, region, measure), values in populations.items()
    ]


def _figures(values: list[Decimal]) -> Row:
    """The figures of a population, greatest first."""
    size, total = len(values), sum(values, ZERO)

    def share(first: int) -> float:
        return float(EXACT.divide(sum(values[:first], ZERO), total))

    figures: Row = {"customers": size, "total": total, "top_1000_share": share(TOP_CUSTOMERS)}
    for percent in TOP_PERCENTS:
        figures[f"top_{percent}_share"] = share(math.ceil(Decimal(percent) * size / 100))
    for part in PARTS:
        figures[f"customers_for_{part}"] = _smallest_number(values, total * part / 100)
    ascending = enumerate(reversed(values), start=1)
    weighted = sum((place * value for place, value in ascending), ZERO)
    gini = EXACT.divide(2 * weighted, size * total) - EXACT.divide(Decimal(size + 1), Decimal(size))
    figures["gini"] = float(gini)
    return figures


def _smallest_number(values: list[Decimal], wanted: Decimal) -> int:
    reached = ZERO
    for number, value in enumerate(values, start=1):
        reached += value
        if reached >= wanted:
            return number
    raise ValueError("a part is never more than the whole")
