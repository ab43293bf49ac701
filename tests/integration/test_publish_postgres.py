"""The publication served from a real PostgreSQL: the same, explained, guarded, never half."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import psycopg
import pytest

from orchestration.errors import ConfigurationError, HomeLockedError
from orchestration.publish.contract import PUBLISHED_SCHEMAS
from orchestration.publish.postgres import serve as serving
from orchestration.publish.postgres.connection import Address
from orchestration.publish.postgres.serve import STAGING, serve
from orchestration.publish.postgres.tables import ServedTable
from orchestration.settings import load_settings
from tests.support.command import tierwise
from tests.support.postgres import PASSWORD, PostgresServer, postgres_server, server_programs
from tests.support.publications import home_with, run_id_of

pytestmark = pytest.mark.skipif(
    server_programs() is None,
    reason="PostgreSQL is not installed (Debian: apt-get install postgresql)",
)
READER_PASSWORD = "nur-lesen"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as started:
        started.execute(f"create role bi login password '{READER_PASSWORD}'")
        yield started


@pytest.fixture
def database(server: PostgresServer) -> PostgresServer:
    """The server with none of the schemas of a publication."""
    for schema in (*PUBLISHED_SCHEMAS, *(STAGING + name for name in PUBLISHED_SCHEMAS), "reports"):
        server.execute(f"drop schema if exists {schema} cascade")
    return server


@pytest.fixture(scope="module")
def publications(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of two publications; every revenue is 1.0001 in one and 2.0001 in the other."""
    home = home_with(tmp_path_factory.mktemp("served"), 2, customers=300)
    return [home.published / run_id_of(number) for number in (1, 2)]


def load(database: PostgresServer, folder: Path, role: str | None = "bi", **more: float) -> int:
    return serve(folder, Address(database.dsn, "--dsn"), role, lambda *step: None, **more)


