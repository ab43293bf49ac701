"""What the rows behind a figure add up to, computed apart from the models, as a control."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal

from orchestration.audit.trace.traced import Row, Sum, Trace

CNY = "CNY"
_MONEY = Decimal("0.0001")

# Published column of fct_revenue_monthly that a type of charge counts in; other types are
# billed and are no revenue.
COMPONENTS = {
    "recurring": "recurring_revenue",
    "usage": "usage_revenue",
    "one_off": "one_off_revenue",
    "discount": "discount",
    "adjustment": "adjustment",
    "unitemised": "unitemised_revenue",
}
FIGURES = ("revenue", *COMPONENTS.values(), "billed_amount")


def sums_of(found: Trace, published: Iterable[Row], reporting_currency: str) -> Iterator[Sum]:
    """Bills and charges of each month against what was published of it.

    Each amount is converted at the rate of its month and rounded half away from zero to
    4 decimals (rulebook 0), then summed. `published` has a row per month with FIGURES.
    """
    rates = {
        (row["month"], row["currency"]): Decimal(row["cny_per_unit"])
        for row in found.rules.get("fx_rates", [])
    }
    traced: dict[tuple[dt.date, str], Decimal] = {}
    for bill, figure, amount in _amounts(found):
        place = (bill["billing_month"], figure)
        converted = _converted(bill, amount, rates, reporting_currency)
        traced[place] = traced.get(place, Decimal(0)) + converted
    for row in published:
        for figure in FIGURES:
            if row[figure] is not None:
                found_sum = traced.get((row["month"], figure), Decimal(0))
                yield Sum(row["month"], figure, row[figure], found_sum)


def _amounts(found: Trace) -> Iterator[tuple[Row, str, Decimal]]:
    """Bill, figure and amount in the bill's currency; a bill without charges by its header."""
    bills = {bill["invoice_id"]: bill for bill in found.sources.get("invoices", [])}
    charges = found.sources.get("charges", [])
    for charge in charges:
        column = COMPONENTS.get(charge["charge_type"])
        for figure in (column, "revenue") if column else ():
            yield bills[charge["invoice_id"]], figure, charge["amount"]
    itemised = {charge["invoice_id"] for charge in charges}
    for invoice_id, bill in bills.items():
        yield bill, "billed_amount", bill["total_amount"]
        if invoice_id not in itemised:
            for figure in (COMPONENTS["unitemised"], "revenue"):
                yield bill, figure, bill["total_amount"] - bill["tax_amount"]


def _converted(
    bill: Row, amount: Decimal, rates: Mapping[tuple[str, str], Decimal], reporting: str
) -> Decimal:
    if bill["currency"] == reporting:
        return amount
    month = bill["billing_month"].isoformat()

    def rate(currency: str) -> Decimal:
        return Decimal(1) if currency == CNY else rates[month, currency]

    return (amount * rate(bill["currency"]) / rate(reporting)).quantize(_MONEY, ROUND_HALF_UP)
