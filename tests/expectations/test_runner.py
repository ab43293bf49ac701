"""A layer is validated end to end: results, reports, errors, and nothing left open."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from expectations.context import data_docs_folder
from expectations.contract import Contract
from expectations.docs.index import write_index
from expectations.engine import LakeViews, WarehouseFile
from expectations.results import LayerResult, ensure_schema, results_folder
from expectations.runner import MARTS, validate_layer
from tests.expectations import marts_data, raw_data

STAGING = Path(__file__).parents[2] / (
    "dbt_project/models/staging/control/stg_control__validation_results.sql"
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        marts_data.load_good(connection)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def raw_statements(
    tmp_path_factory: pytest.TempPathFactory, contract: Contract
) -> Iterator[list[str]]:
    """Views over Parquet files, as a run makes them over its lake."""
    folder = tmp_path_factory.mktemp("lake")
    statements = ["create schema raw", "create schema latest", "create schema reference"]
    with duckdb.connect() as connection:
        raw_data.load_good(connection, contract)
        connection.execute(
            "insert into raw.charges select * replace ('lost' as invoice_id, 'X' as charge_id)"
            " from raw.charges where charge_id = 'A1-01-1'"
        )
        connection.execute("update raw.invoices set currency = 'HKD' where invoice_id = 'A1-02'")
        connection.execute("update raw.customers set gender = '13900000000'")
        tables = [f"raw.{feed}" for feed in contract]
        tables += [f"reference.{table}" for table in raw_data.REFERENCE]
        for table in tables:
            path = folder / f"{table}.parquet"
            connection.execute(f"copy {table} to '{path}' (format parquet)")
            statements.append(f"create view {table} as from read_parquet('{path}')")
        statements += [raw_data.latest_view(contract, feed) for feed in contract]
    yield statements


@pytest.fixture(scope="module")
def raw(home: Path, raw_statements: list[str], contract: Contract) -> LayerResult:
    return validate_layer(
        "raw",
        home=home,
        run_id="run-1",
        connection=LakeViews(raw_statements, {"threads": "1"}),
        contract=contract,
        period=raw_data.PERIOD,
    )


@pytest.fixture(scope="module")
def marts(raw: LayerResult, home: Path, warehouse: Path, contract: Contract) -> LayerResult:
    return validate_layer(
        "marts",
        home=home,
        run_id="run-1",
        connection=WarehouseFile(warehouse),
        contract=contract,
        period=raw_data.PERIOD,
    )


def test_severity_decides_what_blocks(raw: LayerResult, marts: LayerResult) -> None:
    assert raw.is_blocking
    assert {failure.expectation_id for failure in raw.critical_failures} == {
        "raw_invoices.currency_is_the_accounts",
        "raw_customers.gender_is_known",
    }
    assert {failure.expectation_id for failure in raw.warnings} == {
        "raw_charges.invoice_id_is_known"
    }
    assert not marts.is_blocking
    assert [suite.dataset for suite in marts.suites][-1] == "audit.reconciliation"
    assert len(marts.suites) == len(MARTS)


def test_results_are_grouped_by_dataset(raw: LayerResult) -> None:
    invoices = raw.suite("raw.invoices")
    assert not invoices.passed
    assert len(invoices.critical_failures) == 1
    assert invoices.warnings == ()
    assert raw.suite("raw.usage").passed
    with pytest.raises(KeyError):
        raw.suite("raw.nothing")


def test_a_failure_is_counted_and_named(raw: LayerResult) -> None:
    (failure,) = raw.suite("raw.invoices").critical_failures
    assert failure.evaluated == 6
    assert failure.unexpected == 1
    assert failure.unexpected_share == pytest.approx(1 / 6)
    assert failure.observed == "1 failing with 1060.00 of total_amount, e.g. invoice_id A1-02"


def test_a_failure_is_weighed_with_the_revenue_of_its_customers(raw: LayerResult) -> None:
    """A1 of C1 is billed 1000 a month, once as HKD at 0.9; A2 of C2 100 HKD a month."""
    (currency,) = (
        found
        for found in raw.results
        if found.expectation_id == "raw_invoices.currency_is_the_accounts"
    )
    assert (currency.affected_customers, currency.affected_revenue) == (1, Decimal("2900.0000"))
    (gender,) = (
        found for found in raw.results if found.expectation_id == "raw_customers.gender_is_known"
    )
    assert (gender.affected_customers, gender.affected_revenue) == (2, Decimal("3170.0000"))
    passed = [found for found in raw.results if found.success]
    assert all(found.affected_customers is None for found in passed)


def test_a_failure_of_the_marts_names_the_tiers(tmp_path: Path, contract: Contract) -> None:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        marts_data.load_good(connection)
        connection.execute(
            "update marts.fct_invoice set outstanding_amount = 1060.01 where invoice_id = 'I1'"
        )
        (customer, revenue, tier) = connection.execute(
            "select customer_id, sum(revenue), any_value(tier_code) from marts.customer_monthly"
            " inner join marts.dim_customer using (customer_id)"
            " inner join marts.fct_invoice using (customer_id) where invoice_id = 'I1' group by 1"
        ).fetchall()[0]
    result = validate_layer(
        "marts",
        home=tmp_path / "home",
        run_id="run-1",
        connection=WarehouseFile(path),
        contract=contract,
        period=raw_data.PERIOD,
        datasets=["fct_invoice"],
    )
    (failure,) = (
        found
        for found in result.results
        if found.expectation_id == "marts_fct_invoice.outstanding_is_at_most_the_total"
    )
    assert customer
    assert failure.affected_customers == 1
    assert failure.affected_revenue == revenue
    assert failure.affected_tiers == f"{tier} 1"
    assert failure.owner and failure.rule


def test_results_file_has_the_columns_that_staging_reads(marts: LayerResult, home: Path) -> None:
    casts = re.findall(r"cast\((\w+) as ([\w(), ]+?)\) as", STAGING.read_text(encoding="utf-8"))
    expected = [(name, kind.upper().replace(", ", ",")) for name, kind in casts]
    for name in ("run-1-raw", "run-1-marts", "schema"):
        path = results_folder(home) / f"{name}.parquet"
        described = duckdb.execute("describe from read_parquet(?)", [str(path)]).fetchall()
        assert [(row[0], row[1]) for row in described] == expected


def test_results_file_holds_every_check(raw: LayerResult, marts: LayerResult, home: Path) -> None:
    stored = duckdb.execute(
        "select layer, count(*), count(distinct expectation_id) from read_parquet(?)"
        " group by layer order by layer",
        [str(results_folder(home) / "*.parquet")],
    ).fetchall()
    assert stored == [
        ("marts", len(marts.results), len(marts.results)),
        ("raw", len(raw.results), len(raw.results)),
    ]


def test_results_are_readable_before_there_are_any(tmp_path: Path) -> None:
    path = ensure_schema(tmp_path)
    assert duckdb.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone() == (0,)


def test_reports_load_nothing_from_outside(marts: LayerResult) -> None:
    pages = list(marts.data_docs.parent.rglob("*.html"))
    assert len(pages) >= 1 + 15 + len(MARTS)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert "://" not in text
        assert not re.search(r"""(src|href|action)=["']//|<script|@import|url\(""", text)


