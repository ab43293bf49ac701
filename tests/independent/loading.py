"""The delivered files as typed rows: the feeds with their histories, the reference tables.

Only what a clean delivery needs: the sample holds no row to quarantine (a row that breaks
the contract raises here), and faults of delivery have tests of their own.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import yaml

from tests.independent import months

Row = dict[str, Any]

ROOT = Path(__file__).parents[2]
CONTRACT = yaml.safe_load((ROOT / "orchestration/ingest/feeds.yml").read_text(encoding="utf-8"))


def read_feed(landing: Path, feed: str) -> list[Row]:
    """Rows of a feed in order of delivery, a row delivered again in place of the first.

    Histories keep one row per key and updated_at, the others one per key.
    """
    contract = CONTRACT[feed]
    key = list(contract["key"])
    if "versioned_by" in contract:
        key.append(contract["versioned_by"])
    rows: dict[tuple[Any, ...], Row] = {}
    for path in sorted((landing / feed).glob("*")):
        for delivered in _rows_of(path):
            row = {
                name: _typed(delivered.get(name), column)
                for name, column in contract["columns"].items()
            }
            place = tuple(row[name] for name in key)
            rows.pop(place, None)
            rows[place] = row
    return list(rows.values())


def read_reference(table: str, *folders: Path) -> list[dict[str, str]]:
    """Rows of a reference table as text, from the first folder that has it."""
    path = next(folder / f"{table}.csv" for folder in folders if (folder / f"{table}.csv").exists())
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def _rows_of(path: Path) -> Iterable[Row]:
    if path.suffix == ".parquet":
        rows: list[Row] = parquet.read_table(path).to_pylist()
        return rows
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return csv.DictReader(io.StringIO(text.decode("utf-8-sig")))


def _typed(value: Any, column: dict[str, Any]) -> Any:
    if value is None or value == "":
        default = column.get("default")
        if default is None:
            if column.get("required"):
                raise ValueError("a required value is missing")
            return None
        value = default
    kind = column["type"].split("(")[0]
    typed = _READERS[kind](value)
    if "enum" in column and typed not in column["enum"]:
        raise ValueError(f"{typed!r} is none of {column['enum']}")
    return typed


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value[:10])


def _timestamp(value: Any) -> dt.datetime:
    return value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value)


def _boolean(value: Any) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[value.lower()]


_READERS: dict[str, Callable[[Any], Any]] = {
    "string": str,
    "integer": int,
    "decimal": lambda value: Decimal(str(value)),
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}


class History:
    """The versions of a feed's keys by updated_at; of equal ones the later delivered wins."""

    def __init__(self, rows: Iterable[Row], key: str) -> None:
        self._versions: dict[str, list[Row]] = {}
        for row in sorted(rows, key=lambda row: row["updated_at"]):
            self._versions.setdefault(row[key], []).append(row)

    def __iter__(self) -> Iterator[str]:
        return iter(self._versions)

    def __contains__(self, key: str) -> bool:
        return key in self._versions

    def latest(self, key: str) -> Row:
        return self._versions[key][-1]

    def versions(self, key: str) -> list[Row]:
        """Every version, the oldest first."""
        return self._versions[key]

    def known(self, key: str, month: int) -> Row | None:
        """The latest version at the month's end; none before the first."""
        known = [row for row in self._versions[key] if row["updated_at"] < months.end_of(month)]
        return known[-1] if known else None

    def as_of(self, key: str, month: int) -> Row:
        """The latest version at the month's end, else the earliest known."""
        return self.known(key, month) or self._versions[key][0]
