"""Which months a delivery can change: the ones to build anew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from orchestration.ingest.changes import EVERYTHING, Built, ChangedMonths
from tests.support.landing import invoice, month_at, write_feed, write_month
from tests.support.loading import SmallOperator

JANUARY, FEBRUARY, MARCH, APRIL = (month_at(index) for index in range(4))
SINCE_MARCH = ChangedMonths(MARCH, MARCH)
SINCE_FEBRUARY = ChangedMonths(FEBRUARY, FEBRUARY)
SINCE_JANUARY = ChangedMonths(JANUARY, JANUARY)
COMPLAINT = {
    "complaint_id": "K1",
    "customer_id": "C1",
    "kind": "complaint",
    "category": "billing",
    "severity": "minor",
    "channel": "hotline",
    "opened_at": "2025-02-10 09:00:00",
    "status": "open",
    "updated_at": "2025-02-10 09:00:00",
}


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    made = SmallOperator(tmp_path)
    write_feed(made.landing, "complaints", "complaints.csv", [COMPLAINT])
    return made


@pytest.fixture
def built(operator: SmallOperator) -> Built:
    return operator.load().built


def deliver(operator: SmallOperator, feed: str, *rows: dict[str, object]) -> None:
    operator.deliver(write_feed(operator.landing, feed, "late.csv", rows), hour=1)


def payment(name: str, paid_on: dt.date, bill: str) -> dict[str, object]:
    return {
        "payment_id": name,
        "account_id": "A-C2",
        "invoice_id": bill,
        "paid_on": paid_on,
        "amount": "1.00",
    }


def charge(name: str, bill: str) -> dict[str, object]:
    return {
        "charge_id": name,
        "invoice_id": bill,
        "product_code": "MOBILE",
        "charge_type": "recurring",
        "amount": "1.00",
    }


def customer(updated_at: str, **changes: object) -> dict[str, object]:
    return {
        "customer_id": "C1",
        "customer_name": "Zhang Wei",
        "legal_form": "individual",
        "region_code": "GD-GZ",
        "registered_on": JANUARY,
        "updated_at": updated_at,
        **changes,
    }


def subscription(updated_at: str, **changes: object) -> dict[str, object]:
    return {
        "subscription_id": "S-C1",
        "account_id": "A-C1",
        "product_code": "MOBILE",
        "activated_on": JANUARY,
        "updated_at": updated_at,
        **changes,
    }


def test_first_build_is_of_everything(operator: SmallOperator) -> None:
    assert operator.load().changed == EVERYTHING
    assert operator.query("select changed_since, late_changed_since from run_settings") == [
        (None, None)
    ]


def test_the_last_month_built_is_always_built_again(operator: SmallOperator, built: Built) -> None:
    assert operator.load(built=built).changed == SINCE_MARCH
    write_month(operator.landing, APRIL)
    assert operator.load(built=built).changed == SINCE_MARCH
    assert operator.query("select changed_since, late_changed_since from run_settings") == [
        (MARCH, MARCH)
    ]


@pytest.mark.parametrize(
    ("feed", "row"),
    [
        ("invoices", invoice("C1", FEBRUARY, "1.00", invoice_id="new")),
        ("invoices", invoice("C1", MARCH, "1.00", invoice_id="I-C1-202502")),
        ("charges", charge("new", "I-C1-202502")),
        ("charges", charge("H-I-C1-202502", "I-C1-202503")),
        ("payments", payment("new", dt.date(2025, 2, 28), "I-C2-202501")),
        ("payments", payment("P-I-C1-202502", MARCH, "I-C1-202502")),
        ("customers", customer("2025-02-03 00:00:00", region_code="ZJ-HZ")),
        ("subscriptions", subscription("2025-03-03 00:00:00", deactivated_on="2025-02-28")),
    ],
    ids=[
        "late bill",
        "bill moved out of the month",
        "charge of a bill of the month",
        "charge moved to the bill of another month",
        "payment dated back",
        "payment moved out of the month",
        "version of the month",
        "departure told a month later",
    ],
)
def test_months_before_what_changed_stay(
    operator: SmallOperator, built: Built, feed: str, row: dict[str, object]
) -> None:
    deliver(operator, feed, row)
    assert operator.load(built=built).changed == SINCE_FEBRUARY


@pytest.mark.parametrize(
    ("feed", "row"),
    [
        ("customers", customer("2025-03-03 00:00:00", legal_form="organisation")),
        ("customers", customer("2025-03-03 00:00:00", parent_customer_id="C3")),
        ("customers", customer("2025-01-01 00:00:00", region_code="ZJ-HZ")),
        ("customers", customer("2024-12-01 00:00:00", region_code="ZJ-HZ")),
        ("subscriptions", subscription("2025-03-03 00:00:00", product_code="LINE")),
        (
            "contacts",
            {
                "contact_id": "N1",
                "customer_id": "C1",
                "channel": "call",
                "purpose": "care",
                "contacted_at": "2025-03-03 00:00:00",
            },
        ),
    ],
    ids=[
        "legal form",
        "group",
        "correction of the first version",
        "version before the first",
        "product",
        "first delivery of a feed",
    ],
)
def test_what_no_month_bounds_is_built_from_the_start(
    operator: SmallOperator, built: Built, feed: str, row: dict[str, object]
) -> None:
    deliver(operator, feed, row)
    assert operator.load(built=built).changed == EVERYTHING


def test_rows_that_named_a_key_before_it_was_known_count_from_their_month(
    operator: SmallOperator,
) -> None:
    deliver(operator, "invoices", invoice("C9", JANUARY, "5.00"))
    built = operator.load().built
    account = {
        "account_id": "A-C9",
        "customer_id": "C1",
        "currency": "CNY",
        "payment_mode": "postpaid",
        "opened_on": MARCH,
        "updated_at": "2025-03-01 00:00:00",
    }
    deliver(operator, "accounts", account)
    assert operator.load(built=built).changed == SINCE_JANUARY


def test_customer_named_as_parent_before_it_was_known(operator: SmallOperator) -> None:
    deliver(operator, "customers", customer("2025-01-02 00:00:00", parent_customer_id="C9"))
    built = operator.load().built
    parent = customer("2025-03-03 00:00:00", customer_id="C9", registered_on=MARCH)
    operator.deliver(write_feed(operator.landing, "customers", "parent.csv", [parent]), hour=2)
    assert operator.load(built=built).changed == EVERYTHING


def test_complaint_counts_late_in_the_month_in_which_it_was_opened(
    operator: SmallOperator, built: Built
) -> None:
    deliver(
        operator,
        "complaints",
        {**COMPLAINT, "status": "closed", "updated_at": "2025-03-20 09:00:00"},
    )
    assert operator.load(built=built).changed == ChangedMonths(MARCH, FEBRUARY)


def test_what_had_not_happened_by_the_closing_month_counts_when_it_has(
    operator: SmallOperator,
) -> None:
    opened = {**COMPLAINT, "opened_at": "2025-01-15 09:00:00"}
    solved = {"status": "resolved", "resolved_at": "2025-03-02 09:00:00"}
    deliver(operator, "complaints", {**opened, **solved, "updated_at": "2025-03-02 09:00:00"})
    until_february = operator.load(through=FEBRUARY).built
    assert operator.load(built=until_february).changed == ChangedMonths(FEBRUARY, JANUARY)
    assert operator.load(built=operator.load().built).changed == SINCE_MARCH


def test_replaced_file_changes_the_months_of_both_contents(operator: SmallOperator) -> None:
    deliver(operator, "invoices", invoice("C1", JANUARY, "1.00", invoice_id="X"))
    built = operator.load().built
    path = write_feed(
        operator.landing,
        "invoices",
        "late.csv",
        [invoice("C1", FEBRUARY, "1.00", invoice_id="X")],
    )
    operator.deliver(path, hour=2)
    assert operator.load(built=built).changed == SINCE_JANUARY


def test_payment_made_ahead_of_a_bill_that_is_replaced(operator: SmallOperator) -> None:
    deliver(operator, "payments", payment("ahead", JANUARY, "I-C2-202503"))
    built = operator.load().built
    replaced = invoice("C2", MARCH, "1.00", category="trial")
    operator.deliver(write_feed(operator.landing, "invoices", "late.csv", [replaced]), hour=2)
    assert operator.load(built=built).changed == SINCE_JANUARY


def test_bill_issued_before_its_month_is_owed_from_its_issue_on(operator: SmallOperator) -> None:
    deliver(operator, "invoices", invoice("C1", MARCH, "1.00", invoice_id="X", issued_on=JANUARY))
    until_february = operator.load(through=FEBRUARY).built
    assert operator.load(built=until_february).changed == SINCE_JANUARY


def test_corrected_bill_counts_from_its_issue_on(operator: SmallOperator, built: Built) -> None:
    deliver(operator, "invoices", invoice("C1", MARCH, "1.00", issued_on=FEBRUARY))
    assert operator.load(built=built).changed == SINCE_FEBRUARY


def test_payment_of_the_first_month_of_payments_builds_everything(
    operator: SmallOperator, built: Built
) -> None:
    deliver(operator, "payments", payment("late", FEBRUARY, "I-C2-202502"))
    changed = operator.load(built=built)
    assert changed.changed == SINCE_FEBRUARY
    first = [payment("later", JANUARY, "I-C2-202501")]
    operator.deliver(write_feed(operator.landing, "payments", "first.csv", first), hour=2)
    assert operator.load(built=changed.built).changed == EVERYTHING


def test_other_code_settings_or_references_build_everything(
    operator: SmallOperator, built: Built
) -> None:
    assert operator.load(built=built, code_version="other").changed == EVERYTHING
    assert operator.load(built=built, timezone="UTC").changed == EVERYTHING
    products = operator.reference / "products.csv"
    products.write_text(products.read_text().replace("0.45", "0.46"))
    assert operator.load(built=built).changed == EVERYTHING


def test_an_earlier_closing_month_builds_everything(operator: SmallOperator, built: Built) -> None:
    earlier = operator.load(built=built, through=FEBRUARY)
    assert earlier.changed == EVERYTHING
    assert operator.load(built=earlier.built).changed == SINCE_FEBRUARY