def test_index_lists_runs_and_its_links_lead_somewhere(marts: LayerResult) -> None:
    index = marts.data_docs.read_text(encoding="utf-8")
    assert "run-1" in index
    links = re.findall(r'href="([^"]+)"', index)
    assert len(links) == 15 + len(MARTS)
    for link in links:
        page = marts.data_docs.parent / link
        assert page.is_file()
        back = re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8"))
        assert [(page.parent / address).resolve() for address in back] == [
            marts.data_docs.resolve(),
            marts.data_docs.resolve().parent / "runs" / "run-1.html",
        ]
    assert {suite.page for suite in marts.suites} <= {
        (marts.data_docs.parent / address).resolve() for address in links
    }


def test_the_index_leads_to_the_pages_of_runs_that_ended(tmp_path: Path) -> None:
    """A run that ended before anything was checked stands there too."""
    docs = data_docs_folder(tmp_path)
    (docs / "runs").mkdir(parents=True)
    (docs / "runs" / "20260701T080000Z-1.html").write_text("refused")
    ensure_schema(tmp_path)
    write_index(tmp_path)
    index = (docs / "index.html").read_text(encoding="utf-8")
    assert 'href="runs/20260701T080000Z-1.html"' in index
    assert "2026-07-01 08:00 UTC · nothing was checked" in index


