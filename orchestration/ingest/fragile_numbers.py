"""Numbers in JSON that a binary float may not hold, found while a text goes by.

A parser of JSON reads a number with a point as the nearest binary float, which gives 15 digits back
as they stood and loses more. Files without longer numbers, and without exponents, can therefore be
parsed as they are; those in strings do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REACH = 32  # bytes: a number that begins farther back has more digits than a float holds
AT_ONCE = 1 << 16  # bytes: small enough for the working arrays to be reused
BEFORE_NUMBERS = b":,[ \t\r\n"
POINT, MINUS, LETTER_E, TO_LOWER = ord("."), ord("-"), ord("e"), 0x20
POINT_TO_NINE = ord("9") - POINT  # the slash between them stands in no number
PLUS, PLUS_TO_NINE = ord("+"), ord("9") - ord("+")


@dataclass(slots=True)
class FragileNumbers:
    """Whether any was `found` in the pieces taken."""

    found: bool = False
    _end: bytes = b""

    def take(self, chunk: bytes) -> None:
        """The next piece of the text."""
        if self.found:
            return
        # Imported by those alone who deliver JSON.
        import numpy

        signs = numpy.frombuffer(chunk, numpy.uint8)
        seam = numpy.frombuffer(self._end + chunk[:REACH], numpy.uint8)
        pieces = (signs[at : at + AT_ONCE + REACH] for at in range(0, len(chunk), AT_ONCE))
        self.found = any(_has_fragile_number(piece) for piece in (seam, *pieces))
        self._end = (self._end + chunk[-REACH:])[-REACH:]


def _has_fragile_number(signs: Any) -> bool:
    # A pattern looks at every byte for some nanoseconds, which is as long as all the parsing
    # takes; comparing whole arrays is ten times as fast.
    import numpy

    in_number = signs - POINT <= POINT_TO_NINE
    long = in_number
    for distance in (1, 2, 4, 8):  # ends as: this one and the next 15 are in a number
        long = long[:-distance] & long[distance:]
    begins = numpy.flatnonzero(long[1:] > in_number[: max(long.size - 1, 0)]) + 1
    if _are_numbers(signs, begins):
        return True
    exponents = numpy.flatnonzero((signs[1:-1] | TO_LOWER == LETTER_E) & in_number[:-2]) + 1
    exponents = exponents[signs[exponents + 1] - PLUS <= PLUS_TO_NINE]
    if not exponents.size:
        return False
    begins = numpy.flatnonzero(in_number[1:] > in_number[:-1]) + 1
    nearest = numpy.searchsorted(begins, exponents) - 1
    return _are_numbers(signs, begins[nearest[nearest >= 0]])


def _are_numbers(signs: Any, begins: Any) -> bool:
    """Whether any of the runs of digits that begin there is a number, and not part of a string."""
    before = signs[begins - 1]
    minus = before == MINUS
    before[minus] = signs[begins[minus] - 2]
    return any(sign in BEFORE_NUMBERS for sign in set(before.tolist()))
