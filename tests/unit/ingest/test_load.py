"""Loading a landing folder again and again: what counts, in what order, and what blocks."""

from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import ConfigurationError, DataBlockedError
from orchestration.ingest.lake import Lake
from orchestration.settings import months_at_once, recent_months
from tests.support.loading import SmallOperator, lake_content, settled

INVOICES = "invoice_id,account_id,billing_month,issued_on,due_on,currency,total_amount,tax_amount\n"
MANAGERS = "manager_id,manager_name,region_code,updated_at\n"


def bill(number: str, total: str, month: str = "2025-03") -> str:
    return f"{number},A-C1,{month}-01,{month}-05,{month}-25,CNY,{total},0\n"


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    return SmallOperator(tmp_path)


def active_names(operator: SmallOperator, feed: str) -> list[str]:
    rows = operator.query(
        f"select ledger.file_name from active_loads join ledger using (load_id) "
        f"where active_loads.feed = '{feed}' order by delivery_rank"
    )
    return [row[0] for row in rows]


def test_result_tells_files_rows_and_months(operator: SmallOperator) -> None:
    result = operator.load()
    invoices = result.feeds["invoices"]
    assert (invoices.files, invoices.files_loaded, invoices.rows_in_file) == (3, 3, 12)
    assert (invoices.rows_loaded, invoices.rows_quarantined, invoices.rows_duplicate) == (12, 0, 0)
    assert result.feeds["usage"].files == 0
    assert result.first_month == dt.date(2025, 1, 1)
    assert result.closing_month == dt.date(2025, 3, 1)
    assert result.warnings == ()


def test_run_settings_are_one_row_for_the_models(operator: SmallOperator) -> None:
    operator.load()
    (row,) = operator.query(
        "select run_id, reporting_currency, tier_policy, timezone, first_month, closing_month, "
        "code_version, length(config_sha256), length(policy_sha256) from run_settings"
    )
    first, closing = dt.date(2025, 1, 1), dt.date(2025, 3, 1)
    assert row == ("run-001", "CNY", "house", "Asia/Shanghai", first, closing, "test", 64, 64)


def test_models_are_told_how_many_months_fit_into_memory(operator: SmallOperator) -> None:
    operator.load()
    assert operator.query("select months_at_once > 10000, recent_months from run_settings") == [
        (True, 0)
    ]


@pytest.mark.parametrize(
    ("memory_limit", "customers", "months"),
    [("8GB", 1_050_000, 10), ("16GB", 1_050_000, 20), ("8GB", 50_000_000, 1), ("8GB", 0, 10937500)],
)
def test_months_at_once_follow_memory_and_customers(
    memory_limit: str, customers: int, months: int
) -> None:
    assert months_at_once(memory_limit, customers) == months


@pytest.mark.parametrize(("customers", "months"), [(2_000, 0), (30_719, 0), (30_720, 4)])
def test_recent_months_lie_apart_where_they_fill_a_row_group(customers: int, months: int) -> None:
    assert recent_months(customers) == months


def test_raw_files_are_named_by_content_and_kept_by_month(operator: SmallOperator) -> None:
    operator.load()
    (sha256,) = operator.query(
        "select file_sha256 from ledger where feed = 'invoices' and file_name = '2025-02.csv.gz'"
    )[0]
    path = Lake(operator.home).raw("invoices") / "billing_month=2025-02" / f"{sha256}.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute(f"select count(*) from read_parquet('{path}')").fetchone()
    assert rows == (4,)


def test_every_feed_can_be_read_before_it_was_ever_delivered(operator: SmallOperator) -> None:
    operator.load()
    assert operator.query("select count(*) from raw.complaints") == [(0,)]
    assert operator.query("select count(*) from quarantine") == [(0,)]


def test_lake_is_for_its_owner_alone(operator: SmallOperator) -> None:
    operator.load()
    folders = [path for path in Lake(operator.home).root.rglob("*") if path.is_dir()]
    assert folders
    assert all(path.stat().st_mode & 0o077 == 0 for path in folders)


