"""Months taken over from the last publication: the same as writing everything anew."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.audit.files import read_manifest
from orchestration.audit.verify import verify_home
from orchestration.home import Home
from orchestration.publish import kept_months
from orchestration.publish.content_hash import content_hash, content_hash_by_month, sum_of_hashes
from orchestration.publish.publication import DATABASE, DATABASE_FOR_READERS, MANIFEST
from tests.support.publications import build_warehouse, home_with, publish

TABLE = "marts.customer_monthly"
PLACE = f"parquet/{TABLE.replace('.', '/')}"
JANUARY, FEBRUARY, MARCH = (f"customer_monthly-2025-0{month}.parquet" for month in (1, 2, 3))


@pytest.fixture(autouse=True)
def small_tables_lie_by_month(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_months, "ROWS_IN_MONTHLY_FILES", 10)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home that has published once."""
    return home_with(tmp_path, publications=1)


def change(home: Home, *statements: str) -> None:
    with duckdb.connect(str(home.warehouse)) as connection:
        for statement in statements:
            connection.execute(statement)


def inodes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (folder / PLACE).iterdir()}


def content(folder: Path) -> dict[str, Any]:
    """All a reader can tell of a publication: rows in their order, comments, files, hashes."""
    with duckdb.connect(str(folder / DATABASE_FOR_READERS), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables() order by all"
        ).fetchall()
        rows = {
            name: connection.execute(f"from {name} order by rowid").fetchall() for name, _ in tables
        }
        comments = connection.execute(
            "select schema_name, table_name, column_name, data_type, comment "
            "from duckdb_columns() order by schema_name, table_name, column_index"
        ).fetchall()
    parquet = folder / "parquet"
    return {
        "tables": tables,
        "rows": rows,
        "columns": comments,
        "outputs": read_manifest(folder / MANIFEST)["outputs"],
        "parquet": {
            path.relative_to(parquet).as_posix(): path.read_bytes()
            for path in parquet.rglob("*.parquet")
        },
    }


def published_whole(home: Home, folder: Path, number: int) -> dict[str, Any]:
    """The content of a publication of the same warehouse by a home that never published."""
    other = Home(folder / "never published")
    other.prepare()
    shutil.copyfile(home.warehouse, other.warehouse)
    return content(publish(other, number).folder)


CHANGES = {
    "the last month differs": (
        [
            f"update {TABLE} set revenue = 9 "
            "where month = date '2025-03-01' and customer_id like '%2'"
        ],
        {JANUARY, FEBRUARY},
    ),
    "a month came": (
        [
            f"insert into {TABLE} select * replace (date '2025-04-01' as month) "
            f"from {TABLE} where month = date '2025-03-01'"
        ],
        {JANUARY, FEBRUARY, MARCH},
    ),
    "a month in between differs": (
        [f"update {TABLE} set tier_code = 'none' where month = date '2025-02-01'"],
        {JANUARY, MARCH},
    ),
    "a month is gone": (
        [f"delete from {TABLE} where month = date '2025-01-01'"],
        {FEBRUARY, MARCH},
    ),
    "a row was put in and another taken out": (
        [
            f"update {TABLE} set customer_id = 'C0000009' "
            "where month = date '2025-03-01' and customer_id like '%4'"
        ],
        {JANUARY, FEBRUARY},
    ),
    "a null became a value": (
        [
            f"update {TABLE} set tier_code = '' "
            "where month = date '2025-02-01' and tier_code is null"
        ],
        {JANUARY, MARCH},
    ),
    "two values changed places": (
        [
            f"update {TABLE} set tier_code = case when tier_code is null then 'gold' end "
            "where month = date '2025-03-01' and substr(customer_id, 8) in ('2', '3')"
        ],
        {JANUARY, FEBRUARY},
    ),
    "rows lie otherwise in the warehouse": (
        [f"create or replace table {TABLE} as from {TABLE} order by hash(customer_id)"],
        {JANUARY, FEBRUARY, MARCH},
    ),
    "only another table differs": (
        ["update marts.dim_customer set made_by = 8"],
        {JANUARY, FEBRUARY, MARCH},
    ),
    "a column came": ([f"alter table {TABLE} add column stars integer"], set()),
    "a column has another type": (
        [f"alter table {TABLE} alter revenue type decimal(18, 5)"],
        set(),
    ),
    "too few rows are left": (
        [f"delete from {TABLE} where customer_id <> 'C0000001'"],
        set(),
    ),
}


@pytest.mark.parametrize(("statements", "taken_over"), CHANGES.values(), ids=CHANGES.keys())
def test_what_comes_out_is_what_publishing_everything_gives(
    home: Home, tmp_path: Path, statements: list[str], taken_over: set[str]
) -> None:
    old = inodes(home.published / "current")
    change(home, *statements)
    after = publish(home, 2).folder
    assert content(after) == published_whole(home, tmp_path, 2)
    new = inodes(after)
    assert {name for name in old.keys() & new.keys() if old[name] == new[name]} == taken_over
    assert verify_home(home).is_right