def test_a_page_shows_what_failed_and_by_which_rule(raw: LayerResult) -> None:
    (page,) = raw.data_docs.parent.glob("validations/raw_invoices/run-1/*/*.html")
    text = page.read_text(encoding="utf-8")
    assert "An invoice is in the currency of its account." in text
    assert "Rule: rulebook 4. Owner: billing team." in text
    assert "invoice_id A1-02" in text
    assert ">critical<" in text
    assert "Concerns 1 customer with 2,900.00 of revenue." in text


def test_no_personal_value_reaches_the_evidence(raw: LayerResult, home: Path) -> None:
    for path in (home / "audit").rglob("*"):
        if path.is_file():
            assert b"13900000000" not in path.read_bytes(), path


def test_a_second_run_is_added_to_the_reports(
    marts: LayerResult, home: Path, warehouse: Path, contract: Contract
) -> None:
    second = validate_layer(
        "marts",
        home=home,
        run_id="run-2",
        connection=WarehouseFile(warehouse),
        contract=contract,
        period=raw_data.PERIOD,
        datasets=["dim_product"],
    )
    index = second.data_docs.read_text(encoding="utf-8")
    assert index.index("run-2") < index.index("run-1")
    assert [result.expectation_id for result in second.results] == [
        result.expectation_id for result in marts.suite("marts.dim_product").results
    ]


def test_the_warehouse_can_be_written_afterwards(marts: LayerResult, warehouse: Path) -> None:
    """An open reader would keep the snapshot's writer out."""
    with duckdb.connect(str(warehouse), config={"threads": "2"}) as connection:
        connection.execute("create or replace table marts.written as select 1 as one")


def test_a_check_that_cannot_be_made_is_a_critical_failure(
    tmp_path: Path, contract: Contract
) -> None:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        marts_data.load_good(connection)
        connection.execute("alter table marts.dim_product drop column product_family")
    result = validate_layer(
        "marts",
        home=tmp_path / "home",
        run_id="run-1",
        connection=WarehouseFile(path),
        contract=contract,
        period=raw_data.PERIOD,
        datasets=["dim_product", "dim_manager"],
    )
    (failure,) = result.suite("marts.dim_product").critical_failures
    assert failure.expectation_id == "marts_dim_product.product_family_is_present"
    assert failure.observed is not None
    assert failure.observed.startswith("could not be checked: Binder Error")
    assert "product_family" in failure.observed
    assert failure.unexpected is None
    assert result.suite("marts.dim_manager").passed


def test_an_error_that_quotes_a_value_is_kept_without_it(
    tmp_path: Path, raw_statements: list[str], contract: Contract
) -> None:
    quoting = "case when true then cast('Wang' || ' Fang' as date) end"
    (payments,) = (each for each in raw_statements if each.startswith("create view raw.payments "))
    broken = payments.replace("as from", f"as select * replace ({quoting} as paid_on) from")
    result = validate_layer(
        "raw",
        home=tmp_path,
        run_id="run-1",
        connection=LakeViews([broken if each == payments else each for each in raw_statements], {}),
        contract=contract,
        period=raw_data.PERIOD,
        datasets=["payments"],
    )
    told = {failure.observed for failure in result.critical_failures}
    assert "could not be checked: Conversion Error" in told
    kept = [path for path in (tmp_path / "audit").rglob("*") if path.is_file()]
    stored = [path for path in kept if path.suffix == ".json" and "validations" in path.parts]
    assert any(b"Conversion Error" in path.read_bytes() for path in stored)
    assert [path for path in kept if b"Wang Fang" in path.read_bytes()] == []


def test_importing_the_package_is_free() -> None:
    """Great Expectations takes seconds to import, so only a validation imports it."""
    code = "import expectations.runner, sys; print('great_expectations' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
