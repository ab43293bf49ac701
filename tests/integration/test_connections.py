"""How people connect: each way shown to work, and to see whole publications during a run."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest
import sqlalchemy as sa

from tests.support.command import clean_environment, run_job, tierwise
from tests.support.landing import month_at, write_month, write_small_operator
from tests.support.postgres import postgres_server, server_programs

READERS = 10
TOTAL = Decimal("19637.0000")  # two months of four customers

# What a reader of one publication gets at once: figures that belong together, and its run.
READER = """
import sys, time
from pathlib import Path

home, way, stop = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
current = home / "published" / "current"
QUERY = '''
select
    (select max(run_id) from audit.run),
    (select sum(revenue) from marts.customer_monthly),
    (select sum(revenue) from marts.fct_revenue_monthly),
    (select sum(revenue) from marts.region_summary_monthly where region_level = 'group')
'''

def by_duckdb():
    import duckdb
    with duckdb.connect(str(current / "tierwise.duckdb"), read_only=True) as connection:
        return connection.execute(QUERY).fetchone()

def by_sqlalchemy():
    import sqlalchemy
    engine = sqlalchemy.create_engine(
        f"duckdb:///{current}/tierwise.duckdb", connect_args={"read_only": True}
    )
    with engine.connect() as connection:
        row = tuple(connection.execute(sqlalchemy.text(QUERY)).one())
    engine.dispose()
    return row

def by_parquet():
    import pyarrow.compute as pc, pyarrow.dataset as ds
    parquet = current.resolve() / "parquet"
    def table(name):
        return ds.dataset(parquet / name.replace(".", "/")).to_table()
    regions = table("marts.region_summary_monthly")
    group = regions.filter(pc.equal(regions["region_level"], "group"))
    tables = table("marts.customer_monthly"), table("marts.fct_revenue_monthly"), group
    run = pc.max(table("audit.run")["run_id"]).as_py()
    return (run, *(pc.sum(each["revenue"]).as_py() for each in tables))

read = {"duckdb": by_duckdb, "sqlalchemy": by_sqlalchemy, "parquet": by_parquet}[way]
seen = {}
while True:
    ending = stop.exists()
    row = read()
    seen[row] = seen.get(row, 0) + 1
    if ending:
        break
    time.sleep(0.2)
for (run, *sums), times in seen.items():
    assert len(set(sums)) == 1, (run, sums)
    print(run, sums[0], times)
