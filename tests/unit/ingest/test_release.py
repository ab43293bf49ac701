"""Quarantined rows listed, exported, corrected and released: linked, once, and never too late."""

from __future__ import annotations

import csv
import shutil
import stat
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.ingest.lake import Lake
from orchestration.ingest.release import Release, release
from orchestration.ingest.waiting import export_waiting_rows, waiting_rows
from orchestration.settings import load_settings
from tests.support.loading import SmallOperator, lake_content, settled

HEADER = "invoice_id,account_id,billing_month,issued_on,due_on,currency,total_amount,tax_amount\n"
CUSTOMERS = (
    "customer_id,customer_name,legal_form,region_code,contact_phone,registered_on,updated_at\n"
)
Row = dict[str, str]


def bill(number: str, total: str, month: str = "2025-03") -> str:
    return f"{number},A-C1,{month}-01,{month}-05,{month}-25,CNY,{total},0\n"


class Corrector:
    """An operator's data engineer: exports the waiting rows, changes some, releases them."""

    def __init__(self, operator: SmallOperator) -> None:
        self.operator = operator
        self.files = 0

    def load(self) -> None:
        self.operator.load(quarantine_share_limit=1)

    def waiting(self, feed: str | None = None) -> list[tuple[str, str, int]]:
        found = waiting_rows(self.operator.home, feed, None)
        return [(each.file_name, each.reason, each.rows) for each in found]

    def export(self, feed: str | None = "invoices", load_id: str | None = None) -> Path:
        self.files += 1
        target = self.operator.folder / f"to correct {self.files}.csv"
        export_waiting_rows(self.operator.home, feed, load_id, target)
        return target

    def correct(self, path: Path, change: Callable[[Row], Row | None]) -> Path:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = [changed for row in csv.DictReader(stream) if (changed := change(row))]
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return path

    def release(self, path: Path) -> Release:
        return release(load_settings(self.operator.home), path)

    def amounts(self, key: str = "invoice_id like 'X%'") -> list[tuple[str, Decimal]]:
        """What counts, by the order of delivery: one amount per bill."""
        return self.operator.query(  # type: ignore[return-value]
            "select invoice_id, arg_max(total_amount, _delivery_rank) from raw.invoices "
            f"where {key} group by 1 order by 1"
        )


@pytest.fixture
def corrector(tmp_path: Path) -> Corrector:
    return Corrector(SmallOperator(tmp_path))


def with_amounts(**amounts: str) -> Callable[[Row], Row | None]:
    """The rows of the named bills with other amounts; the others are left out."""
    return lambda row: (
        {**row, "total_amount": amounts[row["invoice_id"]]}
        if row["invoice_id"] in amounts
        else None
    )


def test_list_counts_by_file_and_reason_without_values(corrector: Corrector) -> None:
    text = HEADER + bill("X1", "x") + bill("X2", "it's") + bill("X3", "1.005") + "X4,broken\n"
    corrector.operator.write("invoices", "bad.csv", text)
    corrector.operator.write(
        "payments", "p.csv", "payment_id,account_id,paid_on,amount\n,A-C1,soon,5\n"
    )
    corrector.load()
    assert corrector.waiting() == [
        ("bad.csv", "total_amount: '…' is not a number", 2),
        ("bad.csv", "line: has 2 fields where the header has 8", 1),
        ("bad.csv", "total_amount: '…' has more than 2 decimals", 1),
        ("p.csv", "paid_on: '…' is not a date (YYYY-MM-DD)", 1),
        ("p.csv", "payment_id: a value is required", 1),
    ]
    assert {name for name, _, _ in corrector.waiting("payments")} == {"p.csv"}
    with pytest.raises(ConfigurationError, match="no such feed"):
        corrector.waiting("bills")


def test_export_holds_the_values_as_delivered_for_its_owner_alone(corrector: Corrector) -> None:
    text = CUSTOMERS + "C9,Zhang Secret,person,GD-GZ,+86 139,2025-01-01,2025-01-01 00:00:00\n"
    corrector.operator.write("customers", "c.csv", text)
    corrector.load()
    path = corrector.export("customers")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["_row_number"] == "1"
    assert row["_file_name"] == "c.csv"
    assert row["_reasons"] == "legal_form: 'person' is not one of individual, organisation"
    assert (row["customer_name"], row["contact_phone"]) == ("Zhang Secret", "+86 139")
    assert row["gender"] == "", "not delivered"
    ((masked,),) = corrector.operator.query("select row_json from quarantine")
    assert "Secret" not in masked
    with pytest.raises(ConfigurationError, match="is there already"):
        export_waiting_rows(corrector.operator.home, None, None, path)


