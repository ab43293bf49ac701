"""Extraction from a real MariaDB, which speaks MySQL: exact, incremental, in bounded memory."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.landing import survey
from tests.support.extracting import DSN_VARIABLE, ExtractHome, peak_memory
from tests.support.loading import Judged, judge
from tests.support.mariadb import PASSWORD, MariadbServer, is_installed, mariadb_server

pytestmark = pytest.mark.skipif(
    not is_installed(),
    reason="MariaDB is not installed (Debian: apt-get install mariadb-server)",
)

PAYMENTS = """
[extract.billing.feeds.payments]
table = "payment"
cursor = "changed_at"
columns = { account_id = "Account No" }
"""
CREATE_PAYMENT = """
create table billing.payment (
    payment_id varchar(20) primary key, `Account No` varchar(20) not null,
    invoice_id varchar(20), paid_on date not null, amount decimal(20, 6) not null,
    payment_method varchar(40), clerk varchar(40), changed_at datetime(6) not null
) character set utf8mb4
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MariadbServer]:
    with mariadb_server() as server:
        yield server


@pytest.fixture
def database(server: MariadbServer, monkeypatch: pytest.MonkeyPatch) -> MariadbServer:
    monkeypatch.setenv(DSN_VARIABLE, server.dsn)
    server.execute("drop table if exists billing.payment", CREATE_PAYMENT)
    return server


@pytest.fixture
def home(tmp_path: Path) -> ExtractHome:
    home = ExtractHome(tmp_path)
    home.declare(PAYMENTS)
    return home


def add_payments(server: MariadbServer, first: int, last: int, changed_at: str) -> None:
    """Payments of those numbers; `seq` in `changed_at` stands for the number."""
    server.execute(
        "insert into billing.payment select concat('P', seq), concat('00', seq), null, "
        "date '2024-02-29' + interval seq day, seq * 0.37, '微信支付 “现金”', '李', "
        f"{changed_at} from billing.seq_{first}_to_{last}"
    )


EVERY_SECOND = "timestamp '2025-01-01 00:00:00.000001' + interval seq second"
ONE_INSTANT = "timestamp '2025-02-01 00:00:00.123456'"


def load_all(home: ExtractHome, folder: Path) -> list[Judged]:
    """What the loader makes of each delivered file, control totals compared."""
    landing = survey(home.landing, feed_contract())
    assert landing.warnings == ()
    return [
        judge(file.feed, file.path, folder / file.name, totals=file.totals)
        for file in landing.files["payments"]
    ]


def test_what_the_loader_reads_is_what_the_database_holds(
    database: MariadbServer, home: ExtractHome, tmp_path: Path
) -> None:
    add_payments(database, 1, 500, EVERY_SECOND)
    extracted = home.extract()["payments"]
    assert extracted.rows == 500
    assert extracted.unread == ("clerk",)
    ((name, totals),) = home.totals("payments").items()
    content = (home.landing / "payments" / name).read_bytes()
    assert totals == {
        "rows": 500,
        "sha256": hashlib.sha256(content).hexdigest(),
        "sums": {"amount": str(sum(Decimal("0.37") * n for n in range(1, 501)))},
    }
    (judged,) = load_all(home, tmp_path / "lakes")
    assert judged.reasons == []
    assert judged.unknown_columns == ()
    assert {row["payment_id"] for row in judged.rows} == {f"P{n}" for n in range(1, 501)}
    seventh = next(row for row in judged.rows if row["payment_id"] == "P7")
    assert seventh["account_id"] == "007"
    assert seventh["invoice_id"] is None
    assert seventh["paid_on"] == dt.date(2024, 3, 7)
    assert seventh["amount"] == Decimal("2.5900")
    assert seventh["payment_method"] == "微信支付 “现金”"


def test_only_what_is_new_is_read_and_nothing_twice(
    database: MariadbServer, home: ExtractHome, tmp_path: Path
) -> None:
    add_payments(database, 1, 40, EVERY_SECOND)
    assert home.extract()["payments"].rows == 40
    assert home.extract()["payments"].files == ()
    add_payments(database, 41, 45, ONE_INSTANT)
    assert home.extract()["payments"].rows == 5
    add_payments(database, 46, 48, ONE_INSTANT)
    database.execute("update billing.payment set amount = -9.99 where payment_id = 'P41'")
    assert home.extract()["payments"].rows == 4, "three new ones and the one that changed"
    assert [totals["rows"] for totals in home.totals("payments").values()] == [40, 5, 4]
    loaded = [row for judged in load_all(home, tmp_path / "lakes") for row in judged.rows]
    assert sorted(row["payment_id"] for row in loaded) == sorted(
        [f"P{n}" for n in range(1, 49)] + ["P41"]
    )
    assert [row["amount"] for row in loaded if row["payment_id"] == "P41"] == [
        Decimal("15.1700"),
        Decimal("-9.9900"),
    ]