def test_second_run_changes_nothing(operator: SmallOperator) -> None:
    operator.load()
    before, said = lake_content(operator.home), settled(operator.home)
    result = operator.load()
    assert lake_content(operator.home) == before
    assert settled(operator.home) == said
    assert result.feeds["invoices"].files_skipped == 3
    assert result.feeds["invoices"].rows_in_file == 0
    ((status, reason, loaded),) = operator.query(
        "select status, reason, rows_loaded from ledger "
        "where run_id = 'run-002' and feed = 'customers'"
    )
    assert (status, loaded) == ("skipped_identical", 0)
    assert "identical to customers.csv" in reason
    assert "run-001" in reason


def test_identity_holds_and_load_ids_are_unique(operator: SmallOperator) -> None:
    operator.write("invoices", "odd.csv", INVOICES + bill("X1", "1") + bill("X1", "1"))
    operator.load(quarantine_share_limit=1)
    operator.load(quarantine_share_limit=1)
    assert operator.query(
        "select count(*) from ledger "
        "where rows_in_file <> rows_loaded + rows_quarantined + rows_duplicate"
    ) == [(0,)]
    assert operator.query("select count(*) - count(distinct load_id) from ledger") == [(0,)]
    assert operator.query("select sum(rows_duplicate) from ledger") == [(1,)]


def test_corrected_file_supersedes_the_earlier_one_of_its_name_whole(
    operator: SmallOperator,
) -> None:
    operator.write("invoices", "late.csv", INVOICES + bill("L1", "1") + bill("L2", "2"), hour=1)
    operator.load()
    operator.write("invoices", "late.csv", INVOICES + bill("L1", "1.50"), hour=2)
    operator.load()
    late = "from raw.invoices where invoice_id like 'L%'"
    assert operator.query(f"select invoice_id, total_amount {late}") == [("L1", Decimal("1.50"))]
    kept = Lake(operator.home).raw("invoices").rglob("*.parquet")
    assert sum(path.name != "schema.parquet" for path in kept) == 5, "the earlier file stays"


def test_every_version_of_a_versioned_feed_stays(operator: SmallOperator) -> None:
    first = MANAGERS + "M1,Li,GD,2025-01-01 00:00:00\n"
    second = MANAGERS + "M1,Li,ZJ,2025-02-01 00:00:00\n"
    operator.write("managers", "managers.csv", first, hour=1)
    operator.load()
    operator.write("managers", "managers.csv", second, hour=2)
    operator.load()
    assert operator.query("select region_code from raw.managers order by updated_at") == [
        ("GD",),
        ("ZJ",),
    ]
    ranks = "select region_code from raw.managers order by _delivery_rank"
    assert operator.query(ranks) == [("GD",), ("ZJ",)]


def test_delivery_order_is_time_then_name_however_late_a_file_is_seen(
    operator: SmallOperator,
) -> None:
    operator.write("invoices", "b.csv", INVOICES + bill("X", "2"), hour=5)
    operator.load()
    operator.write("invoices", "c.csv", INVOICES + bill("X", "3"), hour=4)
    operator.write("invoices", "a.csv", INVOICES + bill("X", "1"), hour=5)
    operator.load()
    assert active_names(operator, "invoices")[-3:] == ["c.csv", "a.csv", "b.csv"]
    ranks = operator.query("select delivery_rank from active_loads order by 1")
    assert ranks == [(rank,) for rank in range(1, len(ranks) + 1)]


def test_copy_under_another_name_changes_nothing(operator: SmallOperator) -> None:
    text = INVOICES + bill("X", "1")
    operator.write("invoices", "a.csv", text, hour=1)
    operator.write("invoices", "b.csv", INVOICES + bill("X", "2"), hour=2)
    operator.load()
    said = settled(operator.home)
    operator.write("invoices", "z.csv", text, hour=3)
    result = operator.load()
    assert result.feeds["invoices"].files_skipped == 6
    assert settled(operator.home) == said