def test_export_wants_one_feed_with_waiting_rows(corrector: Corrector) -> None:
    corrector.load()
    with pytest.raises(ConfigurationError, match="No such row waits"):
        corrector.export(None)
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x"))
    payment = "payment_id,account_id,paid_on,amount\nP1,A-C1,soon,5\n"
    corrector.operator.write("payments", "p.csv", payment)
    corrector.load()
    with pytest.raises(ConfigurationError, match=r"several feeds wait \(invoices, payments\)"):
        corrector.export(None)
    ((load_id,),) = corrector.operator.query(
        "select load_id from ledger where file_name = 'p.csv' and status = 'loaded'"
    )
    assert "P1" in corrector.export(None, load_id).read_text()


def test_released_row_is_loaded_and_linked_to_the_row_it_corrects(corrector: Corrector) -> None:
    text = HEADER + bill("X1", "1") + bill("X2", "x") + bill("X3", "y")
    corrector.operator.write("invoices", "bad.csv", text)
    corrector.load()
    path = corrector.correct(corrector.export(), with_amounts(X3="3.00", X2="still wrong"))
    released = corrector.release(path)
    assert (released.counts.in_file, released.counts.loaded, released.counts.quarantined) == (
        (2, 1, 1)
    )
    assert corrector.amounts() == [("X1", Decimal(1)), ("X3", Decimal(3))]
    assert corrector.operator.query(
        "select release.file_name, origin.file_name, links.row_number, links.origin_row_number, "
        "links.outcome, release.reason like 'corrects rows of bad.csv, load %', release.months "
        f"from read_parquet('{Lake(corrector.operator.home).releases}/**/*.parquet') as links "
        "join ledger as release on links.load_id = release.load_id "
        "join ledger as origin on links.origin_load_id = origin.load_id order by 3"
    ) == [
        (path.name, "bad.csv", 1, 2, "quarantined", True, "2025-03"),
        (path.name, "bad.csv", 2, 3, "loaded", True, "2025-03"),
    ]
    assert corrector.operator.query(
        "select count(*) from ledger where rows_in_file <> rows_loaded + rows_quarantined "
        "+ rows_duplicate"
    ) == [(0,)]


def test_what_still_fails_waits_with_its_new_reasons_and_values(corrector: Corrector) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x") + bill("X2", "y"))
    corrector.load()
    corrector.release(corrector.correct(corrector.export(), with_amounts(X1="1.001", X2="2")))
    assert corrector.waiting() == [("bad.csv", "total_amount: '…' has more than 2 decimals", 1)]
    again = corrector.export()
    assert "1.001" in again.read_text()
    corrector.release(corrector.correct(again, with_amounts(X1="1.00")))
    assert corrector.waiting() == []
    assert corrector.amounts() == [("X1", Decimal(1)), ("X2", Decimal(2))]


def test_same_file_twice_changes_nothing_and_a_run_keeps_the_release(corrector: Corrector) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x"))
    corrector.load()
    path = corrector.correct(corrector.export(), with_amounts(X1="1"))
    corrector.release(path)
    before, said = lake_content(corrector.operator.home), settled(corrector.operator.home)
    assert corrector.release(path).is_known
    corrector.load()
    assert lake_content(corrector.operator.home) == before
    assert settled(corrector.operator.home) == said
    assert corrector.amounts() == [("X1", Decimal(1))]


def test_file_corrected_further_loads_what_is_new_and_counts_the_rest_as_repeated(
    corrector: Corrector,
) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x") + bill("X2", "y"))
    corrector.load()
    path = corrector.correct(corrector.export(), with_amounts(X1="1", X2="y"))
    corrector.release(path)
    counts = corrector.release(corrector.correct(path, with_amounts(X1="1.00", X2="2"))).counts
    assert (counts.loaded, counts.duplicate, counts.quarantined) == (1, 1, 0)
    assert corrector.amounts() == [("X1", Decimal(1)), ("X2", Decimal(2))]


