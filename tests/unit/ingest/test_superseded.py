"""Rows that a later delivery of their key supersedes, and how few files that looks into."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.landing import invoice, month_at, write_feed
from tests.support.loading import SmallOperator

SUPERSEDED = """
    select ledger.file_name, superseded_rows.row_number
    from superseded_rows inner join ledger using (load_id) order by all
"""


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    return SmallOperator(tmp_path)


ROWS_LATEST = "select count(*), sum(total_amount) from latest.invoices where invoice_id = 'X'"


def deliver(operator: SmallOperator, name: str, hour: float, *numbers: str) -> None:
    rows = [invoice("C1", month_at(0), f"{hour}", invoice_id=number) for number in numbers]
    operator.deliver(write_feed(operator.landing, "invoices", name, rows), hour)


def test_files_of_their_own_keys_supersede_nothing(operator: SmallOperator) -> None:
    operator.load()
    assert operator.query(SUPERSEDED) == []


def test_of_one_key_only_the_row_delivered_last_counts(operator: SmallOperator) -> None:
    deliver(operator, "a.csv", 1, "X", "Y", "Z")
    deliver(operator, "b.csv", 2, "Z", "W")
    deliver(operator, "c.csv", 3, "X", "Z")
    operator.load()
    assert operator.query(SUPERSEDED) == [("a.csv", 1), ("a.csv", 3), ("b.csv", 1)]


def test_a_file_that_no_longer_counts_supersedes_nothing(operator: SmallOperator) -> None:
    deliver(operator, "a.csv", 1, "X")
    deliver(operator, "b.csv", 2, "X")
    operator.load()
    deliver(operator, "b.csv", 3, "Y")
    operator.load()
    assert operator.query(SUPERSEDED) == []


def test_versions_of_a_key_stand_beside_each_other(operator: SmallOperator) -> None:
    header = "customer_id,customer_name,legal_form,region_code,registered_on,updated_at\n"
    row = "C1,Zhang Wei,individual,GD-SZ,2025-01-01,2025-0{}-01 00:00:00\n"
    operator.write("customers", "b.csv", header + row.format(2), hour=1)
    operator.write("customers", "c.csv", header + row.format(2) + row.format(3), hour=2)
    operator.load()
    assert operator.query(SUPERSEDED) == [("b.csv", 1)]


def test_replaced_bills_decide_the_closing_month(operator: SmallOperator) -> None:
    """March closes the run, until its bills are delivered again as trial bills."""
    assert operator.load().closing_month == month_at(2)
    trial = [invoice(f"C{n}", month_at(2), "1", category="trial") for n in (1, 2, 3, 4)]
    operator.deliver(write_feed(operator.landing, "invoices", "again.csv", trial), 1)
    assert operator.load().closing_month == month_at(1)


def test_a_bill_delivered_twice_is_counted_once(operator: SmallOperator) -> None:
    """Of the bills of April only the one that is there twice counts: a thin month."""
    april = month_at(3)
    for hour, name in enumerate(("a.csv", "b.csv"), start=1):
        rows = [invoice("C1", april, f"{hour}", invoice_id="X")]
        operator.deliver(write_feed(operator.landing, "invoices", name, rows), hour)
    loaded = operator.load()
    assert loaded.incomplete_months == ((april, 1),)
    assert operator.query(ROWS_LATEST) == [(1, 2)]