def test_content_delivered_again_after_its_correction_counts_again(
    operator: SmallOperator,
) -> None:
    earlier, later = INVOICES + bill("X", "1"), INVOICES + bill("X", "2")
    for hour, text in enumerate((earlier, later, earlier), start=1):
        operator.write("invoices", "x.csv", text, hour=hour)
        operator.load()
    amounts = operator.query("select total_amount from raw.invoices where invoice_id = 'X'")
    assert amounts == [(Decimal("1.00"),)]


@pytest.mark.parametrize("copy_hour", [1.5, 2.5, 3.5])
def test_order_is_that_of_a_build_from_nothing(operator: SmallOperator, copy_hour: float) -> None:
    text = INVOICES + bill("X", "1")
    operator.write("invoices", "a.csv", text, hour=1)
    operator.load()
    operator.write("invoices", "a.csv", INVOICES + bill("X", "2"), hour=2)
    operator.write("invoices", "b.csv", INVOICES + bill("X", "3"), hour=3)
    operator.load()
    operator.write("invoices", "copy.csv", text, hour=copy_hour)
    operator.load()
    afresh = operator.folder / "afresh"
    operator.load(afresh)
    query = "select total_amount from raw.invoices where invoice_id = 'X' order by _delivery_rank"
    assert operator.query(query) == operator.query(query, afresh)


def test_file_that_vanished_stays_loaded(operator: SmallOperator) -> None:
    operator.load()
    (operator.landing / "invoices" / "2025-01.csv.gz").unlink()
    shutil.rmtree(operator.landing / "payments")
    operator.load()
    assert operator.query("select count(*) from raw.invoices") == [(12,)]
    assert operator.query("select count(*) from raw.payments") == [(9,)]


def test_run_taken_up_again_under_its_id_forgets_no_load(operator: SmallOperator) -> None:
    operator.load()
    operator.runs = iter([1])  # type: ignore[assignment]
    operator.load()
    assert operator.query("select count(*) from raw.invoices") == [(12,)]
    assert operator.query("select count(*) - count(distinct load_id) from ledger") == [(0,)]


def test_unknown_columns_are_kept_aside_and_reported_once(operator: SmallOperator) -> None:
    for name in ("x", "y"):
        text = INVOICES.replace("\n", ",clerk,till\n") + bill(name, "1").replace("\n", ",Wu,7\n")
        operator.write("invoices", f"{name}.csv", text)
    result = operator.load()
    assert result.warnings == (
        "invoices: unknown columns: clerk, till; kept aside (files: 2, e.g. x.csv)",
    )
    assert operator.query(
        "select distinct status, reason from ledger where file_name in ('x.csv', 'y.csv')"
    ) == [("loaded", "unknown columns: clerk, till")]


def test_header_order_and_missing_optional_columns_do_not_matter(operator: SmallOperator) -> None:
    text = "tax_amount, Invoice_ID ,account_id,total_amount,billing_month,due_on,currency,issued_on"
    values = "0,X,A-C1,5,2025-03-01,2025-03-25,CNY,2025-03-05"
    operator.write("invoices", "x.csv", f"\ufeff{text}\r\n{values}\r\n")
    operator.load()
    assert operator.query(
        "select total_amount, issued_on, category from raw.invoices where invoice_id = 'X'"
    ) == [(Decimal("5.00"), dt.date(2025, 3, 5), "normal")]


def test_delivery_with_too_many_faults_is_refused_whole_and_earlier_data_stays(
    operator: SmallOperator,
) -> None:
    operator.load()
    before, said = lake_content(operator.home), settled(operator.home)
    operator.write("invoices", "good.csv", INVOICES + bill("G", "1"))
    operator.write("invoices", "bad.csv", INVOICES + bill("B", "x"))
    operator.write("invoices", "bad copy.csv", INVOICES + bill("B", "x"))
    with pytest.raises(DataBlockedError) as caught:
        operator.load()
    message = str(caught.value)
    assert "1 of 2 rows delivered could not be loaded, above the limit of 1.00%" in message
    assert "bad copy.csv row 1: total_amount: 'x' is not a number." in message
    assert lake_content(operator.home) == before
    assert settled(operator.home) == said
    assert operator.query(
        "select file_name, status from ledger where run_id = 'run-002' and status = 'rejected' "
        "order by all"
    ) == [("bad copy.csv", "rejected"), ("bad.csv", "rejected"), ("good.csv", "rejected")]


