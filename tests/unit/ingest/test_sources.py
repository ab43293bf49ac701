"""sources.toml end to end: an operator's own extracts, mistakes in it, drift kept aside."""

from __future__ import annotations

import gzip
import json
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import ConfigurationError, DataBlockedError
from orchestration.ingest.lake import Lake
from orchestration.ingest.release import release
from orchestration.ingest.sources import read_sources
from orchestration.ingest.waiting import export_waiting_rows
from orchestration.settings import load_settings
from tests.support.loading import SmallOperator, lake_content, settled

CHARGES = "SERIAL|BILL|ITEM|KIND|AMT_FEN|REMARK\n"
SOURCE = """
[charges]
files = ["BSS_CHG_*.txt*"]
format = "csv"
encoding = "gbk"
delimiter = "|"
quote = ""
ignore = ["remark"]
units = { amount = "fen" }

[charges.columns]
SERIAL = "charge_id"
BILL = "invoice_id"
ITEM = "product_code"
KIND = "charge_type"
AMT_FEN = "amount"

[charges.codes.charge_type]
"01" = "recurring"
"02" = "usage"
"""


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    return SmallOperator(tmp_path)


def declare(operator: SmallOperator, text: str = SOURCE) -> None:
    (operator.landing / "sources.toml").write_text(text, encoding="utf-8")


def deliver(
    operator: SmallOperator, name: str = "BSS_CHG_202503.txt", amount: str = "12345"
) -> None:
    shutil.rmtree(operator.landing / "charges", ignore_errors=True)
    text = CHARGES + f'C-1|I-1|宽带"|01|{amount}|备注\nC-2|I-1|0070|02|1|\n'
    content = text.encode("gbk")
    path = operator.landing / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    operator.deliver(path, hour=1)


def mapped(operator: SmallOperator) -> list[tuple[object, ...]]:
    return operator.query(
        "select charge_id, product_code, charge_type, amount from raw.charges "
        "where charge_id in ('C-1', 'C-2') order by 1"
    )


@pytest.mark.parametrize("name", ["BSS_CHG_202503.txt", "BSS_CHG_202503.txt.gz"])
def test_an_operators_extract_is_loaded_without_code(operator: SmallOperator, name: str) -> None:
    declare(operator)
    deliver(operator, name)
    result = operator.load()
    assert mapped(operator) == [
        ("C-1", '宽带"', "recurring", Decimal("123.45")),
        ("C-2", "0070", "usage", Decimal("0.01")),
    ]
    assert result.warnings == ()
    (row,) = operator.query(
        f"select status, rows_loaded, length(source_sha256), reason from ledger "
        f"where file_name = '{name}'"
    )
    assert row == ("loaded", 2, 64, None)


def test_second_run_changes_nothing(operator: SmallOperator) -> None:
    declare(operator)
    deliver(operator)
    operator.load()
    before, said = lake_content(operator.home), settled(operator.home)
    operator.load()
    assert (lake_content(operator.home), settled(operator.home)) == (before, said)


def test_changed_declaration_loads_the_same_bytes_again(operator: SmallOperator) -> None:
    declare(operator, SOURCE.replace('units = { amount = "fen" }', ""))
    deliver(operator)
    first = operator.load()
    assert mapped(operator)[0][-1] == Decimal(12345)
    declare(operator)
    second = operator.load()
    assert mapped(operator)[0][-1] == Decimal("123.45")
    assert second.feeds["charges"].files_loaded == 1
    assert second.feeds["invoices"].files_loaded == 0
    assert first.config_sha256 != second.config_sha256
    declare(operator, SOURCE.replace('units = { amount = "fen" }', ""))
    third = operator.load()
    assert third.feeds["charges"].files_loaded == 0, "known under this declaration"
    assert mapped(operator)[0][-1] == Decimal(12345)
    assert third.config_sha256 == first.config_sha256


def test_changed_declaration_of_a_versioned_feed_replaces_the_first_reading(
    operator: SmallOperator,
) -> None:
    header = "manager_id,manager_name,region_code,grade,updated_at\n"
    operator.write("managers", "m.csv", header + "M1,Li,GD,junior,2025-01-01 00:00:00\n")
    operator.load()
    declare(operator, '[managers.codes]\nregion_code = { GD = "GD-GZ" }\n')
    operator.load()
    assert operator.query("select region_code from raw.managers") == [("GD-GZ",)]


def test_new_pattern_alone_loads_nothing_again(operator: SmallOperator) -> None:
    operator.load()
    declare(operator, '[invoices]\nfiles = ["BILL_*.csv"]\n')
    result = operator.load()
    assert result.feeds["invoices"].files_skipped == 3


