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

from orchestration.ingest.encodings import BOM, UTF_8
from orchestration.ingest.files import CHUNK

LONGEST_RECORD = 100  # lines a quoted value may span before its quote counts as broken
LARGEST_RECORD = 1 << 20  # bytes, for the same reason
LONGEST_TEXT = 4000  # characters of a broken line kept for the person who corrects it


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a text file are split: names of its fields, signs between them.

    `quote` is empty where nothing is quoted, `header` whether the first line holds the
    names. `encoding` is that of the delivered file, for what is said of its bytes.
    """

    names: tuple[str, ...]
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    encoding: str = UTF_8

    def split(self, text: str) -> list[str]:
        """The fields of one record. Raises csv.Error for a broken quote."""
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            strict=True,
        )
        return next(reader, [])


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no row. Its text is quoted nowhere: it may be anybody's data."""

    row_number: int
    line_number: int
    reason: str
    text: str


def mend(path: Path, layout: Layout, line_end: bytes, target: Path) -> list[BrokenLine]:
    """Writes the row number and the record of every sound row of `path` to `target`.

    They are one delimiter apart. The header is not copied. Blank lines are no rows. Row
    numbers count the data rows of the file, broken ones included.
    """
    broken: list[BrokenLine] = []
    row_number = 0
    between = layout.delimiter.encode()
    with target.open("wb") as out:
        for line_number, record, reason in _records(_Lines(path, line_end), layout):
            if line_number == 1 and layout.header:
                continue
            row_number += 1
            if reason:
                broken.append(BrokenLine(row_number, line_number, reason, _text(record)))
            else:
                out.write(b"%d%s%s\n" % (row_number, between, record))
    return broken


class _Lines:
    """The physical lines of a file, with a view of those to come."""

    def __init__(self, path: Path, line_end: bytes) -> None:
        self._source = _lines(path, line_end)
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


def _lines(path: Path, line_end: bytes) -> Iterator[bytes]:
    """The lines of a file, each with its end."""
    pending = b""
    first = True
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            if first:
                chunk, first = chunk.removeprefix(BOM), False
            *whole, pending = (pending + chunk).split(line_end)
            for line in whole:
                yield line + line_end
    if pending:
        yield pending


def _records(lines: _Lines, layout: Layout) -> Iterator[tuple[int, bytes, str | None]]:
    """Each record's first line number, its bytes, and why it is broken (or None)."""
    number = 1
    while (line := lines.peek(0)) is not None:
        spanned = 1
        if line.strip(b"\r\n"):
            spanned, record = _sound_record(lines, layout)
            if spanned:
                yield number, record, None
            else:
                spanned = 1
                yield number, line, _reason(line, layout)
        lines.drop(spanned)
        number += spanned


def _sound_record(lines: _Lines, layout: Layout) -> tuple[int, bytes]:
    """How many lines the record starting here spans (0: it is broken), and its bytes."""
    record, quote = b"", layout.quote.encode()
    for distance in range(LONGEST_RECORD):
        line = lines.peek(distance)
        if line is None:
            break
        record += line
        if not quote or record.count(quote) % 2 == 0:
            sound = _fits(record, layout)
            return (distance + 1, record.rstrip(b"\r\n")) if sound else (0, b"")
        if len(record) > LARGEST_RECORD:
            break
    return 0, b""


def _fits(record: bytes, layout: Layout) -> bool:
    """Whether a record splits into the fields of the layout.

    Empty fields beyond the last one hold nothing; DuckDB takes them for delimiters too.
    """
    try:
        row = layout.split(record.decode(UTF_8).rstrip("\r\n"))
    except (UnicodeDecodeError, csv.Error):
        return False
    fields = len(layout.names)
    return len(row) >= fields and not any(row[fields:])


def _text(line: bytes) -> str:
    return line.decode(UTF_8, "backslashreplace").rstrip("\r\n")[:LONGEST_TEXT]


def _reason(line: bytes, layout: Layout) -> str:
    try:
        text = line.decode(UTF_8).rstrip("\r\n")
    except UnicodeDecodeError:
        return f"holds bytes that are not {layout.encoding.upper()}"
    try:
        found = len(layout.split(text))
    except csv.Error:
        return "has a broken quote"
    if found != len(layout.names):
        return f"has {found} fields where the header has {len(layout.names)}"
    return "has a broken quote"
