"""What proposals bring over their terms (rulebook 10)."""

from __future__ import annotations

import math
from decimal import Decimal

from tests.independent.loading import History, Row
from tests.independent.money import EXACT, ZERO, rounded
from tests.independent.months import last_day
from tests.independent.operator import Operator

YEARLY_DISCOUNT = Decimal("1.10")
MONTHS_A_YEAR = Decimal(12)


def proposals(operator: Operator) -> list[Row]:
    """proposal_economics: proposals to known customers made by the end of the closing month."""
    known = (row for row in operator.feed("proposals") if row["customer_id"] in operator.customers)
    history = History(known, "proposal_id")
    end = last_day(operator.closing_month)
    latest = map(history.latest, history)
    return [_economics(operator, row) for row in latest if row["proposed_on"] <= end]


def _economics(operator: Operator, proposal: Row) -> Row:
    monthly = proposal["monthly_price"] - proposal["monthly_cost"]
    one_off = proposal["one_off_price"] - proposal["one_off_cost"]
    term = proposal["term_months"]
    price = proposal["one_off_price"] + term * proposal["monthly_price"]
    decided = proposal["decided_on"]
    is_undecided = decided is None or decided > last_day(operator.closing_month)
    given, allowed = proposal["discount_rate"], proposal["discount_limit"]
    return {
        "proposal_id": proposal["proposal_id"],
        "customer_id": proposal["customer_id"],
        "product_code": operator.product(proposal["product_code"]),
        "status": "open" if decided and is_undecided else proposal["status"],
        "term_months": term,
        "monthly_margin": monthly,
        "one_off_margin": one_off,
        "npv": _present_value(one_off, monthly, term),
        "payback_month": _payback(one_off, monthly, term),
        "margin_share": float((one_off + term * monthly) / price) if price else None,
        "discount_rate": given,
        "discount_limit": allowed,
        "over_discount_limit": None if None in (given, allowed) else given > allowed,
        "below_cost": proposal["monthly_price"] < proposal["monthly_cost"],
        "proposed_on": proposal["proposed_on"],
        "decided_on": None if is_undecided else decided,
    }


def _present_value(one_off: Decimal, monthly: Decimal, term: int) -> Decimal:
    """One-off money now, monthly money at every month's end, month by month."""
    total = one_off
    for month in range(1, term + 1):
        years = EXACT.divide(Decimal(month), MONTHS_A_YEAR)
        discounted = EXACT.divide(monthly, EXACT.power(YEARLY_DISCOUNT, years))
        total = EXACT.add(total, discounted)
    return rounded(total)


def _payback(one_off: Decimal, monthly: Decimal, term: int) -> int | None:
    if one_off >= ZERO:
        return 0
    if monthly <= ZERO:
        return None
    month = math.ceil(-one_off / monthly)
    return month if month <= term else None
