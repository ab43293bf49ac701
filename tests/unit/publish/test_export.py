"""Files for people: exact, in order, with formats, and nothing in them that runs."""

from __future__ import annotations

import csv
import datetime as dt
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.publish.contract import PublishedTable
from orchestration.publish.export import excel_file
from orchestration.publish.export.csv_file import STARTS_A_FORMULA
from orchestration.publish.export.export import export
from tests.support.command import tierwise
from tests.support.publications import TABLES, build_warehouse, publish

WORKLIST = PublishedTable(
    "marts",
    "retention_worklist",
    ("customer_id",),
    "Whom to call first.",
    {"customer_id": "The operator's id of the customer.", "note": "What to say."},
)
NAMES = [f"{start}HYPERLINK(1)" for start in STARTS_A_FORMULA]
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A publication with a worklist full of hostile text, and rows of three months."""
    home = Home(tmp_path_factory.mktemp("export") / "home")
    home.prepare()
    build_warehouse(home, 1, customers=4)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(
            "create table marts.retention_worklist (customer_id varchar, rank bigint, "
            "note varchar, change decimal(18, 4), risk_probability decimal(9, 6), "
            "ends_on date, month date, called_at timestamp, allowed boolean, roi double)"
        )
        connection.executemany(
            "insert into marts.retention_worklist values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                [
                    f"C{number:02d}",
                    len(NAMES) - number,
                    name,
                    "-12345678901234.5678",
                    "0.250000",
                    dt.date(2025, 12, 31),
                    dt.date(2025, 3, 1),
                    dt.datetime(2025, 3, 9, 23, 59, 59),
                    True,
                    -1.5,
                ]
                for number, name in enumerate(NAMES)
            ],
        )
        connection.execute(
            "insert into marts.retention_worklist values ('张伟', 0, 'a \"b\", c\nd', null, null, "
            "date '1850-01-01', date '2025-02-01', null, null, 'nan')"
        )
    publish(home, 1, tables=[*TABLES, WORKLIST])
    yield home


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_csv_holds_every_row_exactly_and_no_formula(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "list.csv"
    done = export(home, "retention_worklist", out, None)
    rows = read_csv(out)
    assert done.rows == len(rows) == len(NAMES) + 1
    assert [int(row["rank"]) for row in rows] == list(range(len(NAMES) + 1)), "by rank"
    assert {row["note"] for row in rows[1:]} == {f"'{name}" for name in NAMES}
    assert {row["change"] for row in rows[1:]} == {"-12345678901234.5678"}
    assert {row["roi"] for row in rows[1:]} == {"-1.5"}
    assert rows[0] == {
        "customer_id": "张伟",
        "rank": "0",
        "note": 'a "b", c\nd',
        "change": "",
        "risk_probability": "",
        "ends_on": "1850-01-01",
        "month": "2025-02-01",
        "called_at": "",
        "allowed": "",
        "roi": "nan",
    }
    assert rows[1]["called_at"] == "2025-03-09 23:59:59"
    assert rows[1]["allowed"] == "true"
    assert out.read_bytes().startswith(b"\xef\xbb\xbf"), "Excel reads it as UTF-8"


def test_a_month_narrows_the_rows(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "february.csv"
    done = export(home, "marts.customer_monthly", out, dt.date(2025, 2, 1))
    assert (done.rows, done.month_column) == (4, "month")
    assert {row["month"] for row in read_csv(out)} == {"2025-02-01"}


class Sheet:
    """A sheet of a workbook as its XML says, without a library's own reading of it."""

    def __init__(self, path: Path, number: int = 1) -> None:
        with zipfile.ZipFile(path) as book:
            self.root = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
            self.styles = ElementTree.fromstring(book.read("xl/styles.xml"))
            self.names = book.namelist()

    def cells(self) -> dict[str, tuple[str, str, str]]:
        """Kind, text and number format of every cell."""
        codes = {
            each.get("numFmtId"): each.get("formatCode")
            for each in self.styles.iter(f"{SHEET}numFmt")
        }
        formats = list(self.styles.find(f"{SHEET}cellXfs") or [])
        found = {}
        for cell in self.root.iter(f"{SHEET}c"):
            identity = formats[int(cell.get("s", "0"))].get("numFmtId")
            found[str(cell.get("r"))] = (
                cell.get("t", "n"),
                "".join(cell.itertext()),
                codes.get(identity) or str(identity),
            )
        return found


