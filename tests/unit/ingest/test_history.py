"""Corrections, versions out of order, late rows: what counts, what superseded it, which months."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.ingest.history import row_history
from orchestration.ingest.release import release
from orchestration.ingest.waiting import export_waiting_rows
from orchestration.settings import load_settings
from tests.support.loading import SmallOperator

HEADER = "invoice_id,account_id,billing_month,issued_on,due_on,currency,total_amount,tax_amount\n"
MANAGERS = "manager_id,manager_name,region_code,updated_at\n"


def bill(number: str, total: str, month: str = "2025-03") -> str:
    return f"{number},A-C1,{month}-01,{month}-05,{month}-25,CNY,{total},0\n"


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    return SmallOperator(tmp_path)


def told(operator: SmallOperator, feed: str, *key: str) -> list[tuple[str, int, str]]:
    """File, row and outcome, with file names for load ids."""
    names = dict(operator.query("select load_id, file_name from ledger where status = 'loaded'"))
    rows = row_history(operator.home, feed, key)
    found = []
    for row in rows:
        outcome = row.outcome
        for load_id, name in names.items():
            outcome = outcome.replace(load_id, name)
        found.append((row.file_name, row.row_number, outcome))
    return found


def test_correction_supersedes_and_both_are_told(operator: SmallOperator) -> None:
    operator.write("invoices", "a.csv", HEADER + bill("Y", "1") + bill("X", "1"), hour=1)
    operator.write("invoices", "b.csv", HEADER + bill("X", "2"), hour=2)
    operator.load()
    operator.write("invoices", "c.csv", HEADER + bill("X", "3"), hour=3)
    operator.load()
    assert told(operator, "invoices", "X") == [
        ("a.csv", 2, "superseded by load c.csv, row 1"),
        ("b.csv", 1, "superseded by load c.csv, row 1"),
        ("c.csv", 1, "in force"),
    ]
    assert told(operator, "invoices", "Y") == [("a.csv", 1, "in force")]
    assert told(operator, "invoices", "nobody's") == []


def test_row_withdrawn_with_its_file_names_the_load_that_replaced_it(
    operator: SmallOperator,
) -> None:
    operator.write("invoices", "a.csv", HEADER + bill("X", "1"), hour=1)
    operator.load()
    operator.write("invoices", "a.csv", HEADER + bill("Y", "1"), hour=2)
    operator.load()
    (row,) = row_history(operator.home, "invoices", ["X"])
    ((load_id,),) = operator.query(
        "select load_id from ledger where file_name = 'a.csv' and run_id = 'run-002'"
    )
    assert row.outcome == f"counts no more: its file was replaced by load {load_id}"


def test_released_row_is_part_of_the_history(operator: SmallOperator) -> None:
    operator.write("invoices", "a.csv", HEADER + bill("X", "1"), hour=1)
    operator.write("invoices", "b.csv", HEADER + bill("X", "x"), hour=2)
    operator.load(quarantine_share_limit=1)
    path = operator.folder / "corrected.csv"
    export_waiting_rows(operator.home, None, None, path)
    path.write_text(path.read_text().replace(",x,", ",2,"))
    release(load_settings(operator.home), path)
    assert told(operator, "invoices", "X") == [
        ("a.csv", 1, "superseded by load corrected.csv, row 1"),
        ("corrected.csv", 1, "in force"),
    ]


def test_versions_out_of_order_all_stay_and_only_an_equal_version_is_superseded(
    operator: SmallOperator,
) -> None:
    for hour, (month, region) in enumerate([("03", "GD"), ("01", "ZJ"), ("03", "CN")], start=1):
        version = f"M1,Li,{region},2025-{month}-01 00:00:00\n"
        operator.write("managers", f"{hour}.csv", MANAGERS + version, hour=hour)
        operator.load()
    assert told(operator, "managers", "M1") == [
        ("1.csv", 1, "superseded by load 3.csv, row 1"),
        ("2.csv", 1, "in force"),
        ("3.csv", 1, "in force"),
    ]
    as_of_february = (
        "select arg_max(region_code, (updated_at, _delivery_rank)) from raw.managers "
        "where updated_at < timestamp '2025-03-01'"
    )
    assert operator.query(as_of_february) == [("ZJ",)]


@pytest.mark.parametrize(
    ("feed", "key", "words"),
    [
        ("bills", ["X"], "bills is no feed"),
        ("usage", ["S-C1"], "named by subscription_id, usage_month"),
    ],
)
def test_wrong_names_are_told(
    operator: SmallOperator, feed: str, key: list[str], words: str
) -> None:
    operator.load()
    with pytest.raises(ConfigurationError, match=words):
        row_history(operator.home, feed, key)


def test_late_rows_restate_exactly_the_months_they_touch(operator: SmallOperator) -> None:
    first = operator.load()
    assert first.restated_months == {"invoices": ("2025-01", "2025-02", "2025-03")}
    assert operator.load().restated_months == {}
    text = (
        HEADER + bill("X", "1", "2025-03") + bill("Y", "1", "2025-01") + bill("Z", "x", "2025-02")
    )
    operator.write("invoices", "late.csv", text, hour=1)
    assert operator.load(quarantine_share_limit=1).restated_months == {
        "invoices": ("2025-01", "2025-03")
    }, "a quarantined row touches no month"
    assert operator.query(
        "select months from ledger where file_name = 'late.csv' and status = 'loaded'"
    ) == [("2025-01, 2025-03",)]


def test_replaced_file_restates_the_months_of_both_contents(operator: SmallOperator) -> None:
    operator.write("invoices", "late.csv", HEADER + bill("X", "1", "2025-01"), hour=1)
    operator.load()
    operator.write("invoices", "late.csv", HEADER + bill("X", "1", "2025-02"), hour=2)
    assert operator.load().restated_months == {"invoices": ("2025-01", "2025-02")}


def test_release_restates_the_month_of_its_rows(operator: SmallOperator) -> None:
    operator.write("invoices", "a.csv", HEADER + bill("X", "x", "2025-02"))
    operator.load(quarantine_share_limit=1)
    path = operator.folder / "corrected.csv"
    export_waiting_rows(operator.home, None, None, path)
    path.write_text(path.read_text().replace(",x,", ",2,"))
    release(load_settings(operator.home), path)
    assert operator.query("select months from ledger where file_name = 'corrected.csv'") == [
        ("2025-02",)
    ]
