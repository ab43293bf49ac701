"""Months as dates: the first day of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from orchestration.errors import ConfigurationError


def month_of(day: date) -> date:
    """The month a day lies in."""
    return date(day.year, day.month, 1)


def next_month(month: date) -> date:
    """The month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months_between(first: date, last: date) -> Iterator[date]:
    """Every month from `first` to `last`, both included."""
    month = first
    while month <= last:
        yield month
        month = next_month(month)


def current_month(instant: datetime, timezone: str) -> date:
    """The month of an instant with a zone, on the operator's calendar."""
    return month_of(instant.astimezone(ZoneInfo(timezone)).date())


def shown(month: date) -> str:
    """A month as people write it, YYYY-MM."""
    return f"{month:%Y-%m}"


def read_month(option: str, text: str) -> date:
    """A month given as YYYY-MM to an option of the command line.

    Raises:
        ConfigurationError: it is written otherwise.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text) or text.startswith("0000"):
        raise ConfigurationError(f"{option} '{text}': wants a month as YYYY-MM.")
    return date.fromisoformat(f"{text}-01")
