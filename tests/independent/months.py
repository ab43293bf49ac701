"""Months as numbers (year x 12 + month - 1), so that they can be counted."""

from __future__ import annotations

import datetime as dt


def number_of(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def first_day(month: int) -> dt.date:
    return dt.date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> dt.date:
    return first_day(month + 1) - dt.timedelta(days=1)


def end_of(month: int) -> dt.datetime:
    """The instant at which the month is over; what happened in it lies before."""
    return dt.datetime.combine(first_day(month + 1), dt.time())