def test_second_correction_of_a_released_row_is_a_fault(corrector: Corrector) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x") + bill("X2", "y"))
    corrector.load()
    path = corrector.export()
    corrector.release(corrector.correct(path, with_amounts(X1="1", X2="2")))

    def other_values(row: Row) -> Row:
        changed = {"X1": {"total_amount": "9"}, "X2": {"invoice_id": "X7"}}
        return {**row, **changed[row["invoice_id"]]}

    counts = corrector.release(corrector.correct(path, other_values)).counts
    assert (counts.loaded, counts.quarantined) == (0, 2)
    assert corrector.operator.query(
        "select reasons from quarantine where load_id like '%release%' order by 1"
    ) == [
        ("invoice_id: 'X1' stands on another row of bad.csv that differs",),
        ("row 2 of bad.csv was released before, with other values",),
    ]
    assert corrector.amounts() == [("X1", Decimal(1)), ("X2", Decimal(2))]
    assert corrector.waiting() == []


def test_key_of_a_loaded_row_of_the_same_file_is_not_overwritten(corrector: Corrector) -> None:
    text = HEADER + bill("X1", "1") + bill("X2", "x") + bill("X3", "y")
    corrector.operator.write("invoices", "bad.csv", text)
    corrector.load()
    amounts = {"X2": "1", "X3": "7"}
    counts = corrector.release(
        corrector.correct(
            corrector.export(),
            lambda row: {**row, "invoice_id": "X1", "total_amount": amounts[row["invoice_id"]]},
        )
    ).counts
    assert (counts.loaded, counts.quarantined) == (0, 2), "two rows of one key differ"
    again = corrector.correct(
        corrector.export(), lambda row: row if row["_row_number"] == "2" else None
    )
    counts = corrector.release(again).counts
    assert (counts.loaded, counts.duplicate) == (0, 1), "equal to the loaded row"
    assert corrector.amounts() == [("X1", Decimal(1))]


@pytest.mark.parametrize(("hour_of_other", "expected"), [(2, "9"), (0, "1")])
def test_release_stands_where_its_file_stood_and_resurrects_nothing(
    corrector: Corrector, hour_of_other: int, expected: str
) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x"), hour=1)
    corrector.operator.write("invoices", "other.csv", HEADER + bill("X1", "9"), hour=hour_of_other)
    corrector.load()
    path = corrector.correct(corrector.export(), with_amounts(X1="1"))
    corrector.release(path)
    assert corrector.amounts() == [("X1", Decimal(expected))]
    corrector.operator.write("invoices", "last.csv", HEADER + bill("X1", "11"), hour=3)
    corrector.load()
    assert corrector.amounts() == [("X1", Decimal(11))]


def test_release_counts_as_long_as_the_file_it_corrects(corrector: Corrector) -> None:
    faulty = HEADER + bill("X1", "x")
    corrector.operator.write("invoices", "bad.csv", faulty, hour=1)
    corrector.load()
    path = corrector.correct(corrector.export(), with_amounts(X1="1"))
    corrector.release(path)
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X2", "2"), hour=2)
    corrector.load()
    assert corrector.amounts() == [("X2", Decimal(2))]
    changed = corrector.correct(path, with_amounts(X1="5"))
    with pytest.raises(ConfigurationError, match="was delivered again since"):
        corrector.release(changed)
    corrector.operator.write("invoices", "bad.csv", faulty, hour=3)
    corrector.load()
    assert corrector.amounts() == [("X1", Decimal(1))]


def test_one_file_corrects_several_loads_each_in_its_place(corrector: Corrector) -> None:
    corrector.operator.write("invoices", "a.csv", HEADER + bill("X1", "x"), hour=1)
    corrector.operator.write("invoices", "b.csv", HEADER + bill("X1", "y"), hour=2)
    corrector.load()
    amounts = {"a.csv": "1", "b.csv": "2"}
    path = corrector.correct(
        corrector.export(), lambda row: {**row, "total_amount": amounts[row["_file_name"]]}
    )
    assert corrector.release(path).counts.loaded == 2
    assert corrector.amounts() == [("X1", Decimal(2))]


def test_broken_line_can_be_given_its_columns(corrector: Corrector) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + "X1,A-C1,Zhang\n")
    corrector.load()
    values = dict(zip(HEADER.strip().split(","), bill("X1", "5").strip().split(","), strict=True))

    def filled(row: Row) -> Row:
        assert row["_line"] == "X1,A-C1,Zhang"
        return {**row, **values}

    assert corrector.release(corrector.correct(corrector.export(), filled)).counts.loaded == 1


