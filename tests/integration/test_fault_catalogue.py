"""Each fault of docs/faults.md is stopped or warned of as it says there, with its money."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from expectations.contract import Period
from expectations.results import ExpectationResult, LayerResult, gravest_first
from expectations.runner import validate_layer
from orchestration.audit.run_page import run_page_path
from orchestration.audit.runs import finished_runs
from orchestration.checks.sources import contract_mapping, validation_source
from orchestration.home import Home
from orchestration.ingest.load import load
from orchestration.publish.publication import current_publication
from orchestration.settings import load_settings
from tests.support.command import run_job
from tests.support.faulty_landing import FAULTS, LOST, SMALL, WHALE, FaultyLanding

CATALOGUE = Path(__file__).parents[2] / "docs" / "faults.md"
RUN = "20260701T080000Z-1"


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue."""

    fault: str
    check: str
    severity: str
    outcome: str


def catalogue() -> list[Entry]:
    lines = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in CATALOGUE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ][2:]
    return [Entry(fault, check, severity, run) for fault, _, check, severity, run, _ in lines]


# Customers concerned, the revenue they bring in twelve months, and the money of the rows
# themselves. A small account is billed 100 in each of eight months, the whale 1200.
MONEY: dict[tuple[str, str], tuple[int | None, str, str]] = {
    ("duplicate bill", "bill_is_delivered_once"): (
        1,
        "900.0000",
        "1 failing with 100.0000 of revenue counted twice, e.g. invoice_id C20-08",
    ),
    ("lost bills", "lost_bills_are_few"): (
        None,
        "1500.0000",
        "1 failing with 1500.0000 of usual revenue, e.g. billing_month 2025-08-01",
    ),
    ("lost bills", "usual_bill_has_arrived"): (
        15,
        "10500.0000",
        "15 failing with 1500.0000 of usual revenue, e.g. "
        + "; ".join(f"account_id {account}" for account in LOST[:5]),
    ),
    ("tenfold amount", "amount_is_of_the_usual_size"): (
        1,
        "1700.0000",
        "1 failing with 900.0000 of revenue above the usual, e.g. invoice_id C20-08",
    ),
    # The bill of 100 counts as USD at 7 here.
    ("currency mixed up", "currency_is_the_accounts"): (
        1,
        "1400.0000",
        "1 failing with 106.00 of total_amount, e.g. invoice_id C20-08",
    ),
    ("orphan complaint", "customer_id_is_known"): (
        1,
        "0.0000",
        "1 failing with 50.00 of compensation, e.g. complaint_id K-NOBODY-08",
    ),
    ("future date", "issued_on_is_not_in_the_future"): (
        1,
        "800.0000",
        "1 failing with 106.00 of total_amount, e.g. invoice_id C20-08",
    ),
    ("region code gone", "region_code_is_known"): (
        5,
        "4000.0000",
        "5 failing, e.g. " + "; ".join(f"customer_id {customer}" for customer in SMALL[:5]),
    ),
    ("month missing", "billing_month_is_unbroken"): (
        None,
        "5200.0000",
        "1 failing with 5200.0000 of usual revenue, e.g. last_month_before_gap 2025-03-01",
    ),
    ("a whale's bill missing", "usual_bill_has_arrived"): (
        1,
        "8400.0000",
        "1 failing with 1200.0000 of usual revenue, e.g. account_id WHALE",
    ),
    ("a whale's bill missing", "lost_bills_are_few"): (
        None,
        "1200.0000",
        "1 failing with 1200.0000 of usual revenue, e.g. billing_month 2025-08-01",
    ),
}


def validated(folder: Path, *faults: str) -> LayerResult:
    """Load the landing area with these faults and validate the raw data."""
    landing = FaultyLanding()
    for fault in faults:
        FAULTS[fault](landing)
    files, reference = landing.write(folder)
    settings = load_settings(folder / "home", landing=files, reference=reference)
    home = Home(settings.home)
    home.prepare()
    started = dt.datetime.now(dt.UTC)
    loaded = load(settings, run_id=RUN, started_at=started, code_version="test")
    return validate_layer(
        "raw",
        home=home.root,
        run_id=RUN,
        connection=validation_source("raw", home, "2GB"),
        contract=contract_mapping(),
        period=Period(loaded.closing_month, settings.reporting_currency, started.date()),
    )


def failures(result: LayerResult) -> dict[str, ExpectationResult]:
    return {found.expectation_id: found for found in result.results if not found.success}


def test_the_catalogue_names_every_fault() -> None:
    assert {entry.fault for entry in catalogue()} == set(FAULTS)
    assert {(entry.fault, entry.check.split(".")[1]) for entry in catalogue()} == set(MONEY)


def test_without_a_fault_nothing_fails(tmp_path: Path) -> None:
    assert failures(validated(tmp_path)) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_with_its_money(tmp_path: Path, fault: str) -> None:
    result = validated(tmp_path, fault)
    found = failures(result)
    for entry in (entry for entry in catalogue() if entry.fault == fault):
        failure = found.pop(entry.check)
        customers, revenue, observed = MONEY[fault, entry.check.split(".")[1]]
        assert failure.severity == entry.severity
        assert result.is_blocking == (entry.outcome == "stopped")
        assert failure.observed == observed
        assert failure.affected_customers == customers
        assert failure.affected_revenue == Decimal(revenue)
    assert found == {}, "and nothing else is amiss"


def test_a_whale_is_read_before_many_small_accounts(tmp_path: Path) -> None:
    """Within a check by the money of its rows, between checks by the customers' revenue."""
    result = validated(tmp_path, "lost bills", "a whale's bill missing", "tenfold amount")
    found = failures(result)
    observed = found["raw_invoices.usual_bill_has_arrived"].observed or ""
    assert observed.startswith(
        f"16 failing with 2700.0000 of usual revenue, e.g. account_id {WHALE}; account_id C01"
    )
    assert [failure.expectation_id for failure in gravest_first(found.values())] == [
        "raw_invoices.lost_bills_are_few",
        "raw_invoices.usual_bill_has_arrived",
        "raw_invoices.amount_is_of_the_usual_size",
    ]


def test_a_warned_run_publishes_and_a_stopped_one_does_not(tmp_path: Path) -> None:
    """The whale, silver by its 1200 a month, is told with the tier published before."""
    landing = FaultyLanding()
    duplicate = "raw_invoices.bill_is_delivered_once"
    FAULTS["duplicate bill"](landing)
    files, reference = landing.write(tmp_path)
    home = Home(tmp_path / "home")
    warned = run_job(home.root, files, reference)
    assert warned.returncode == 0, warned.stdout + warned.stderr
    assert f"warning {duplicate}" in warned.stdout
    first = current_publication(home)

    landing = FaultyLanding()
    FAULTS["a whale's bill missing"](landing)
    landing.write(tmp_path)
    stopped = run_job(home.root, files, reference)
    assert stopped.returncode == 1, stopped.stdout + stopped.stderr
    assert "critical raw_invoices.lost_bills_are_few" in stopped.stdout
    assert "Concerns 1 customer (silver 1) with 8,400.00 of revenue." in " ".join(
        stopped.stdout.split()
    )
    assert current_publication(home) == first

    pages = [
        run_page_path(home, run.run_id).read_text(encoding="utf-8") for run in finished_runs(home)
    ]
    assert duplicate in pages[0] and "<strong>Published</strong>" in pages[0]
    assert "Blocked: nothing was published" in pages[1] and "8,400.00" in pages[1]
