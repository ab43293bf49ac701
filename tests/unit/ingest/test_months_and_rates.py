"""Closing month, policy versions and exchange rates at their boundaries."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError, DataBlockedError
from orchestration.ingest.closing_month import default_closing_month
from orchestration.ingest.months import current_month, month_of, months_between, next_month
from orchestration.ingest.policy import policies_in_force
from tests.support.loading import SmallOperator

CURRENT = dt.date(2025, 12, 1)


def month(number: int) -> dt.date:
    return dt.date(2025, number, 1)


@pytest.mark.parametrize(
    ("counts", "closing"),
    [
        ([7], 1),
        ([10, 5], 2),
        ([10, 4], 1),
        ([10, 10, 10, 15], 4),
        ([10, 20, 30, 10], 4),
        ([10, 20, 31, 10], 3),
        ([99, 10, 10, 10, 5], 5),
        ([10, 10, 1, 1], 2),
        ([10, 0, 0, 0, 1], 5),
        ([10, 0, 1], 1),
    ],
)
def test_closing_month_is_the_latest_with_half_the_mean_of_three_before(
    counts: list[int], closing: int
) -> None:
    invoices = {month(index): count for index, count in enumerate(counts, start=1) if count}
    assert default_closing_month(invoices, CURRENT) == month(closing)


def test_closing_month_is_at_most_the_current_one() -> None:
    invoices = {month(1): 10, month(2): 10, month(3): 10}
    assert default_closing_month(invoices, month(2)) == month(2)


def test_current_month_is_that_of_the_operators_calendar() -> None:
    instant = dt.datetime(2025, 1, 31, 18, tzinfo=dt.UTC)
    assert current_month(instant, "Asia/Shanghai") == month(2)
    assert current_month(instant, "UTC") == month(1)


def test_months_cross_the_year() -> None:
    assert next_month(dt.date(2024, 12, 1)) == month(1)
    assert list(months_between(dt.date(2024, 11, 1), month(1)))[1] == dt.date(2024, 12, 1)
    assert month_of(dt.date(2025, 3, 31)) == month(3)


def policies(folder: Path, *versions: str) -> Path:
    header = "policy_id,policy_version,currency,metric,valid_from,valid_to\n"
    (folder / "tier_policies.csv").write_text(header + "".join(f"{v}\n" for v in versions))
    return folder


def test_version_in_force_is_from_its_first_to_before_its_last_month(tmp_path: Path) -> None:
    reference = policies(
        tmp_path,
        "mine,1,CNY,revenue,2025-01-01,2025-03-01",
        "mine,2,USD,revenue,2025-03-01,",
        "other,1,CNY,revenue,2020-01-01,",
    )
    found = policies_in_force(reference, "mine", month(1), month(4))
    assert {m.month: version.version for m, version in found.items()} == {1: 1, 2: 1, 3: 2, 4: 2}


def test_month_without_a_version_is_named(tmp_path: Path) -> None:
    reference = policies(tmp_path, "mine,1,CNY,revenue,2025-02-01,2025-03-01")
    with pytest.raises(ConfigurationError, match="in force in 2025-01, 2025-03, 2025-04"):
        policies_in_force(reference, "mine", month(1), month(4))


def test_unknown_policy_names_the_known_ones(tmp_path: Path) -> None:
    reference = policies(tmp_path, "mine,1,CNY,revenue,2025-02-01,", "b,1,CNY,revenue,2025-02-01,")
    with pytest.raises(ConfigurationError, match=r"'yours'.*Known are: b, mine"):
        policies_in_force(reference, "yours", month(1), month(4))


INVOICES = (
    "invoice_id,account_id,billing_month,category,issued_on,due_on,currency,total_amount,"
    "tax_amount\n"
)


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    return SmallOperator(tmp_path)


def invoice(operator: SmallOperator, billed: str, currency: str, category: str = "normal") -> None:
    row = f"F-{billed},A-C1,{billed}-01,{category},{billed}-05,{billed}-25,{currency},1,0\n"
    operator.write("invoices", f"{billed} {currency}.csv", INVOICES + row)


def rates(operator: SmallOperator, *rows: str) -> None:
    text = "month,currency,cny_per_unit\n" + "".join(f"{row}\n" for row in rows)
    (operator.reference / "fx_rates.csv").write_text(text)


def test_every_missing_rate_is_listed(operator: SmallOperator) -> None:
    rates(operator, "2025-01-01,JPY,0.05")
    for billed in ("2025-01", "2025-02", "2025-03"):
        invoice(operator, billed, "JPY")
    with pytest.raises(DataBlockedError, match=r"missing: JPY for 2025-02, 2025-03\. Add them"):
        operator.load()
    rates(operator, *(f"2025-0{number}-01,JPY,0.05" for number in (1, 2, 3)))
    assert operator.load().closing_month == month(3)


def test_rate_of_the_reporting_currency_is_needed_where_another_is_billed(
    operator: SmallOperator,
) -> None:
    rates(operator, "2025-01-01,USD,7.1", "2025-02-01,USD,7.1")
    with pytest.raises(DataBlockedError, match=r"missing: USD for 2025-03\."):
        operator.load(reporting_currency="USD")


def test_uncounted_and_later_invoices_need_no_rate(operator: SmallOperator) -> None:
    rates(operator)
    invoice(operator, "2025-02", "JPY", category="trial")
    invoice(operator, "2025-04", "JPY")
    assert operator.load(through="2025-03").closing_month == month(3)


def test_payment_needs_the_rate_of_its_accounts_latest_currency(operator: SmallOperator) -> None:
    rates(operator)
    operator.write(
        "accounts",
        "moved.csv",
        "account_id,customer_id,currency,payment_mode,opened_on,updated_at\n"
        "A-C4,C4,JPY,postpaid,2025-01-01,2025-02-01 00:00:00\n",
    )
    with pytest.raises(DataBlockedError, match=r"missing: JPY for 2025-01, 2025-02, 2025-03\."):
        operator.load()


def test_policy_in_force_needs_a_rate_in_every_month(operator: SmallOperator) -> None:
    rates(operator, "2025-01-01,JPY,0.05", "2025-03-01,JPY,0.05")
    with pytest.raises(DataBlockedError, match=r"missing: JPY for 2025-02\."):
        operator.load(tier_policy="ntt")


def test_through_lies_within_the_months_billed(operator: SmallOperator) -> None:
    with pytest.raises(ConfigurationError, match="2024-12 is before the first invoice month"):
        operator.load(through="2024-12")
    assert operator.load(through="2025-02").closing_month == month(2)


def test_invoices_that_do_not_count_open_no_month(operator: SmallOperator) -> None:
    invoice(operator, "2024-11", "CNY", category="duplicate")
    assert operator.load().first_month == month(1)


def test_corrected_invoice_counts_once_and_in_its_last_form(operator: SmallOperator) -> None:
    row = "X,A-C1,2024-12-01,{},2024-12-05,2024-12-25,CNY,1,0\n"
    operator.write("invoices", "x.csv", INVOICES + row.format("normal"), hour=1)
    assert operator.load().first_month == dt.date(2024, 12, 1)
    operator.write("invoices", "x corrected.csv", INVOICES + row.format("trial"), hour=2)
    assert operator.load().first_month == month(1)


def test_landing_with_trial_bills_alone_is_blocked(tmp_path: Path) -> None:
    operator = SmallOperator(tmp_path, months=0)
    invoice(operator, "2025-01", "CNY", category="trial")
    with pytest.raises(DataBlockedError, match="No invoice counts"):
        operator.load()
