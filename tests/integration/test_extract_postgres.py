"""Extraction from a real PostgreSQL: exact, incremental, restartable, in bounded memory."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pytest

from orchestration.errors import ConfigurationError
from orchestration.extract import delivery
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.landing import survey
from orchestration.ingest.load import load
from orchestration.settings import load_settings
from tests.support.command import TIERWISE, clean_environment, tierwise
from tests.support.extracting import DSN_VARIABLE, ExtractHome, peak_memory
from tests.support.loading import SmallOperator, judge
from tests.support.postgres import PASSWORD, PostgresServer, postgres_server, server_programs

pytestmark = pytest.mark.skipif(
    server_programs() is None,
    reason="PostgreSQL is not installed (Debian: apt-get install postgresql)",
)

CHARGES = """
[extract.billing.feeds.charges]
table = "billing.charge"
cursor = "updated_at"
columns = { invoice_id = "Bill No" }
"""
GENERATED = """
[extract.billing.feeds.charges]
cursor = "n"
query = '''
    select 'H' || n as charge_id, 'I' || n as invoice_id, 'MOBILE' as product_code,
        'usage' as charge_type, n * 0.01 as amount, {unit} as unit, n
    from generate_series(1, {rows}) as n
'''
"""
CREATE_CHARGE = """
create table billing.charge (
    charge_id text primary key, "Bill No" text, subscription_id text, product_code text,
    charge_type text, amount numeric(18, 4), quantity numeric, unit text,
    clerk text, updated_at timestamptz
)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def database(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    monkeypatch.setenv(DSN_VARIABLE, server.dsn)
    server.execute("drop schema if exists billing cascade", "create schema billing", CREATE_CHARGE)
    return server


@pytest.fixture
def home(tmp_path: Path) -> ExtractHome:
    home = ExtractHome(tmp_path)
    home.declare(CHARGES)
    return home


def add_charges(server: PostgresServer, first: int, last: int, updated_at: str) -> None:
    """Charges of those numbers; `n` in `updated_at` stands for the number."""
    server.execute(
        "insert into billing.charge select 'H' || n, 'I' || n, 'S' || n, 'MOBILE', 'recurring', "
        f"n * 0.37, n * 1.25, 'min', 'Li', {updated_at} from generate_series({first}, {last}) n"
    )


EVERY_SECOND = "timestamptz '2025-01-01 00:00:00+00' + n * interval '1 second'"
ONE_INSTANT = "timestamptz '2025-02-01 00:00:00+00'"


def ids(home: ExtractHome) -> list[str]:
    return [row[0] for row in home.rows("charges", "charge_id", "cast(charge_id[2:] as int)")]


def numbered(first: int, last: int) -> list[str]:
    return [f"H{n}" for n in range(first, last + 1)]


def test_what_the_loader_reads_is_what_the_database_holds(
    database: PostgresServer, home: ExtractHome, tmp_path: Path
) -> None:
    add_charges(database, 1, 500, EVERY_SECOND)
    extracted = home.extract()["charges"]
    assert extracted.rows == 500
    assert extracted.unread == ("clerk",)
    (name,) = extracted.files
    landing = survey(home.landing, feed_contract())
    (file,) = landing.files["charges"]
    assert landing.warnings == ()
    assert file.totals is not None
    assert file.totals.rows == 500
    assert file.totals.sums["amount"] == sum(Decimal("0.37") * n for n in range(1, 501))
    content = (home.landing / "charges" / name).read_bytes()
    assert file.totals.sha256 == hashlib.sha256(content).hexdigest()
    judged = judge("charges", file.path, tmp_path / "lake", totals=file.totals)
    assert judged.reasons == []
    assert judged.unknown_columns == ()
    loaded = {row["charge_id"]: row for row in judged.rows}
    assert loaded["H7"]["invoice_id"] == "I7"
    assert loaded["H7"]["amount"] == Decimal("2.5900")
    assert loaded["H7"]["quantity"] == Decimal("8.7500")


def test_only_what_is_new_is_read_and_nothing_twice(
    database: PostgresServer, home: ExtractHome
) -> None:
    add_charges(database, 1, 40, EVERY_SECOND)
    assert home.extract()["charges"].rows == 40
    assert home.extract()["charges"].files == ()
    add_charges(database, 41, 50, EVERY_SECOND)
    assert home.extract()["charges"].rows == 10
    assert ids(home) == numbered(1, 50)
    assert home.files("charges") == ["billing-00000001.parquet", "billing-00000002.parquet"]
    assert [totals["rows"] for totals in home.totals("charges").values()] == [40, 10]


def test_rows_written_later_under_the_last_cursor_value_are_not_lost(
    database: PostgresServer, home: ExtractHome
) -> None:
    add_charges(database, 1, 5, ONE_INSTANT)
    home.extract()
    add_charges(database, 6, 9, ONE_INSTANT)
    assert home.extract()["charges"].rows == 4
    assert home.extract()["charges"].rows == 0
    add_charges(database, 10, 10, ONE_INSTANT)
    add_charges(database, 11, 12, EVERY_SECOND.replace("2025-01", "2025-03"))
    assert home.extract()["charges"].rows == 3
    assert ids(home) == numbered(1, 12)


def test_a_row_changed_under_the_last_cursor_value_is_delivered_again(
    database: PostgresServer, home: ExtractHome
) -> None:
    add_charges(database, 1, 3, ONE_INSTANT)
    home.extract()
    database.execute("update billing.charge set amount = 9 where charge_id = 'H2'")
    assert home.extract()["charges"].rows == 1
    amounts = home.rows("charges", "amount", "filename, charge_id")
    assert amounts[-1] == (Decimal("9.0000"),)


def test_rows_equal_in_all_that_is_read_are_told_apart_by_their_number(
    database: PostgresServer, home: ExtractHome
) -> None:
    database.execute("alter table billing.charge drop constraint charge_pkey")
    for _ in range(2):
        add_charges(database, 1, 1, ONE_INSTANT)
    assert home.extract()["charges"].rows == 2
    add_charges(database, 1, 1, ONE_INSTANT)
    assert home.extract()["charges"].rows == 1
    assert ids(home) == ["H1", "H1", "H1"]


def test_values_that_do_not_fit_the_contract_arrive_whole_for_the_loader_to_judge(
    database: PostgresServer, home: ExtractHome, tmp_path: Path
) -> None:
    add_charges(database, 1, 1, EVERY_SECOND)
    exact = "12345678901234.123456789012345"
    database.execute(f"update billing.charge set quantity = {exact}")
    home.extract()
    assert home.rows("charges", "quantity") == [(exact,)]
    (totals,) = home.totals("charges").values()
    assert set(totals["sums"]) == {"amount"}
    (name,) = home.files("charges")
    judged = judge("charges", home.landing / "charges" / name, tmp_path / "lake")
    assert judged.reasons == [f"quantity: '{exact}' has more than 4 decimals"]


def test_a_column_turns_to_text_only_from_the_misfit_on(
    database: PostgresServer, home: ExtractHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.extract.database.BATCH_ROWS", 10)
    add_charges(database, 1, 30, EVERY_SECOND)
    database.execute("update billing.charge set quantity = 'NaN' where charge_id = 'H15'")
    extracted = home.extract()["charges"]
    assert len(extracted.files) == 2
    assert ids(home) == numbered(1, 30)
    assert [set(t["sums"]) for t in home.totals("charges").values()] == [
        {"amount", "quantity"},
        {"amount"},
    ]


def test_times_are_told_in_the_operators_zone(database: PostgresServer, home: ExtractHome) -> None:
    database.execute(
        "create table billing.complaint as select 'C' || n as complaint_id, 'K1' as customer_id, "
        "'fault' as kind, 'billing' as category, 'minor' as severity, 'app' as channel, "
        "timestamptz '2025-06-30 17:30:00+00' as opened_at, "
        "timestamp '2025-06-30 17:30:00.123456' as closed_at, 'open' as status, "
        "timestamptz '2025-07-01 00:00:00+02' as updated_at, n from generate_series(1, 2) n"
    )
    feeds = '[extract.billing.feeds.complaints]\ntable = "billing.complaint"\ncursor = "n"'
    local = dt.datetime(2025, 7, 1, 1, 30)
    home.declare(feeds)
    home.extract()
    assert home.rows("complaints", "distinct opened_at, closed_at, updated_at") == [
        (local, dt.datetime(2025, 6, 30, 17, 30, 0, 123456), dt.datetime(2025, 7, 1, 6, 0))
    ]
    other = ExtractHome(home.folder / "utc")
    other.folder.mkdir()
    other.declare(feeds, source='timezone = "UTC"')
    other.extract()
    assert other.rows("complaints", "distinct opened_at, closed_at") == [
        (local, dt.datetime(2025, 7, 1, 1, 30, 0, 123456))
    ]


def test_a_query_is_read_like_a_table(database: PostgresServer, home: ExtractHome) -> None:
    add_charges(database, 1, 20, EVERY_SECOND)
    home.declare(
        '[extract.billing.feeds.payments]\ncursor = "updated_at"\nquery = """\n'
        "select charge_id as payment_id, 'A' || substr(charge_id, 2) as account_id, amount,\n"
        "  date '2025-01-05' as paid_on,\n"
        "  case when unit like 'm%' then 'x:y' end as payment_method,\n"
        "  updated_at::timestamptz as updated_at\n"
        'from billing.charge where updated_at < timestamptz \'2025-01-01 00:00:11+00\';\n"""\n'
    )
    assert home.extract()["payments"].rows == 10
    assert home.rows("payments", "payment_id, paid_on, payment_method")[0] == (
        "H1",
        dt.date(2025, 1, 5),
        "x:y",
    )
    assert home.extract()["payments"].rows == 0


FEEDS = ("customers", "accounts", "subscriptions", "invoices", "charges", "payments")
LOADED = "select * exclude (_load_id, _row_number, _delivery_rank) from raw.{} order by all"


def put_feed(server: PostgresServer, landing: Path, feed: str) -> None:
    """A table of the contract's columns with the rows of a landing folder."""
    columns = {column.name: column.sql_type for column in feed_contract()[feed].columns}
    described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    server.execute(f"create table billing.{feed} ({described}, row_number serial)")
    with duckdb.connect() as connection:
        read = connection.execute(
            f"from read_csv('{landing}/{feed}/*.csv*', all_varchar = true)"
        ).to_arrow_table()
    names = ", ".join(read.column_names)
    places = ", ".join("%s" for _ in read.column_names)
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.cursor().executemany(
            f"insert into billing.{feed} ({names}) values ({places})".encode(),
            [list(row.values()) for row in read.to_pylist()],
        )


def test_an_operators_database_loads_like_the_files_it_would_have_delivered(
    database: PostgresServer, tmp_path: Path
) -> None:
    files = SmallOperator(tmp_path / "files")
    files.load()
    home = ExtractHome(tmp_path / "database")
    home.folder.mkdir()
    for feed in FEEDS:
        put_feed(database, files.landing, feed)
    home.declare(
        "".join(
            f'[extract.billing.feeds.{feed}]\ntable = "billing.{feed}"\ncursor = "row_number"\n'
            for feed in FEEDS
        )
    )
    home.extract()
    settings = load_settings(home.home, landing=home.landing, reference=files.reference)
    now = dt.datetime.now(dt.UTC)
    result = load(settings, run_id="run-1", started_at=now, code_version="test")
    assert result.warnings == ()
    for feed in FEEDS:
        assert result.feeds[feed].rows_quarantined == 0
        assert files.query(LOADED.format(feed), home.home) == files.query(LOADED.format(feed))


class KilledError(BaseException):
    """Stands for a signal: nothing in the extraction catches it."""


def test_killed_at_any_write_and_run_again_each_row_is_delivered_once(
    database: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.extract.database.BATCH_ROWS", 4)
    monkeypatch.setattr(delivery, "ROWS_PER_FILE", 8)
    add_charges(database, 1, 12, EVERY_SECOND)
    add_charges(database, 13, 23, ONE_INSTANT)
    real_replace = Path.replace
    kills = 0
    for write in range(1, 100):
        home = ExtractHome(tmp_path / str(write))
        home.folder.mkdir()
        home.declare(CHARGES)
        done: list[str] = []

        def replace(path: Path, target: Path, done: list[str] = done, at: int = write) -> Path:
            done.append(target.name)
            if len(done) == at:
                raise KilledError
            return real_replace(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace)
            try:
                home.extract()
            except KilledError:
                kills += 1
        for name in home.files("charges"):
            assert home.rows("charges"), f"{name} is half a file"
        home.extract()
        assert ids(home) == numbered(1, 23), f"killed at write {write}: {done[-1]}"
        totals = home.totals("charges")
        assert sorted(totals) == home.files("charges")
        for name, spec in totals.items():
            content = (home.landing / "charges" / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == spec["sha256"]
        if len(done) < write:
            break
    assert kills == 12, "three files, four writes each"


def test_a_process_killed_in_the_middle_leaves_nothing_half(
    database: PostgresServer, home: ExtractHome
) -> None:
    rows = 300_000
    home.declare(GENERATED.format(rows=rows, unit="'min'"))
    arguments = ("extract", "--source", "billing", "--home", home.home, "--landing", home.landing)
    running = subprocess.Popen(
        [TIERWISE, *arguments],
        env={**clean_environment(), DSN_VARIABLE: os.environ[DSN_VARIABLE]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    unfinished = home.landing / "charges" / ".billing.tmp"
    deadline = time.monotonic() + 60
    while not unfinished.exists() and time.monotonic() < deadline and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert unfinished.exists()
    assert home.files("charges") == []
    assert home.extract()["charges"].rows == rows
    assert not unfinished.exists()
    assert home.rows("charges", "count(*), count(distinct charge_id)") == [(rows, rows)]


def test_memory_does_not_grow_with_the_rows(database: PostgresServer, tmp_path: Path) -> None:
    peaks = []
    for rows in (40_000, 240_000):
        home = ExtractHome(tmp_path / str(rows))
        home.folder.mkdir()
        home.declare(GENERATED.format(rows=rows, unit="repeat(n::text, 20)"))
        peaks.append(peak_memory(home))
        assert home.rows("charges", "count(*)") == [(rows,)]
    assert peaks[1] - peaks[0] < 80, f"{peaks} MB; 200,000 rows more are 200 MB at once"


@pytest.mark.parametrize(
    ("feeds", "said"),
    [
        (
            CHARGES.replace("billing.charge", "billing.chargé"),
            'feed charges: relation "billing.chargé" does not exist.',
        ),
        (
            CHARGES.replace('"updated_at"', '"changed_at"'),
            "feed charges: the table billing.charge has no cursor column changed_at; it has "
            "charge_id, Bill No,",
        ),
        (
            CHARGES.replace("Bill No", "bill_no"),
            "feed charges: the table billing.charge has no column bill_no; it has",
        ),
        (
            CHARGES.replace("columns", "# columns"),
            "feed charges: the table billing.charge lacks the required invoice_id; it has",
        ),
        (
            CHARGES.replace('"updated_at"', '"clerk"'),
            "feed charges: the cursor clerk holds text with letters",
        ),
        (
            CHARGES.replace('table = "billing.charge"', 'query = "select 1 frm"').replace(
                "columns", "# columns"
            ),
            "feed charges: the query has no cursor column updated_at",
        ),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    database: PostgresServer, home: ExtractHome, feeds: str, said: str
) -> None:
    add_charges(database, 1, 2, EVERY_SECOND)
    home.declare(feeds)
    with pytest.raises(ConfigurationError) as refused:
        home.extract()
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert home.files("charges") == []


def test_rows_without_a_cursor_are_not_passed_over(
    database: PostgresServer, home: ExtractHome
) -> None:
    add_charges(database, 1, 2, EVERY_SECOND)
    database.execute("update billing.charge set updated_at = null where charge_id = 'H1'")
    with pytest.raises(ConfigurationError, match="the cursor updated_at is null on some rows"):
        home.extract()


def test_a_value_that_cannot_be_read_is_not_quoted(
    database: PostgresServer, home: ExtractHome
) -> None:
    add_charges(database, 1, 2, EVERY_SECOND)
    home.declare(
        '[extract.billing.feeds.charges]\ncursor = "n"\n'
        'query = "select charge_id, charge_id::int as n, product_code, charge_type, amount, '
        "'x' as invoice_id from billing.charge\"\n"
    )
    with pytest.raises(ConfigurationError, match="holds a value that") as refused:
        home.extract()
    assert "H1" not in str(refused.value)


def test_the_command_tells_what_it_did_and_no_password(
    database: PostgresServer, home: ExtractHome
) -> None:
    add_charges(database, 1, 5, EVERY_SECOND)
    arguments = ("extract", "--source", "billing", "--home", home.home, "--landing", home.landing)
    done = tierwise(*arguments, **{DSN_VARIABLE: database.dsn})
    assert done.returncode == 0, done.stderr
    assert "charges: 5 rows in 1 file, read through 2025-01-01 00:00:05+00:00" in done.stdout
    assert "the contract does not know them: clerk" in done.stdout
    wrong = database.dsn.replace(PASSWORD, f"{PASSWORD}-wrong")
    refused = tierwise(*arguments, **{DSN_VARIABLE: wrong})
    assert refused.returncode == 2
    assert "password authentication failed" in refused.stderr
    assert refused.stderr.count("\n") == 1
    kept = [path.read_bytes() for path in home.folder.rglob("*") if path.is_file()]
    for text in (done.stdout, done.stderr, refused.stdout, refused.stderr):
        assert PASSWORD not in text
    assert not any(PASSWORD.encode() in content for content in kept)


def test_the_database_is_only_read(database: PostgresServer, home: ExtractHome) -> None:
    home.declare(
        '[extract.billing.feeds.charges]\ncursor = "updated_at"\n'
        "query = \"select *, 'x' as invoice_id, nextval('billing.n') as n from billing.charge\"\n"
    )
    database.execute("create sequence billing.n")
    add_charges(database, 1, 1, EVERY_SECOND)
    with pytest.raises(ConfigurationError, match="read-only transaction"):
        home.extract()
