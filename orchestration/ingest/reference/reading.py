"""Reading one reference table: CSV text to typed rows, every fault a Problem."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from orchestration.ingest.reference.contract import Column, Table

Value = str | int | bool | date | Decimal | None

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")
_INTEGER = re.compile(r"[+-]?\d{1,18}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class Problem:
    """One fault in a reference file, with where it is and what to do."""

    path: Path
    message: str
    row: int | None = None
    key: str | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = str(self.path)
        if self.row is not None:
            place += f", row {self.row}"
        if self.key:
            place += f" ({self.key})"
        if self.column is not None:
            place += f", column {self.column}"
        if self.value is not None:
            place += f", value {self.value!r}"
        return f"{place}: {self.message}"


@dataclass(frozen=True)
class Row:
    """One data row; `number` counts from 1 below the header.

    `values` holds None both for an empty value and for one that could not be read
    (which is a Problem of its own), so that rules between rows never judge a value
    twice.
    """

    number: int
    values: dict[str, Value]
    texts: dict[str, str]


@dataclass(frozen=True)
class TableFile:
    """A reference table as read from one file."""

    table: Table
    path: Path
    rows: tuple[Row, ...]

    def problem(self, row: Row, column: str | None, message: str) -> Problem:
        """A fault of one row, named by its number and key."""
        return Problem(
            path=self.path,
            row=row.number,
            key=key_label(self.table, row.texts),
            column=column,
            value=None if column is None else row.texts[column],
            message=message,
        )


def key_label(table: Table, texts: dict[str, str]) -> str:
    """The key of a row as `column=value` pairs."""
    return ", ".join(f"{name}={texts.get(name, '')}" for name in table.key)


def read_table(table: Table, path: Path) -> tuple[TableFile, list[Problem], list[str]]:
    """Read and check one file against its columns.

    Returns the rows, the problems, and warnings (columns that nobody reads).
    """
    empty = TableFile(table, path, ())
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        message = "the file is not UTF-8 text; save it as CSV in UTF-8"
        return empty, [Problem(path, message)], []
    except OSError as error:
        message = f"the file cannot be read ({error.strerror}); check its permissions"
        return empty, [Problem(path, message)], []
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        message = f"the file is not valid CSV ({error}); check its quotes"
        return empty, [Problem(path, message)], []

    header = lines[0] if lines else []
    problems = _header_problems(table, path, header)
    if problems:
        return empty, problems, []
    warnings = [
        f"{path}: column {name} is not a column of {table.name} and is ignored"
        for name in header
        if name not in table.columns
    ]
    rows: list[Row] = []
    for number, fields in enumerate((line for line in lines[1:] if line), start=1):
        if len(fields) != len(header):
            message = (
                f"{len(fields)} values for {len(header)} columns; quote values that contain a comma"
            )
            problems.append(Problem(path, message, row=number))
            continue
        texts = dict(zip(header, fields, strict=True))
        row, faults = _read_row(table, path, number, texts)
        rows.append(row)
        problems += faults
    return TableFile(table, path, tuple(rows)), problems, warnings


def _header_problems(table: Table, path: Path, header: list[str]) -> list[Problem]:
    wanted = [name for name, column in table.columns.items() if not column.is_optional]
    problems = [
        Problem(
            path,
            f"the column is missing; the header must hold {', '.join(wanted)}",
            column=name,
        )
        for name in wanted
        if name not in header
    ]
    repeated = sorted({name for name in header if header.count(name) > 1})
    problems += [
        Problem(path, "the header names the column twice; remove one", column=name)
        for name in repeated
    ]
    return problems


def _read_row(
    table: Table, path: Path, number: int, texts: dict[str, str]
) -> tuple[Row, list[Problem]]:
    values: dict[str, Value] = {}
    problems: list[Problem] = []
    for name, column in table.columns.items():
        text = texts.get(name, "")
        value, fault = _read_value(column, text)
        values[name] = value
        if fault:
            problems.append(
                Problem(
                    path=path,
                    row=number,
                    key=key_label(table, texts),
                    column=name,
                    value=text,
                    message=fault,
                )
            )
    return Row(number, values, texts), problems


def _read_value(column: Column, text: str) -> tuple[Value, str | None]:
    """The typed value and no fault, or None and what is wrong with it."""
    # dbt reads the word null as an empty value; reading it otherwise here would
    # check something else than what is used.
    if text in ("", "null"):
        fault = "a value is required; fill it in" if column.required else None
        return None, fault
    if text != text.strip():
        return None, "spaces around the value; remove them"
    value, fault = _convert(column, text)
    if fault is None:
        fault = _outside(column, text, value)
    return (value, None) if fault is None else (None, fault)


def _convert(column: Column, text: str) -> tuple[Value, str | None]:
    if column.type == "string":
        return text, None
    if column.type == "integer":
        if _INTEGER.fullmatch(text):
            return int(text), None
        return None, "not a whole number; write digits only, for example 12"
    if column.type == "boolean":
        if text.lower() in ("true", "false"):
            return text.lower() == "true", None
        return None, "not a boolean; write true or false"
    if column.type == "date":
        return _convert_date(text)
    return _convert_decimal(column, text)


def _convert_date(text: str) -> tuple[Value, str | None]:
    fault = "not a date; write it as YYYY-MM-DD"
    if not _DATE.fullmatch(text):
        return None, fault
    try:
        return date.fromisoformat(text), None
    except ValueError:
        return None, fault


def _convert_decimal(column: Column, text: str) -> tuple[Value, str | None]:
    if not _DECIMAL.fullmatch(text):
        return None, "not a decimal number; write it like 20000 or 0.25"
    value = Decimal(text)
    # The warehouse would round silently, and the rule would not be the one written.
    if value != round(value, column.scale):
        return None, f"more than {column.scale} digits after the point; round it"
    if abs(value) >= Decimal(10) ** (18 - column.scale):
        return None, f"too large for {column.type}; check the unit"
    return value, None


def _outside(column: Column, text: str, value: Value) -> str | None:
    if column.enum and text not in column.enum:
        return f"unknown code; use one of {', '.join(column.enum)}"
    if column.is_currency and not _CURRENCY.fullmatch(text):
        return "not a currency code; write the three capital letters of ISO 4217"
    if column.is_month_start and isinstance(value, date) and value.day != 1:
        return "not the first day of a month; write it as YYYY-MM-01"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if column.minimum is not None and value < column.minimum:
            return f"below {column.minimum}, the least that is allowed"
        if column.maximum is not None and value > column.maximum:
            return f"above {column.maximum}, the most that is allowed"
        if column.above is not None and value <= column.above:
            return f"must be greater than {column.above}"
    return None
