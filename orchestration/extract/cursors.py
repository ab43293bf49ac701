"""The cursor: how far a feed has been read, and which rows stand on that very value."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from orchestration.extract.values import Zones, as_text

CursorValue = int | Decimal | str | dt.date | dt.datetime
Row = Sequence[object]

# Databases disagree on the order of letters, and on which of them are equal.
ORDERED_TEXT = re.compile(r"[0-9TZ :.,+/_-]*")
DIGEST_BYTES = 16


class CursorError(Exception):
    """A value that says nothing about what was read; its message holds no value."""


def require_cursor(value: object) -> CursorValue:
    """The value, if rows can be told older and newer by it. Raises CursorError."""
    if isinstance(value, str):
        if not ORDERED_TEXT.fullmatch(value):
            raise CursorError(
                "holds text with letters, which databases order each in its own way; "
                "name a column of numbers, dates or timestamps"
            )
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, dt.date)):
        raise CursorError(
            f"is of type {type(value).__name__}; name a column of numbers, dates or timestamps"
        )
    return value


def to_json(value: CursorValue) -> dict[str, str]:
    """The value and its type, to be read back as it was."""
    if isinstance(value, dt.date):
        return {"type": type(value).__name__, "value": value.isoformat()}
    return {"type": type(value).__name__, "value": str(value)}


def from_json(stored: Mapping[str, str]) -> CursorValue:
    """What `to_json` was given."""
    readers = {
        "int": int,
        "Decimal": Decimal,
        "str": str,
        "date": dt.date.fromisoformat,
        "datetime": dt.datetime.fromisoformat,
    }
    value: CursorValue = readers[stored["type"]](stored["value"])  # type: ignore[operator]
    return value


@dataclass(slots=True)
class Boundary:
    """The greatest cursor value read, and the rows delivered that have it.

    A row may still be written under that value after it was read. So the next read begins
    at the value, not behind it, and leaves out the rows counted here: equal ones as often
    as they were delivered. Memory grows with the rows that share one value.
    """

    value: CursorValue | None = None
    delivered: Counter[str] = field(default_factory=Counter)

    def without_delivered(self, rows: Sequence[Row], seen: Counter[str], zones: Zones) -> list[Row]:
        """The rows not delivered before. The cursor is each row's last value.

        `seen` counts, over all batches of a read, the rows left out.
        """
        if self.value is None or not rows or rows[0][-1] != self.value:
            return list(rows)
        fresh = []
        for row in rows:
            if row[-1] == self.value:
                digest = row_digest(row, zones)
                if seen[digest] < self.delivered[digest]:
                    seen[digest] += 1
                    continue
            fresh.append(row)
        return fresh

    def after(self, rows: Sequence[Row], zones: Zones) -> Boundary:
        """The boundary once these rows, in order of the cursor, are delivered too."""
        last = require_cursor(rows[-1][-1])
        first = len(rows)
        while first and rows[first - 1][-1] == last:
            first -= 1
        delivered = Counter(self.delivered) if last == self.value else Counter()
        delivered.update(row_digest(row, zones) for row in rows[first:])
        return Boundary(last, delivered)


def row_digest(row: Row, zones: Zones) -> str:
    """A short name of a row's content."""
    content = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for value in row:
        text = as_text(value, zones)
        content.update(b"\0" if text is None else b"\1%d:%s" % (len(text), text.encode()))
    return content.hexdigest()