def test_refused_reading_leaves_the_one_before(operator: SmallOperator) -> None:
    declare(operator)
    deliver(operator)
    operator.load()
    declare(operator, SOURCE.replace('"01" = "recurring"\n', ""))
    operator.load()
    assert mapped(operator)[0][-1] == Decimal("123.45")


def test_section_of_the_settings_replaces_the_delivered_one_whole(operator: SmallOperator) -> None:
    declare(operator)
    deliver(operator)
    operator.home.mkdir()
    section = SOURCE.replace("[charges", "[sources.charges").replace("fen", "yuan")
    (operator.home / "tierwise.toml").write_text(section, encoding="utf-8")
    operator.load()
    assert mapped(operator)[0][-1] == Decimal(12345)


def test_control_totals_of_a_flat_landing_folder(operator: SmallOperator) -> None:
    declare(operator)
    deliver(operator)
    control = {"files": {"BSS_CHG_202503.txt": {"rows": 3}}}
    (operator.landing / "_control.json").write_text(json.dumps(control))
    with pytest.raises(DataBlockedError) as caught:
        operator.load()
    path = operator.landing / "BSS_CHG_202503.txt"
    assert f"{path} was refused: its control totals say 3 rows, it has 2" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[charge]\n", "[charge] is no feed. Known are: customers, accounts"),
        ("charges = 1\n", "charges = '1': wants a section [charges]"),
        (
            "[charges]\nencodng = 'gbk'\n",
            "[charges] has the unknown key 'encodng'. Known are: files",
        ),
        ("[charges]\nencoding = 'klingon'\n", "encoding = 'klingon': is no known encoding"),
        ("[charges]\ndelimiter = '||'\n", "delimiter = '||': wants one ASCII character"),
        ("[charges]\nquote = 'x'\n", "quote = 'x': wants one ASCII character"),
        ("[charges]\nformat = 'xls'\n", "format = 'xls': Input should be 'csv', 'ndjson' or"),
        ("[charges]\nfiles = ['../x']\n", "'../x' is no pattern below the landing folder"),
        ("[charges]\nfiles = ['/x']\n", "'/x' is no pattern below the landing folder"),
        ("[charges.columns]\nA = 'amt'\n", "columns.A: 'amt' is no column of the feed. Known are"),
        (
            "[charges.columns]\nA = 'amount'\nB = 'amount'\n",
            "columns maps several columns to amount",
        ),
        ("[charges.units]\namt = 'fen'\n", "units: 'amt' is no column of the feed"),
        ("[charges.units]\nunit = 'fen'\n", "units.unit = 'fen': unit is no number"),
        ("[charges.units]\namount = 'pence'\n", "'pence' of amount is no known unit"),
        ("[charges.units]\namount = 0.05\n", "0.05 of amount is no power of ten"),
        ("[charges.units]\namount = -0.01\n", "-0.01 of amount is no power of ten"),
        ("[charges.units]\namount = inf\n", "inf of amount is no power of ten"),
        (
            "[charges.codes.charge_type]\n'1' = 'monthly'\n",
            "codes.charge_type.1 = 'monthly': is not one of recurring, usage",
        ),
        ("[charges.codes.amount]\n'1' = '2'\n", "codes.amount: amount is no code but of type"),
        ("[payments]\ndate_format = '%d/%m'\n", "date_format = '%d/%m': does not tell a date"),
        ("[payments]\ndate_format = 'DD/MM'\n", "date_format = 'DD/MM': does not tell a date"),
        (
            "[accounts]\ntimestamp_format = '%Y%m%d %H'\n",
            "timestamp_format = '%Y%m%d %H': does not tell a timestamp",
        ),
        ("[payments.formats]\namount = '%Y'\n", "formats.amount = '%Y': amount is no date"),
        ("[charges]\ndecimal_mark = ';'\n", "decimal_mark = ';': Input should be '.' or ','"),
        ("[charges]\nthousands_mark = '.'\n", "thousands_mark = '.': is the decimal mark too"),
        ("[charges\n", "cannot be read as TOML"),
    ],
)
def test_mistake_is_told_with_file_key_and_value(
    operator: SmallOperator, text: str, words: str
) -> None:
    declare(operator, text)
    with pytest.raises(ConfigurationError) as caught:
        operator.load()
    assert caught.value.exit_code == 2
    assert str(operator.landing / "sources.toml") in str(caught.value)
    assert words in str(caught.value)


