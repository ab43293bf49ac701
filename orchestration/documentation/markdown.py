"""Small pieces of Markdown: tables and values as a person reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

MONEY_DECIMALS = 4  # decimals that money carries; it is shown with two
SHOWN_DECIMALS = 4


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool] = ()) -> str:
    """A table; columns marked in `right` are aligned to the right."""
    marks = [
        "---:" if index < len(right) and right[index] else "---" for index in range(len(header))
    ]
    lines = [_line(header), _line(marks), *map(_line, rows)]
    return "\n".join(lines)


def shown(value: Any) -> str:
    """A value of an answer: money with two decimals, shares with four, null by its name."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        is_money = isinstance(exponent, int) and -exponent <= MONEY_DECIMALS
        return f"{value:,.2f}" if is_money else f"{value:,.{SHOWN_DECIMALS}f}"
    if isinstance(value, float):
        return f"{value:,.{SHOWN_DECIMALS}f}"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def is_number(value: Any) -> bool:
    """Whether a value is to be aligned to the right."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