def test_share_of_faults_counts_over_the_files_of_the_delivery(operator: SmallOperator) -> None:
    operator.write("invoices", "bad.csv", INVOICES + bill("B", "x"))
    result = operator.load(quarantine_share_limit=1 / 13)
    assert result.feeds["invoices"].rows_quarantined == 1
    (row,) = operator.query("select feed, row_number, reasons from quarantine")
    assert row == ("invoices", 1, "total_amount: 'x' is not a number")


def test_refused_file_blocks_the_run_but_the_others_stay_loaded(operator: SmallOperator) -> None:
    operator.write("invoices", "empty.csv", "")
    with pytest.raises(DataBlockedError, match=r"invoices/empty.csv was refused: it is empty"):
        operator.load()
    assert operator.query("select count(*) from raw.invoices") == [(12,)]
    (operator.landing / "invoices" / "empty.csv").unlink()
    assert operator.load().feeds["invoices"].files_skipped == 3


def test_missing_required_feed_is_named_with_the_path_and_the_reason(
    operator: SmallOperator,
) -> None:
    shutil.rmtree(operator.landing / "accounts")
    with pytest.raises(DataBlockedError) as caught:
        operator.load()
    path = operator.landing / "accounts"
    assert f"required feed accounts has no loaded row: there is no folder {path}" in str(
        caught.value
    )
    path.mkdir()
    with pytest.raises(DataBlockedError, match=r"accounts holds no file of a known type"):
        operator.load()
    operator.write("accounts", "accounts.csv", "account_id,customer_id\nA,B\n")
    with pytest.raises(
        DataBlockedError,
        match=r"(?s)missing required columns currency, payment_mode, opened_on, updated_at.*"
        r"every file in .*accounts was refused",
    ):
        operator.load()


def test_absent_optional_feed_does_no_harm(operator: SmallOperator) -> None:
    for feed in ("charges", "payments"):
        shutil.rmtree(operator.landing / feed)
    assert operator.load().closing_month == dt.date(2025, 3, 1)


def test_landing_folder_must_be_there_and_hold_a_feed(operator: SmallOperator) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere is not there"):
        operator.load(landing=operator.folder / "nowhere")
    empty = operator.folder / "empty"
    (empty / "bills").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="holds no feed"):
        operator.load(landing=empty)
    with pytest.raises(ConfigurationError, match="No landing folder is set"):
        operator.load(landing=None)


def test_thin_month_is_reported_and_left_out(operator: SmallOperator) -> None:
    operator.write("invoices", "next.csv", INVOICES + bill("N", "1", "2025-04"))
    result = operator.load()
    assert result.closing_month == dt.date(2025, 3, 1)
    assert result.incomplete_months == ((dt.date(2025, 4, 1), 1),)
    assert result.warnings == (
        "2025-04 is incomplete (counted invoices: 1) and left out; the closing month is 2025-03",
    )
    assert operator.load(through="2025-04").closing_month == dt.date(2025, 4, 1)


def test_unknown_policy_is_wrong_use_and_loads_nothing(operator: SmallOperator) -> None:
    with pytest.raises(ConfigurationError, match="platinum_club"):
        operator.load(tier_policy="platinum_club")
    assert not Lake(operator.home).ledger.exists()


def test_missing_rate_names_month_currency_and_table(operator: SmallOperator) -> None:
    text = INVOICES + bill("D", "1", "2025-02").replace("CNY", "CHF")
    operator.write("invoices", "d.csv", text)
    with pytest.raises(DataBlockedError) as caught:
        operator.load()
    assert "CHF for 2025-02" in str(caught.value)
    assert "fx_rates.csv" in str(caught.value)
