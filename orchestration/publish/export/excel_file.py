"""A table as an Excel workbook: formats, a header that stays, a filter, and its words."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from orchestration.errors import ConfigurationError
from orchestration.publish.current import Publication
from orchestration.publish.export.table import MONTH, ExportedColumn, ExportedTable

MOST_ROWS = 1_048_575  # of data; the header is one more
MOST_CHARACTERS = 32_767
MOST_OF_A_SHEET_NAME = 31
EXACT_INTEGER = 10**15
FIRST_DAY = dt.date(1900, 3, 1)  # before it Excel counts a day that never was
NARROWEST, WIDEST = 9, 48
SHARES = ("_share", "_rate", "_probability")

_NUMBER_FORMATS = {
    "month": "yyyy-mm",
    "date": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm:ss",
    "money": "#,##0.00",
    "share": "0.0%",
    "number": "#,##0.######",
    "integer": "#,##0",
}


def write_excel(path: Path, table: ExportedTable, publication: Publication) -> None:
    """Write the rows and, on a second sheet, what the table and its columns mean.

    Nothing is ever taken for a formula or a link. Rows go to disk as they come.

    Raises:
        ConfigurationError: the table has more rows, or a text more characters, than Excel
            holds.
        OSError: the file cannot be written.
    """
    if table.rows > MOST_ROWS:
        raise ConfigurationError(
            f"{table.qualified_name} has {table.rows:,} rows and Excel holds {MOST_ROWS:,}: "
            "narrow it with --month, or export a .csv."
        )
    try:
        _write(path, table, publication)
    except FileCreateError as error:
        raise OSError(*error.args[0].args) from error


def _write(path: Path, table: ExportedTable, publication: Publication) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as workbook:
        workbook.set_properties({"created": _created(publication)})
        formats = {
            name: workbook.add_format({"num_format": text})
            for name, text in _NUMBER_FORMATS.items()
        }
        header = workbook.add_format({"bold": True, "bottom": 1, "valign": "top"})
        name = table.qualified_name.split(".")[1]
        _write_rows(workbook.add_worksheet(name[:MOST_OF_A_SHEET_NAME]), table, formats, header)
        wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
        _write_words(workbook.add_worksheet("About"), table, publication, header, wrapped)


def _created(publication: Publication) -> dt.datetime:
    """The time of the run, not of the export: the same rows give the same file."""
    return dt.datetime.strptime(publication.folder.name.split("-")[0], "%Y%m%dT%H%M%SZ")


def kind_of(column: ExportedColumn) -> str | None:
    """How the values of a column are shown; None for text and yes or no."""
    if column.type == "DATE":
        is_month = column.name == MONTH or column.name.endswith(f"_{MONTH}")
        return "month" if is_month else "date"
    if column.type.startswith("TIMESTAMP"):
        return "time"
    if column.name.endswith(SHARES):
        return "share"
    if column.type == "DECIMAL(18,4)":
        return "money"
    if column.type.startswith(("DECIMAL", "DOUBLE", "FLOAT")):
        return "number"
    return "integer" if column.type.endswith("INT") or column.type == "INTEGER" else None


def _write_rows(
    sheet: Worksheet, table: ExportedTable, formats: dict[str, Format], header: Format
) -> None:
    shown = [formats.get(kind_of(column) or "") for column in table.columns]
    widths = [_width(column.name) + 2 for column in table.columns]  # the filter's button
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, table.rows, len(table.columns) - 1)
    for number, column in enumerate(table.columns):
        sheet.write_string(0, number, column.name, header)
    line = 0
    for batch in table.batches():
        for row in batch:
            line += 1
            for number, value in enumerate(row):
                if value is not None:
                    _write_cell(sheet, line, number, value, shown[number], table)
        if line == len(batch):  # the first rows tell how wide the columns are
            for row in batch:
                widths = [max(w, _width(v)) for w, v in zip(widths, row, strict=True)]
    for number, width in enumerate(widths):
        sheet.set_column(number, number, min(max(width + 1, NARROWEST), WIDEST))


def _write_cell(
    sheet: Worksheet,
    line: int,
    number: int,
    value: Any,
    shown: Format | None,
    table: ExportedTable,
) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(line, number, value)
    elif isinstance(value, dt.date):
        day = value.date() if isinstance(value, dt.datetime) else value
        if day < FIRST_DAY:
            sheet.write_string(line, number, str(value))
        else:
            sheet.write_datetime(line, number, value, shown)
    elif isinstance(value, int) and abs(value) >= EXACT_INTEGER:
        sheet.write_string(line, number, str(value))
    elif isinstance(value, int | float | Decimal) and _is_finite(value):
        sheet.write_number(line, number, value, shown)
    else:
        text = str(value)
        if len(text) > MOST_CHARACTERS:
            raise ConfigurationError(
                f"{table.qualified_name}: {table.columns[number].name} holds a text of "
                f"{len(text):,} characters and Excel holds {MOST_CHARACTERS:,}: export a .csv."
            )
        sheet.write_string(line, number, text)


def _is_finite(value: float | Decimal) -> bool:
    return value.is_finite() if isinstance(value, Decimal) else abs(value) < float("inf")


def _width(value: object) -> int:
    """How many columns of a terminal a value takes; Chinese characters take two."""
    if isinstance(value, Decimal):
        return len(f"{value:,.2f}")
    text = "" if value is None else str(value)
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)


def _write_words(
    sheet: Worksheet,
    table: ExportedTable,
    publication: Publication,
    header: Format,
    wrapped: Format,
) -> None:
    """Which publication the rows are of, and what each column means."""
    facts = {
        "Table": table.qualified_name,
        "What it holds": table.description,
        "Publication": publication.folder.name,
        "Closing month": f"{publication.closing_month:%Y-%m}",
        "Money in": publication.reporting_currency,
    }
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 1, 90)
    for line, (name, words) in enumerate(facts.items()):
        sheet.write_string(line, 0, name, header)
        sheet.write_string(line, 1, words, wrapped)
    for line, column in enumerate(table.columns, start=len(facts) + 1):
        sheet.write_string(line, 0, column.name)
        sheet.write_string(line, 1, column.description, wrapped)