def test_mistake_in_the_settings_is_told_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "tierwise.toml").write_text("[sources.charges]\nencoding = 'x'\n")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(tmp_path)
    assert str(tmp_path / "tierwise.toml") in str(caught.value)
    assert "[sources.charges] encoding = 'x': is no known encoding" in str(caught.value)


def test_file_of_two_feeds_is_a_mistake(operator: SmallOperator) -> None:
    deliver(operator)
    declare(operator, "[charges]\nfiles = ['BSS*']\n[payments]\nfiles = ['*.txt']\n")
    with pytest.raises(ConfigurationError, match=r"belongs to the feed (charges|payments)"):
        operator.load()
    declare(operator, "[charges]\nfiles = ['invoices/*']\n")
    with pytest.raises(ConfigurationError, match=r"belongs to the feed invoices. Narrow"):
        operator.load()


def test_nothing_declared_is_the_contract(tmp_path: Path) -> None:
    assert read_sources(tmp_path, {}).declared() == {}
    assert read_sources(tmp_path, {}).stem("charges", "ab") == "ab"


@pytest.mark.parametrize("layout", ["csv", "ndjson"])
def test_unknown_columns_are_kept_aside_row_by_row(operator: SmallOperator, layout: str) -> None:
    row = {"payment_id": "Q1", "account_id": "A-C1", "paid_on": "2025-03-02", "amount": "1.00"}
    rows = [
        {**row, "Clerk": "王", "till": "007"},
        {**row, "payment_id": "Q2", "Clerk": "", "till": ""},
        {**row, "payment_id": "Q3", "amount": "x", "Clerk": 'a,"b"', "till": ""},
    ]
    if layout == "csv":
        lines = [
            "payment_id,account_id,paid_on,amount,Clerk,till",
            "Q1,A-C1,2025-03-02,1.00,王,007",
            "Q2,A-C1,2025-03-02,1.00,,",
            'Q3,A-C1,2025-03-02,x,"a,""b""",',
        ]
    else:
        lines = [json.dumps({k: v for k, v in row.items() if v}) for row in rows]
    operator.write("payments", f"x.{layout}", "\n".join(lines) + "\n")
    result = operator.load(quarantine_share_limit=1)
    drift = "payments: unknown columns: Clerk, till; kept aside"
    assert [warning for warning in result.warnings if drift in warning]
    ((load_id, reason),) = operator.query(
        f"select load_id, reason from ledger where file_name = 'x.{layout}'"
    )
    assert reason == "unknown columns: Clerk, till"
    folder = Lake(operator.home).unknown
    with duckdb.connect() as connection:
        kept = connection.execute(
            "select load_id, row_number, feed, values_json "
            f"from read_parquet('{folder}/*/*.parquet') order by row_number"
        ).fetchall()
    assert [(row[0], row[1], row[2]) for row in kept] == [
        (load_id, 1, "payments"),
        (load_id, 3, "payments"),
    ]
    assert json.loads(kept[0][3]) == {"Clerk": "王", "till": "007"}
    assert json.loads(kept[1][3]) == {"Clerk": 'a,"b"', "till": None}


def test_kept_aside_values_of_a_refused_delivery_leave_again(operator: SmallOperator) -> None:
    header = "payment_id,account_id,paid_on,amount,till\n"
    operator.write("payments", "x.csv", header + "Q1,A,2025-03-02,x,secret\n" * 3)
    with pytest.raises(DataBlockedError):
        operator.load()
    assert not list(Lake(operator.home).unknown.rglob("*.parquet"))


@pytest.mark.parametrize("fault", ["unreadable", "one key twice"])
def test_corrected_rows_are_read_as_the_operator_writes_them(
    operator: SmallOperator, fault: str
) -> None:
    declare(operator)
    deliver(operator, amount="many" if fault == "unreadable" else "12345")
    if fault == "one key twice":
        path = operator.landing / "BSS_CHG_202503.txt"
        path.write_bytes(path.read_bytes() + b"C-1|I-1|X|01|777|\n")
    operator.load(quarantine_share_limit=1)
    assert [row[0] for row in mapped(operator)] == ["C-2"]
    target = operator.folder / "corrected.csv"
    export_waiting_rows(operator.home, "charges", None, target)
    if fault == "unreadable":
        target.write_text(target.read_text().replace("many", "12345"))
    else:
        target.write_text("".join(target.read_text().splitlines(keepends=True)[:-1]))
    assert ",12345," in target.read_text(), "in fen, as it was delivered"
    settings = load_settings(operator.home, landing=operator.landing)
    assert release(settings, target).counts.loaded == 1
    assert mapped(operator)[0] == ("C-1", '宽带"', "recurring", Decimal("123.45"))
