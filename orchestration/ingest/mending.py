"""Damaged CSV: tells the lines that can be split into fields from those that cannot.

Only for files that DuckDB's strict reader refuses. Sound records are copied byte for
byte behind their row number, so that their values are still parsed by DuckDB alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingest.files import decompressed

LONGEST_RECORD = 100  # lines a quoted value may span before its quote counts as broken
LARGEST_RECORD = 1 << 20  # bytes, for the same reason
LONGEST_TEXT = 4000  # characters of a broken line kept for the person who corrects it
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no row. Its text is quoted nowhere: it may be anybody's data."""

    row_number: int
    line_number: int
    reason: str
    text: str


def mend(path: Path, kind: str, fields: int, line_end: bytes, target: Path) -> list[BrokenLine]:
    """Writes `row number,record` for every sound data row of `path` to `target`.

    `fields` is the number of columns of the header, which is not copied. Blank lines
    are no rows. Row numbers count the data rows of the file, broken ones included.
    """
    broken: list[BrokenLine] = []
    row_number = 0
    with target.open("wb") as out:
        for line_number, record, reason in _records(_Lines(path, kind, line_end), fields):
            if line_number == 1:
                continue
            row_number += 1
            if reason:
                broken.append(BrokenLine(row_number, line_number, reason, _text(record)))
            else:
                out.write(b"%d,%s\n" % (row_number, record))
    return broken


class _Lines:
    """The physical lines of a file, with a view of those to come."""

    def __init__(self, path: Path, kind: str, line_end: bytes) -> None:
        self._source = _lines(path, kind, line_end)
        self._ahead: list[bytes] = []

    def peek(self, distance: int) -> bytes | None:
        while len(self._ahead) <= distance:
            line = next(self._source, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[distance]

    def drop(self, count: int) -> None:
        del self._ahead[:count]


def _lines(path: Path, kind: str, line_end: bytes) -> Iterator[bytes]:
    """The lines of a file, each with its end."""
    pending = b""
    first = True
    for chunk in decompressed(path, kind):
        if first:
            chunk, first = chunk.removeprefix(BOM), False
        *whole, pending = (pending + chunk).split(line_end)
        for line in whole:
            yield line + line_end
    if pending:
        yield pending


def _records(lines: _Lines, fields: int) -> Iterator[tuple[int, bytes, str | None]]:
    """Each record's first line number, its bytes, and why it is broken (or None)."""
    number = 1
    while (line := lines.peek(0)) is not None:
        spanned = 1
        if line.strip(b"\r\n"):
            spanned, record = _sound_record(lines, fields)
            if spanned:
                yield number, record, None
            else:
                spanned = 1
                yield number, line, _reason(line, fields)
        lines.drop(spanned)
        number += spanned


def _sound_record(lines: _Lines, fields: int) -> tuple[int, bytes]:
    """How many lines the record starting here spans (0: it is broken), and its bytes."""
    record = b""
    for distance in range(LONGEST_RECORD):
        line = lines.peek(distance)
        if line is None:
            break
        record += line
        if record.count(b'"') % 2 == 0:
            sound = _fits(record, fields)
            return (distance + 1, record.rstrip(b"\r\n")) if sound else (0, b"")
        if len(record) > LARGEST_RECORD:
            break
    return 0, b""


def _fits(record: bytes, fields: int) -> bool:
    """Whether a record splits into `fields` fields.

    Empty fields beyond the last one hold nothing; DuckDB takes them for delimiters too.
    """
    try:
        text = record.decode("utf-8").rstrip("\r\n")
        row = next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return False
    return len(row) >= fields and not any(row[fields:])


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n")[:LONGEST_TEXT]


def _reason(line: bytes, fields: int) -> str:
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return "holds bytes that are not UTF-8"
    try:
        found = len(next(csv.reader([text], strict=True)))
    except csv.Error:
        return "has a broken quote"
    if found != fields:
        return f"has {found} fields where the header has {fields}"
    return "has a broken quote"