def rows(database: PostgresServer, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def reader(database: PostgresServer) -> psycopg.Connection:
    dsn = database.dsn.replace(f"tierwise:{PASSWORD}", f"bi:{READER_PASSWORD}")
    return psycopg.connect(dsn, autocommit=True)


def schemas(database: PostgresServer) -> set[object]:
    found = rows(
        database,
        "select nspname from pg_namespace where nspname !~ '^pg_' "
        "and nspname not in ('information_schema', 'public')",
    )
    return {row[0] for row in found}


def test_every_table_has_the_rows_of_the_publication(
    database: PostgresServer, publications: list[Path]
) -> None:
    assert load(database, publications[0]) == 4
    with duckdb.connect(str(publications[0] / "tierwise.duckdb"), read_only=True) as published:
        tables = published.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        assert len(tables) == 4
        for schema, table in tables:
            query = (
                f"select * from {schema}.{table} order by 1, 2"
                if table != "run"
                else (f"select * from {schema}.{table}")
            )
            assert rows(database, query) == published.execute(query).fetchall(), table
    first = rows(database, "select * from marts.customer_monthly order by 1, 2 limit 1")[0]
    moment = dt.datetime(2025, 1, 31, 23, 59, 59, 123456)
    assert first == (
        *("C0000000", dt.date(2025, 1, 1), Decimal("1.0001"), 0.251, True, "gold", moment),
    )
    types = rows(
        database,
        "select format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = 'marts.customer_monthly'::regclass and attnum > 0 order by attnum",
    )
    assert [row[0] for row in types] == [
        *("text", "date", "numeric(18,4)", "double precision", "boolean", "text"),
        "timestamp without time zone",
    ]


def test_keys_comments_and_grants_are_there(
    database: PostgresServer, publications: list[Path]
) -> None:
    load(database, publications[0])
    keys = rows(
        database,
        "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint "
        "where contype = 'p' and connamespace = 'marts'::regnamespace order by 1",
    )
    assert keys == [
        ("marts.customer_monthly", "PRIMARY KEY (customer_id, month)"),
        ("marts.dim_customer", "PRIMARY KEY (customer_id)"),
    ]
    comments = rows(
        database,
        "select obj_description('marts.customer_monthly'::regclass), "
        "col_description('marts.customer_monthly'::regclass, 3), "
        "obj_description('marts'::regnamespace, 'pg_namespace')",
    )
    assert comments == [
        (
            "One row per customer and month; it's all there is.",
            "Revenue of the month, in CNY.",
            f"Tierwise publication {publications[0].name}",
        )
    ]
    with reader(database) as connection:
        for table in ("marts.dim_customer", "snapshots.customer_tier_snapshot", "audit.run"):
            assert connection.execute(f"select count(*) from {table}".encode()).fetchone()
        for statement in (
            "insert into audit.run values ('mine')",
            "delete from marts.dim_customer",
            "create table marts.mine (n int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    load(database, publications[1], role=None)
    with reader(database) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from marts.dim_customer")


WHOLE = """
select min(revenue), max(revenue), count(*), (select max(made_by) from marts.dim_customer),
    (select count(*) from snapshots.customer_tier_snapshot where run = 1),
    (select max(run_id) from audit.run)
from marts.customer_monthly
"""


def whole(number: int) -> tuple[object, ...]:
    """What a reader of one publication sees, and of no mixture."""
    money = Decimal(f"{number}.0001")
    return (money, money, 900, number, 300 if number == 1 else 0, run_id_of(number))


def test_readers_see_only_whole_publications(
    database: PostgresServer, publications: list[Path]
) -> None:
    load(database, publications[0])
    seen: list[tuple[object, ...]] = []
    faults: list[BaseException] = []
    stop = threading.Event()

    def statements() -> None:
        with reader(database) as connection:
            while not stop.is_set():
                row = connection.execute(WHOLE).fetchone()
                assert row is not None
                seen.append(row)
                time.sleep(0.05)

    def transactions() -> None:
        """Tables read one after the other belong together too."""
        with reader(database) as connection:
            while not stop.is_set():
                with connection.transaction():
                    first = connection.execute(
                        "select max(made_by) from marts.dim_customer"
                    ).fetchone()
                    time.sleep(0.02)
                    row = connection.execute(WHOLE).fetchone()
                assert row is not None
                assert first == (row[3],)
                seen.append(row)
                time.sleep(0.05)

    def guarded(read: object) -> None:
        try:
            read()  # type: ignore[operator]
        except BaseException as fault:
            faults.append(fault)

    threads = [
        threading.Thread(target=guarded, args=(read,)) for read in (statements, transactions) * 2
    ]
    for thread in threads:
        thread.start()
    try:
        for number in (1, 0, 1):
            load(database, publications[number])
            time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert faults == []
    assert len(seen) > 20
    assert set(seen) == {whole(1), whole(2)}


def test_who_is_at_work_on_the_old_tables_is_waited_for(
    database: PostgresServer, publications: list[Path]
) -> None:
    load(database, publications[0])
    with reader(database) as connection:
        with connection.transaction():
            connection.execute("select * from marts.dim_customer")
            with pytest.raises(ConfigurationError, match="readers held the tables"):
                load(database, publications[1], patience_seconds=1)
            assert connection.execute(WHOLE).fetchone() == whole(1)
        assert connection.execute(WHOLE).fetchone() == whole(1)
    assert schemas(database) == set(PUBLISHED_SCHEMAS)
    load(database, publications[1])
    assert rows(database, WHOLE) == [whole(2)]


@pytest.mark.parametrize("at", ["finish", "batches", "_grant", "_rename"])
def test_a_failure_midway_leaves_the_old(
    database: PostgresServer, publications: list[Path], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    load(database, publications[0])

    def fail(*arguments: object) -> None:
        raise psycopg.OperationalError(f"the server went away with {PASSWORD}")

    monkeypatch.setattr(ServedTable if at in ("finish", "batches") else serving, at, fail)
    with pytest.raises(ConfigurationError, match=r"went away.*untouched") as refused:
        load(database, publications[1])
    assert PASSWORD not in str(refused.value)
    assert rows(database, WHOLE) == [whole(1)]
    monkeypatch.undo()
    load(database, publications[1])
    assert rows(database, WHOLE) == [whole(2)]
    assert schemas(database) == set(PUBLISHED_SCHEMAS)


def test_a_file_cut_short_is_not_served(
    database: PostgresServer, publications: list[Path], tmp_path: Path
) -> None:
    home = home_with(tmp_path, 1, customers=300)
    load(database, publications[1])
    folder = home.published / run_id_of(1)
    short = folder / "parquet" / "audit" / "run" / "run.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy (select '' as run_id where false) to '{short}'")
    with pytest.raises(ConfigurationError, match=r"audit\.run arrived with 0 rows of 1"):
        load(database, folder)
    assert rows(database, WHOLE) == [whole(2)]
    short.unlink()
    with pytest.raises(ConfigurationError, match="not whole"):
        load(database, folder)


def test_what_is_not_ours_is_not_touched(
    database: PostgresServer, publications: list[Path]
) -> None:
    database.execute("create schema audit", "create table audit.ledger (n int)")
    with pytest.raises(ConfigurationError, match="a schema audit that Tierwise did not make"):
        load(database, publications[0])
    assert rows(database, "select count(*) from audit.ledger") == [(0,)]
    database.execute("drop schema audit cascade")
    load(database, publications[0])
    database.execute(
        "create schema reports",
        "create view reports.ours as select customer_id from marts.dim_customer",
    )
    with pytest.raises(ConfigurationError, match=r"reports\.ours reads marts\.dim_customer"):
        load(database, publications[1])
    assert rows(database, "select count(*) from reports.ours") == [(300,)]
    database.execute(
        "drop view reports.ours",
        "create table reports.notes (id text references marts.dim_customer, words text)",
    )
    with pytest.raises(ConfigurationError, match="constraint notes_id_fkey on"):
        load(database, publications[1])
    assert rows(database, WHOLE) == [whole(1)]


def test_two_loads_of_a_database_do_not_meet(
    database: PostgresServer, publications: list[Path]
) -> None:
    with psycopg.connect(database.dsn) as other:
        other.execute("select pg_advisory_lock(%s)", [serving.ADVISORY_LOCK])
        with pytest.raises(HomeLockedError, match="Another publication is being loaded"):
            load(database, publications[0])


def test_the_command_loads_the_current_publication_and_shows_no_password(
    database: PostgresServer, tmp_path: Path
) -> None:
    home = home_with(tmp_path, 1)
    (home.root / "tierwise.toml").write_text(
        'postgres_dsn_variable = "MARTS_DSN"\npostgres_role = "bi"\n'
    )
    command = ("publish", "postgres", "--home", home.root)
    done = tierwise(*command, MARTS_DSN=database.dsn)
    assert done.returncode == 0, done.stderr
    assert f"serves {run_id_of(1)}: 4 tables." in done.stdout
    with reader(database) as connection:
        assert connection.execute("select run_id from audit.run").fetchone() == (run_id_of(1),)

    unset = tierwise(*command)
    assert unset.returncode == 2
    assert "The environment variable MARTS_DSN is not set" in unset.stderr
    texts = [done.stdout, done.stderr]
    for wrong, words in (
        (database.dsn.replace(PASSWORD, f"{PASSWORD}-wrong"), "password authentication failed"),
        (database.dsn.replace("postgresql://", "postgresql:/"), "--dsn holds no address"),
        (database.dsn.replace(f":{database.port}", ":1"), "Connection refused"),
    ):
        refused = tierwise(*command, "--dsn", wrong)
        assert refused.returncode == 2
        assert words in refused.stderr
        assert refused.stderr.count("\n") == 1
        texts += [refused.stdout, refused.stderr]
    no_role = tierwise(*command, "--role", "nobody_known", MARTS_DSN=database.dsn)
    assert no_role.returncode == 2
    assert "has no role nobody_known" in no_role.stderr
    kept = [path.read_bytes() for path in home.root.rglob("*") if path.is_file()]
    assert not any(PASSWORD in text for text in [*texts, no_role.stdout, no_role.stderr])
    assert not any(PASSWORD.encode() in content for content in kept)


def test_an_address_in_place_of_its_variables_name_is_not_shown(tmp_path: Path) -> None:
    address = f"postgresql://tierwise:{PASSWORD}@db/marts"
    (tmp_path / "tierwise.toml").write_text(f'postgres_dsn_variable = "{address}"\n')
    with pytest.raises(ConfigurationError, match="wants the name of an environment") as refused:
        load_settings(tmp_path)
    assert PASSWORD not in str(refused.value)