def test_excel_has_formats_header_filter_and_no_formula(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "list.xlsx"
    export(home, "retention_worklist", out, None)
    sheet = Sheet(out)
    cells = sheet.cells()
    assert list(sheet.root.iter(f"{SHEET}f")) == []
    assert list(sheet.root.iter(f"{SHEET}hyperlink")) == []
    notes = [cells[f"C{line}"] for line in range(3, len(NAMES) + 3)]
    assert {kind for kind, _, _ in notes} == {"inlineStr"}
    assert {text.strip() for _, text, _ in notes} >= {"=HYPERLINK(1)", "@HYPERLINK(1)"}
    assert cells["D3"] == ("n", "-12345678901234.57", "#,##0.00")
    assert cells["E3"] == ("n", "0.250000", "0.0%")
    assert cells["F3"] == ("n", "46022", "yyyy-mm-dd")
    assert cells["G3"][2] == "yyyy-mm"
    assert cells["H3"][2] == "yyyy-mm-dd hh:mm:ss"
    assert cells["I3"][:2] == ("b", "1")
    assert cells["J3"][:2] == ("n", "-1.5")
    assert cells["F2"][:2] == ("inlineStr", "1850-01-01"), "Excel has no day before 1900"
    assert cells["J2"][:2] == ("inlineStr", "nan")
    assert "D2" not in cells, "null is an empty cell"
    (pane,) = sheet.root.iter(f"{SHEET}pane")
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    (filtered,) = sheet.root.iter(f"{SHEET}autoFilter")
    assert filtered.get("ref") == f"A1:J{len(NAMES) + 2}"
    widths = [float(each.get("width", 0)) for each in sheet.root.iter(f"{SHEET}col")]
    assert len(set(widths)) > 3


def test_a_second_sheet_says_what_the_columns_mean(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "list.xlsx"
    export(home, "retention_worklist", out, None)
    texts = {text for _, text, _ in Sheet(out, 2).cells().values()}
    assert {"marts.retention_worklist", "Whom to call first.", "2025-03", "CNY"} <= texts
    assert {"customer_id", "The operator's id of the customer."} <= texts


def test_the_same_publication_gives_the_same_bytes(home: Home, tmp_path: Path) -> None:
    for name in ("one", "two"):
        for kind in ("csv", "xlsx"):
            export(home, "customer_monthly", tmp_path / f"{name}.{kind}", None)
    for kind in ("csv", "xlsx"):
        one, two = (tmp_path / f"{name}.{kind}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("table", "out", "month", "words"),
    [
        ("worklist", "x.csv", None, "'worklist' is no published table. There are: .*audit.run"),
        ("dim_customer", "x.csv", "2025-01", "has no month of its rows"),
        ("customer_monthly", "x.csv", "2024-01", "no row of 2024-01; it has 2025-01 to 2025-03"),
        ("customer_monthly", "x.pdf", None, "ends in .csv or .xlsx"),
        ("customer_monthly", "nowhere/x.csv", None, "there is no folder"),
        ("customer_monthly", "there.csv", None, "is there already"),
    ],
)
def test_wrong_use_is_told_and_nothing_is_written(
    home: Home, tmp_path: Path, table: str, out: str, month: str | None, words: str
) -> None:
    (tmp_path / "there.csv").write_text("my notes")
    chosen = dt.date.fromisoformat(f"{month}-01") if month else None
    with pytest.raises(ConfigurationError, match=words):
        export(home, table, tmp_path / out, chosen)
    assert [path.name for path in tmp_path.iterdir()] == ["there.csv"]
    assert (tmp_path / "there.csv").read_text() == "my notes"


def test_what_excel_cannot_hold_is_refused(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel_file, "MOST_ROWS", 3)
    with pytest.raises(ConfigurationError, match="4 rows and Excel holds 3: narrow it"):
        export(home, "customer_monthly", tmp_path / "x.xlsx", dt.date(2025, 1, 1))
    monkeypatch.setattr(excel_file, "MOST_ROWS", 100)
    monkeypatch.setattr(excel_file, "MOST_CHARACTERS", 10)
    with pytest.raises(ConfigurationError, match=r"note holds a text of .* export a \.csv"):
        export(home, "retention_worklist", tmp_path / "x.xlsx", None)
    assert list(tmp_path.iterdir()) == []


def test_the_command(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "list.csv"
    done = tierwise(
        *("export", "customer_monthly", "--month", "2025-03", "--out", out, "--home", home.root)
    )
    assert done.returncode == 0, done.stderr
    assert "marts.customer_monthly: 4 rows with month 2025-03" in done.stdout
    assert len(read_csv(out)) == 4
    again = tierwise("export", "customer_monthly", "--out", out, "--home", home.root)
    assert again.returncode == 2
    assert re.fullmatch(r"Error: .* is there already.*\n", again.stderr)


MEASURE = """
import resource, sys
from pathlib import Path
from orchestration.home import Home
from orchestration.publish.export.export import export
export(Home(Path(sys.argv[1])), "customer_monthly", Path(sys.argv[2]), None)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    peaks = []
    for customers in (2_000, 40_000):
        home = Home(tmp_path / str(customers) / "home")
        home.prepare()
        build_warehouse(home, 1, customers)
        publish(home, 1)
        outcome = subprocess.run(
            [sys.executable, "-c", MEASURE, home.root, tmp_path / f"{customers}.{kind}"],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(outcome.stdout))
    assert peaks[1] - peaks[0] < 60, f"{peaks} MB; as objects 114,000 rows more take 120 MB"