def test_small_tables_lie_in_one_file(home: Home) -> None:
    parquet = home.published / "current" / "parquet"
    assert {path.name for path in (parquet / "marts/dim_customer").iterdir()} == {
        "dim_customer.parquet"
    }
    assert set(inodes(home.published / "current")) == {JANUARY, FEBRUARY, MARCH}


def test_the_files_of_the_months_in_their_order_are_the_table(home: Home) -> None:
    folder = home.published / "current"
    assert {
        row["month"].isoformat() for row in pq.read_table(folder / PLACE / MARCH).to_pylist()
    } == {"2025-03-01"}
    together = [
        tuple(row.values())
        for path in sorted((folder / PLACE).iterdir())
        for row in pq.read_table(path).to_pylist()
    ]
    assert together == content(folder)["rows"][TABLE]


def change_the_database(folder: Path) -> None:
    (folder / DATABASE).write_bytes((folder / DATABASE).read_bytes() + b"\0")


def change_a_month(folder: Path) -> None:
    path = folder / PLACE / JANUARY
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)


def lose_a_month(folder: Path) -> None:
    (folder / PLACE / FEBRUARY).unlink()


def change_the_manifest(folder: Path) -> None:
    path = folder / MANIFEST
    path.write_text(path.read_text() + "\n")


@pytest.mark.parametrize(
    "damage", [change_the_database, change_a_month, lose_a_month, change_the_manifest]
)
def test_nothing_is_taken_from_a_publication_that_was_changed(
    home: Home, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    before = home.published / "current"
    damage(before.resolve())
    was = inodes(before)
    after = publish(home, 2).folder
    assert content(after) == published_whole(home, tmp_path, 2)
    assert not set(was.values()) & set(inodes(after).values())


def test_a_changed_month_is_told_by_its_row(home: Home) -> None:
    folder = (home.published / "current").resolve()
    path = folder / PLACE / FEBRUARY
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    (difference,) = verify_home(home).differences
    assert difference.place.endswith(FEBRUARY)
    assert "customer_id = C0000000, month = 2025-02-01" in difference.what


def test_publications_that_share_files_are_let_go_one_by_one(tmp_path: Path) -> None:
    home = home_with(tmp_path, publications=1)
    for number in (2, 3):
        publish(home, number, keep=1)
    assert verify_home(home).is_right
    assert set(inodes(home.published / "current")) == {JANUARY, FEBRUARY, MARCH}


def test_the_hash_is_the_sum_of_md5_of_the_rows_as_text(tmp_path: Path) -> None:
    home = Home(tmp_path)
    build_warehouse(home, 1)
    with duckdb.connect(str(home.warehouse)) as connection:
        names = [row[0] for row in connection.execute(f"describe {TABLE}").fetchall()]
        rows = connection.execute(f"select columns(*)::varchar from {TABLE}").fetchall()
        digests = [
            hashlib.md5(
                "\x1f".join(
                    part
                    for name, value in zip(names, row, strict=True)
                    for part in (f"{name}=", "-" if value is None else f"+{value}")
                ).encode()
            ).hexdigest()
            for row in rows
        ]
        upper, lower = (sum(int(digest[at : at + 16], 16) for digest in digests) for at in (0, 16))
        assert any(None in row for row in rows)
        assert content_hash(connection, TABLE) == f"{len(rows)}-{upper:x}-{lower:x}"
        months = content_hash_by_month(connection, TABLE, "month")
        assert list(months) == ["2025-01", "2025-02", "2025-03"]
        assert sum_of_hashes(months.values()) == content_hash(connection, TABLE)
        one = f"(from {TABLE} where month = date '2025-02-01')"
        assert months["2025-02"] == content_hash(connection, one)
        nobody = f"(from {TABLE} where false)"
        assert content_hash(connection, nobody) == sum_of_hashes([]) == "0-0-0"
        assert content_hash_by_month(connection, nobody, "month") == {}


def test_the_hash_of_a_table_never_changes() -> None:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            """
            create table told as
            from (values
                ('C1', date '2025-01-01', 12.5::decimal(18, 4), true, null::boolean,
                    timestamp '2025-02-03 04:05:06', 7::bigint, 0.1::double),
                ('é', date '2025-02-01', null, false, true, null, -1, 1e20),
                ('', null, -0.0001, true, false, null, null, null)
            ) as told(customer_id, month, revenue, is_group, is_ranked, settled_at, products,
                probability)
            """
        )
        assert content_hash(connection, "told") == "3-f538f1163088ac91-129cbb7f377507583"