def test_versions_released_late_stand_by_their_own_time(corrector: Corrector) -> None:
    header = "manager_id,manager_name,region_code,updated_at\n"
    late = "M1,Li,ZJ,2025-02-01 00:00:00\nM1,Li,GD,long ago\n"
    corrector.operator.write("managers", "m.csv", header + late)
    corrector.load()
    path = corrector.correct(
        corrector.export("managers"), lambda row: {**row, "updated_at": "2025-01-01 00:00:00"}
    )
    assert corrector.release(path).counts.loaded == 1
    assert corrector.operator.query("select region_code from raw.managers order by updated_at") == [
        ("GD",),
        ("ZJ",),
    ]


def test_rows_declared_in_fen_are_exported_and_released_in_fen(corrector: Corrector) -> None:
    operator = corrector.operator
    sources = {"payments": {"units": {"amount": "fen"}}}
    shutil.rmtree(operator.landing / "payments")
    header = "payment_id,account_id,paid_on,amount\n"
    text = header + "X1,A,2025-03-02,1050\nX1,A,2025-03-02,99\nX2,A,2025-03-02,x\n"
    operator.write("payments", "fen.csv", text)
    operator.load(quarantine_share_limit=1, sources=sources)
    path = corrector.export("payments")
    with path.open(encoding="utf-8", newline="") as stream:
        assert [row["amount"] for row in csv.DictReader(stream)] == ["1050", "99", "x"]
    corrector.correct(path, lambda row: {**row, "amount": "7"} if row["amount"] == "x" else row)
    with pytest.raises(ConfigurationError, match="read under another declaration"):
        corrector.release(path)
    declared = load_settings(operator.home, sources=sources)
    assert release(declared, path).counts.quarantined == 2
    again = corrector.export("payments")
    corrector.correct(again, lambda row: row if row["amount"] == "99" else None)
    assert release(declared, again).counts.loaded == 1
    assert operator.query(
        "select payment_id, amount from raw.payments where payment_id like 'X%' order by 1"
    ) == [("X1", Decimal("0.99")), ("X2", Decimal("0.07"))]


WRONG_FILES: list[tuple[str, Callable[[str], str | bytes], str]] = [
    ("not text", lambda text: text.encode("utf-16"), "is not UTF-8"),
    ("no quote", lambda text: text + '"', "is no CSV"),
    ("no origin", lambda _: "invoice_id,total_amount\nX1,1\n", "has no columns _load_id and"),
    ("no rows", lambda text: text.splitlines()[0], "holds no row"),
    ("short row", lambda text: text + "a,b\n", "row 3: 2 fields where the header has 14"),
    ("unknown load", lambda text: text.replace("invoices-", "invoices-0"), "name no row in quaran"),
    ("row of no fault", lambda text: text.replace(",1,bad", ",3,bad"), "name no row in quarantine"),
    ("no number", lambda text: text.replace(",1,bad", ",first,bad"), "name no row in quarantine"),
    ("row twice", lambda text: text + text.splitlines()[1] + "\n", "2 rows correct row 1 of inv"),
    ("column lost", lambda text: text.replace("due_on", "due"), "lacks the columns due_on"),
    ("column more", lambda text: text.replace("_line", "note"), "has unknown columns note"),
    ("column twice", lambda text: text.replace("_line", "_reasons"), "has twice _reasons"),
]


@pytest.mark.parametrize(("change", "words"), [case[1:] for case in WRONG_FILES])
def test_file_that_is_no_export_is_refused_whole(
    corrector: Corrector, change: Callable[[str], str | bytes], words: str
) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x") + bill("X2", "y"))
    corrector.load()
    path = corrector.export()
    changed = change(path.read_text(encoding="utf-8"))
    path.write_bytes(changed.encode() if isinstance(changed, str) else changed)
    before = lake_content(corrector.operator.home)
    with pytest.raises(ConfigurationError) as caught:
        corrector.release(path)
    assert words in str(caught.value)
    assert lake_content(corrector.operator.home) == before


def test_nothing_can_be_released_into_an_empty_home(corrector: Corrector) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is loaded"):
        corrector.release(corrector.operator.folder / "x.csv")


def test_released_file_is_kept_for_its_owner_alone(corrector: Corrector) -> None:
    corrector.operator.write("invoices", "bad.csv", HEADER + bill("X1", "x"))
    corrector.load()
    path = corrector.correct(corrector.export(), with_amounts(X1="1"))
    corrector.release(path)
    (kept,) = Lake(corrector.operator.home).released_files.iterdir()
    assert kept.read_bytes() == path.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
