"""Exact money: rounding half away from zero to 4 decimals, and conversion (rulebook 0)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
FOUR_DECIMALS = Decimal("0.0001")
SIX_DECIMALS = Decimal("0.000001")
ZERO = Decimal(0)

Convert = Callable[[Decimal, str, int], Decimal]


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(FOUR_DECIMALS, context=EXACT)


def six_decimals(share: Decimal) -> Decimal:
    """A share, rounded as money is, with two decimals more."""
    return share.quantize(SIX_DECIMALS, context=EXACT)


def quotient(dividend: Decimal, divisor: int | Decimal) -> Decimal:
    """A mean, rounded as means are."""
    return rounded(EXACT.divide(dividend, Decimal(divisor)))


def converter(rates: dict[tuple[int, str], Decimal], reporting: str) -> Convert:
    """A function of amount, currency and month that gives the reporting currency."""

    def rate(currency: str, month: int) -> Decimal:
        return Decimal(1) if currency == "CNY" else rates[month, currency]

    def convert(amount: Decimal, currency: str, month: int) -> Decimal:
        if currency == reporting:
            return rounded(amount)
        in_cny = EXACT.multiply(amount, rate(currency, month))
        return rounded(EXACT.divide(in_cny, rate(reporting, month)))

    return convert
