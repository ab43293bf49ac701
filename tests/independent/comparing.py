"""Two tables held against each other by key; the first rows that differ, in words."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.independent.loading import Row

SHARE_TOLERANCE = 1e-9
ROWS_SHOWN = 10


def differences(
    own: list[Row], published: list[Row], key: Iterable[str], tolerance: float = SHARE_TOLERANCE
) -> list[str]:
    """What differs: rows that one side lacks, and values; empty if nothing does."""
    mine, theirs = by_key(own, key), by_key(published, key)
    lines = [f"not published: {mine[place]}" for place in mine if place not in theirs]
    lines += [f"published only: {theirs[place]}" for place in theirs if place not in mine]
    for place in mine.keys() & theirs.keys():
        wrong = {
            name: f"{theirs[place][name]} published, {value} expected"
            for name, value in mine[place].items()
            if not is_same(value, theirs[place][name], tolerance)
        }
        if wrong:
            lines.append(f"{' '.join(map(str, place))}: {wrong}")
    return sorted(lines)


def by_key(rows: list[Row], key: Iterable[str]) -> dict[tuple[Any, ...], Row]:
    names = list(key)
    found = {tuple(row[name] for name in names): row for row in rows}
    assert len(found) == len(rows), f"{names} repeats"
    return found


def is_same(own: Any, published: Any, tolerance: float) -> bool:
    """Equal; own floats within the tolerance, money and everything else exactly."""
    if isinstance(own, float) and isinstance(published, float | Decimal):
        return abs(own - float(published)) <= tolerance
    return bool(own == published)


def in_words(lines: list[str], rows: int) -> str:
    shown = "\n".join(lines[:ROWS_SHOWN])
    return f"{len(lines)} rows differ of {rows}, first:\n{shown}"
