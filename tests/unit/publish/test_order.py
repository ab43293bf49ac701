"""How rows lie in a publication: a month's together, then by key."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.publish.publication import readers_database
from orchestration.publish.writing import stored_order
from tests.support.publications import home_with


@pytest.mark.parametrize(
    ("key", "order"),
    [
        (("customer_id", "month"), ("month", "customer_id")),
        (
            ("customer_id", "account_id", "product_code", "month"),
            ("month", "customer_id", "account_id", "product_code"),
        ),
        (("month", "region_code"), ("month", "region_code")),
        (("customer_id", "valid_from"), ("customer_id", "valid_from")),
        ((), ()),
    ],
)
def test_the_month_comes_first_and_the_rest_as_it_was(
    key: tuple[str, ...], order: tuple[str, ...]
) -> None:
    assert stored_order(key) == order


def test_the_rows_of_a_month_lie_together_in_both_files(tmp_path: Path) -> None:
    home = home_with(tmp_path, publications=1)
    database = readers_database(home)
    with duckdb.connect(str(database), read_only=True) as connection:
        in_duckdb = connection.execute(
            "select month, customer_id from marts.customer_monthly order by rowid"
        ).fetchall()
    parquet = pq.read_table(database.parent / "parquet" / "marts" / "customer_monthly")
    in_parquet = list(
        zip(parquet["month"].to_pylist(), parquet["customer_id"].to_pylist(), strict=True)
    )
    assert len({month for month, _ in in_duckdb}) > 1
    assert in_duckdb == sorted(in_duckdb)
    assert in_parquet == in_duckdb