def test_values_that_do_not_fit_the_contract_arrive_whole_for_the_loader_to_judge(
    database: MariadbServer, home: ExtractHome, tmp_path: Path
) -> None:
    add_payments(database, 1, 3, EVERY_SECOND)
    database.execute(
        "update billing.payment set amount = 12345678.123456 where payment_id = 'P1'",
        "set statement sql_mode = '' for "
        "update billing.payment set paid_on = '0000-00-00' where payment_id = 'P3'",
    )
    assert home.extract()["payments"].rows == 3
    judged = load_all(home, tmp_path / "lakes")
    assert sorted(reason for each in judged for reason in each.reasons) == [
        "amount: '12345678.123456' has more than 2 decimals",
        "paid_on: '0000-00-00' is not a date (YYYY-MM-DD)",
    ]
    assert [row["payment_id"] for each in judged for row in each.rows] == ["P2"]


def test_a_query_is_read_like_a_table_and_cannot_write(
    database: MariadbServer, home: ExtractHome, tmp_path: Path
) -> None:
    add_payments(database, 1, 20, EVERY_SECOND)
    home.declare(
        '[extract.billing.feeds.payments]\ncursor = "number"\nquery = """\n'
        "select payment_id, `Account No` as account_id, paid_on, @@tx_read_only as amount,\n"
        "  concat('a:b ', payment_method) as payment_method,\n"
        "  cast(substr(payment_id, 2) as unsigned) as number\n"
        "from payment where payment_method like '微信%' and payment_id <> 'P5'\n\"\"\"\n"
    )
    assert home.extract()["payments"].rows == 19
    (judged,) = load_all(home, tmp_path / "lakes")
    assert {row["payment_method"] for row in judged.rows} == {"a:b 微信支付 “现金”"}
    assert {row["amount"] for row in judged.rows} == {1}, "the transaction is read-only"
    assert home.extract()["payments"].rows == 0


def test_memory_does_not_grow_with_the_rows(database: MariadbServer, tmp_path: Path) -> None:
    peaks = []
    for rows in (40_000, 240_000):
        home = ExtractHome(tmp_path / str(rows))
        home.folder.mkdir()
        home.declare(
            '[extract.billing.feeds.payments]\ncursor = "seq"\nquery = """\n'
            "select concat('P', seq) as payment_id, 'A' as account_id, date '2025-01-01' as "
            "paid_on, seq * 0.01 as amount, repeat(seq, 20) as payment_method, seq\n"
            f'from seq_1_to_{rows}\n"""\n'
        )
        peaks.append(peak_memory(home))
        assert home.rows("payments", "count(*)") == [(rows,)]
    assert peaks[1] - peaks[0] < 80, f"{peaks} MB; 200,000 rows more are 200 MB at once"


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        (PAYMENTS.replace('"payment"', '"paid"'), "Table 'billing.paid' doesn't exist"),
        (PAYMENTS.replace('"changed_at"', '"changed"'), "has no cursor column changed; it has"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    database: MariadbServer, home: ExtractHome, feeds: str, said: str
) -> None:
    home.declare(feeds)
    with pytest.raises(ConfigurationError) as fault:
        home.extract()
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("wrong", ["password", "port"])
def test_an_address_that_leads_nowhere_is_told_without_its_password(
    database: MariadbServer, home: ExtractHome, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    old, new = {
        "password": (PASSWORD, f"{PASSWORD}x"),
        "port": (f":{database.port}/", ":1/"),
    }[wrong]
    monkeypatch.setenv(DSN_VARIABLE, database.dsn.replace(old, new))
    with pytest.raises(ConfigurationError, match=r"mysql://127\.0\.0\.1:\d+/billing") as fault:
        home.extract()
    assert "cannot be reached" in str(fault.value)
    assert PASSWORD not in str(fault.value)
    assert "\n" not in str(fault.value)
