"""Faults sprinkled over a clean sample, each listed so that a loader can be judged by it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROWS_PER_DEFECT = 400


@dataclass(frozen=True)
class Defect:
    """One kind of fault of a feed: the column it spoils and what should become of the row.

    `fate` is quarantined, reported (the row stays loaded) or duplicate.
    """

    fault: str
    feed: str
    column: str
    spoil: Callable[[str], str]
    fate: str


def _put(value: str) -> Callable[[str], str]:
    return lambda _: value


CATALOGUE = (
    Defect(
        "unparsable amount", "invoices", "total_amount", lambda text: f"{text} CNY", "quarantined"
    ),
    Defect("unknown code", "invoices", "category", _put("final"), "quarantined"),
    Defect("missing value", "invoices", "due_on", _put(""), "quarantined"),
    Defect("unknown parent", "invoices", "account_id", _put("A999999999"), "reported"),
    Defect("date in the future", "invoices", "issued_on", _put("2099-01-01"), "reported"),
    Defect("row delivered twice", "invoices", "invoice_id", lambda text: text, "duplicate"),
    Defect("unreadable date", "payments", "paid_on", _put("31/02/2025"), "quarantined"),
    Defect("unparsable amount", "payments", "amount", _put("1.234,50"), "quarantined"),
    Defect("unknown parent", "payments", "account_id", _put("A999999999"), "reported"),
    Defect(
        "unknown optional reference", "payments", "invoice_id", _put("B000000-NONE"), "reported"
    ),
    Defect("unknown code", "complaints", "status", _put("done"), "quarantined"),
    Defect("unknown parent", "complaints", "customer_id", _put("C99999999"), "reported"),
    Defect("above the maximum", "complaints", "satisfaction", _put("9"), "quarantined"),
    Defect("missing value", "complaints", "opened_at", _put(""), "quarantined"),
    Defect("unknown code", "contacts", "channel", _put("pigeon"), "quarantined"),
    Defect("unknown optional reference", "contacts", "manager_id", _put("M999999"), "reported"),
    Defect("above the maximum", "service_quality", "access_rate", _put("1.7"), "quarantined"),
    Defect("below the minimum", "service_quality", "outage_minutes", _put("-5"), "quarantined"),
    Defect("missing value", "contracts", "ends_on", _put(""), "quarantined"),
    Defect("unknown code", "accounts", "payment_mode", _put("hybrid"), "quarantined"),
)
TRUNCATED_FEED = "contacts"
HEADER = ("feed", "file", "row", "column", "fault", "fate")


def sprinkle_defects(out: Path, seed: int) -> dict[str, int]:
    """Spoil about one row in ROWS_PER_DEFECT of the CSV feeds; the faults by name.

    Every fault of the catalogue occurs where its feed has rows. `row` in defects.csv
    counts data rows from 1 as the spoiled file holds them.
    """
    found: dict[str, int] = {}
    with (out / "defects.csv").open("w", encoding="utf-8", newline="") as stream:
        listing = csv.writer(stream, lineterminator="\n")
        listing.writerow(HEADER)
        for feed in sorted({defect.feed for defect in CATALOGUE}):
            paths = sorted((out / "landing" / feed).glob("*.csv*"))
            kinds = [defect for defect in CATALOGUE if defect.feed == feed]
            used = 0
            for path in paths:
                is_last = path == paths[-1]
                is_cut = is_last and feed == TRUNCATED_FEED
                for row, column, fault, fate in _spoil_file(path, kinds, used, seed, is_cut):
                    file = path.relative_to(out).as_posix()
                    listing.writerow((feed, file, row, column, fault, fate))
                    found[fault] = found.get(fault, 0) + 1
                    used += 1
    return found


def _spoil_file(
    path: Path, kinds: list[Defect], used: int, seed: int, is_cut: bool
) -> Iterator[tuple[int, str, str, str]]:
    header, rows = _read(path)
    spoiled: list[list[str]] = []
    for number, fields in enumerate(rows, start=1):
        defect = kinds[used % len(kinds)]
        if not _is_chosen(path, number, seed):
            spoiled.append(fields)
            continue
        place = header.index(defect.column)
        spoiled.append([*fields[:place], defect.spoil(fields[place]), *fields[place + 1 :]])
        if defect.fate == "duplicate":
            spoiled.append(fields)
        yield len(spoiled), defect.column, defect.fault, defect.fate
        used += 1
    if is_cut:
        # the file breaks off in the middle of its last row
        spoiled[-1] = spoiled[-1][: len(header) // 2]
        yield len(spoiled), header[len(header) // 2], "truncated row", "quarantined"
    _write(path, header, spoiled)


def _is_chosen(path: Path, number: int, seed: int) -> bool:
    if number == 1:
        return True
    name = f"{seed}:{path.parent.name}/{path.name}:{number}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % ROWS_PER_DEFECT == 0


def _read(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    return next(rows), rows


def _write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    content = text.getvalue().encode("utf-8")
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    path.write_bytes(content)