"""


@dataclass(frozen=True)
class Rebuilt:
    """A home that published twice while ten readers looped; `seen` is what they saw.

    The second run keeps one publication and, where there is a server, fills PostgreSQL.
    """

    home: Path
    runs: tuple[str, str]
    seen: list[dict[str, tuple[Decimal, int]]]
    faults: list[str]
    in_postgres: list[tuple[object, ...]] | None


def in_postgres(dsn: str) -> list[tuple[object, ...]]:
    engine = sa.create_engine(dsn.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("select count(*), sum(revenue) from marts.customer_monthly")
        ).all()
    engine.dispose()
    return [tuple(row) for row in rows]


def rebuild(folder: Path, dsn: str | None) -> Rebuilt:
    landing, reference = write_small_operator(folder, months=2)
    home, stop = folder / "home", folder / "stop"
    first = run_job(home, landing, reference)
    assert first.returncode == 0, first.stdout + first.stderr
    current = home / "published" / "current"
    before = current.readlink().name
    ways = ["duckdb", "sqlalchemy", "parquet", "duckdb", "parquet"] * 2
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, home, way, stop],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(),
        )
        for way in ways[:READERS]
    ]
    write_month(landing, month_at(2))
    environment = {"TIERWISE_PUBLICATIONS_KEPT": "1"}
    if dsn:
        environment |= {"TIERWISE_POSTGRES_DSN_VARIABLE": "MARTS_DSN", "MARTS_DSN": dsn}
    try:
        second = tierwise(
            *("run", "--home", home, "--landing", landing, "--reference", reference),
            **environment,
        )
        time.sleep(1)
    finally:
        stop.touch()
        outcomes = [reader.communicate(timeout=120) for reader in readers]
    assert second.returncode == 0, second.stdout + second.stderr
    seen = []
    for told, _ in outcomes:
        lines = [line.split() for line in told.splitlines()]
        seen.append({run: (Decimal(total), int(times)) for run, total, times in lines})
    return Rebuilt(
        home,
        (before, current.readlink().name),
        seen,
        [error for _, error in outcomes if error],
        in_postgres(dsn) if dsn else None,
    )


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Rebuilt:
    folder = tmp_path_factory.mktemp("connections")
    if server_programs() is None:
        return rebuild(folder, None)
    with postgres_server() as server:
        return rebuild(folder, server.dsn)


def test_ten_readers_see_only_whole_publications_during_a_rebuild(rebuilt: Rebuilt) -> None:
    assert rebuilt.faults == []
    before, after = rebuilt.runs
    assert len(rebuilt.seen) == READERS
    for seen in rebuilt.seen:
        assert set(seen) == {before, after}, "each saw the old one, then the new one"
        assert seen[before][0] == TOTAL
        assert seen[after][0] > TOTAL
    assert sum(seen[before][1] for seen in rebuilt.seen) > 5 * READERS


def test_the_publication_let_go_does_not_hinder_verify_and_reproduce(rebuilt: Rebuilt) -> None:
    before, after = rebuilt.runs
    assert not (rebuilt.home / "published" / before).exists()
    verified = tierwise("audit", "verify", "--home", rebuilt.home)
    assert verified.returncode == 0, verified.stdout
    assert f"let go {before}, by run {after}. The evidence stays." in verified.stdout
    again = tierwise("audit", "reproduce", after, "--home", rebuilt.home)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "each the same" in again.stdout


@pytest.mark.skipif(
    server_programs() is None,
    reason="PostgreSQL is not installed (Debian: apt-get install postgresql)",
)
def test_postgresql_serves_the_run_that_the_settings_told_to_load_it(rebuilt: Rebuilt) -> None:
    marts = rebuilt.home / "published" / "current" / "tierwise.duckdb"
    with duckdb.connect(str(marts), read_only=True) as connection:
        expected = connection.execute(
            "select count(*), sum(revenue) from marts.customer_monthly"
        ).fetchall()
    assert rebuilt.in_postgres == expected


def expected_revenue(home: Path) -> Decimal:
    with duckdb.connect(
        str(home / "published" / "current" / "tierwise.duckdb"), read_only=True
    ) as connection:
        row = connection.execute("select sum(revenue) from marts.customer_monthly").fetchone()
    assert row is not None
    assert isinstance(row[0], Decimal)
    return row[0]


def test_duckdb_reads_and_cannot_write(rebuilt: Rebuilt) -> None:
    marts = rebuilt.home / "published" / "current" / "tierwise.duckdb"
    with duckdb.connect(str(marts), read_only=True) as connection:
        assert connection.execute("select count(*) from marts.dim_customer").fetchone() == (4,)
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("delete from marts.dim_customer")


def test_sqlalchemy_reads_and_finds_every_table(rebuilt: Rebuilt) -> None:
    expected = expected_revenue(rebuilt.home)
    engine = sa.create_engine(
        f"duckdb:///{rebuilt.home}/published/current/tierwise.duckdb",
        connect_args={"read_only": True},
    )
    tables = sa.inspect(engine).get_table_names(schema="marts")
    assert "customer_monthly" in tables
    with engine.connect() as connection:
        total = connection.execute(sa.text("select sum(revenue) from marts.customer_monthly"))
        assert total.scalar_one() == expected
    engine.dispose()


def test_pandas_reads_parquet_and_sql(rebuilt: Rebuilt) -> None:
    current = rebuilt.home / "published" / "current"
    frame = pd.read_parquet(current / "parquet" / "marts" / "customer_monthly")
    assert frame["revenue"].sum() == expected_revenue(rebuilt.home)
    engine = sa.create_engine(
        f"duckdb:///{current}/tierwise.duckdb", connect_args={"read_only": True}
    )
    by_sql = pd.read_sql("select customer_id, month from marts.customer_monthly", engine)
    assert len(by_sql) == len(frame)
    engine.dispose()


def test_pyarrow_and_polars_read_parquet(rebuilt: Rebuilt) -> None:
    folder = rebuilt.home / "published" / "current" / "parquet" / "marts" / "customer_monthly"
    assert pc.sum(ds.dataset(folder).to_table()["revenue"]).as_py() == (
        expected_revenue(rebuilt.home)
    )
    frame = pl.scan_parquet(folder).select(pl.col("revenue").sum()).collect()
    assert frame.item() == expected_revenue(rebuilt.home)
