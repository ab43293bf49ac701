"""What senders declare of their files is kept in the ledger, with what was found."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import DataBlockedError
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.lake import Lake
from tests.support.loading import SmallOperator

ROOT = Path(__file__).parents[3]
HEADER = "payment_id,account_id,paid_on,amount,payment_method\n"
# P1 twice, P2 of no date, and 197 sound rows besides P1.
ROWS = (
    HEADER
    + "P1,A-C1,2025-03-02,1.50,card\n" * 2
    + "P2,A-C1,yesterday,2.25,card\n"
    + "".join(f"P{number},A-C1,2025-03-02,1.00,card\n" for number in range(3, 200))
)


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    return SmallOperator(tmp_path)


def declare(operator: SmallOperator, **totals: Any) -> None:
    control = operator.landing / "payments" / "_control.json"
    control.write_text(json.dumps({"files": {"x.csv": totals}}))


def kept(operator: SmallOperator) -> list[tuple[Any, ...]]:
    """The declared totals in the ledger, with the status of their files."""
    totals = Lake(operator.home).control_totals
    return operator.query(
        "select ledger.status, totals.measure, declared, totals.loaded, totals.quarantined, "
        f"totals.duplicate from read_parquet('{totals}/*.parquet') as totals "
        "inner join ledger using (load_id, run_id, feed, file_name) order by all"
    )


def test_totals_are_kept_by_what_became_of_the_rows(operator: SmallOperator) -> None:
    operator.write("payments", "x.csv", ROWS)
    declare(operator, rows=200, sums={"amount": "202.25"})
    operator.load()
    assert kept(operator) == [
        ("loaded", "amount", *map(Decimal, ("202.25", "198.50", "2.25", "1.50"))),
        ("loaded", "rows", *map(Decimal, (200, 198, 1, 1))),
    ]
    operator.load()
    assert len(kept(operator)) == 2, "a file that was loaded before declares nothing new"


def test_totals_that_are_not_met_are_kept_with_what_was_found(operator: SmallOperator) -> None:
    operator.write("payments", "x.csv", ROWS)
    declare(operator, rows=200, sums={"amount": "202.26"})
    with pytest.raises(DataBlockedError, match=r"amount adds up to 202\.26, it is 202\.25"):
        operator.load()
    amount, rows = kept(operator)
    assert amount[:3] == ("rejected", "amount", Decimal("202.26"))
    assert sum(amount[3:]) == Decimal("202.25")
    assert rows[2] == sum(rows[3:])


def test_totals_of_a_file_that_was_never_read_are_kept_alone(operator: SmallOperator) -> None:
    declare(operator, rows=7)
    with pytest.raises(DataBlockedError, match="announces it, but it is not there"):
        operator.load()
    assert kept(operator) == [("rejected", "rows", Decimal(7), None, None, None)]


def test_totals_without_their_ledger_are_swept(operator: SmallOperator) -> None:
    operator.write("payments", "x.csv", ROWS)
    declare(operator, rows=200)
    operator.load()
    lake = Lake(operator.home)
    (path,) = lake.control_totals.glob("run-*.parquet")
    orphan = path.with_name("run-of-a-killed-loader.parquet")
    orphan.write_bytes(path.read_bytes())
    operator.load()
    assert not orphan.exists()
    assert path.exists()


@pytest.mark.parametrize(
    "totals",
    [
        {"sums": {"amount": "1e29"}},
        {"sums": {"amount": "0.0000000001"}},
        {"rows": 10**29},
    ],
)
def test_totals_that_no_ledger_could_hold_are_no_totals(
    operator: SmallOperator, totals: dict[str, Any]
) -> None:
    operator.write("payments", "x.csv", ROWS)
    declare(operator, **totals)
    with pytest.raises(DataBlockedError, match="are not of the form"):
        operator.load()


def test_staging_offers_every_sum_that_a_sender_may_declare() -> None:
    folder = ROOT / "dbt_project/models/intermediate/reconciliation"
    model = (folder / "int_declared_totals_compared.sql").read_text(encoding="utf-8")
    listed = model.partition("} -%}")[0]
    feeds = {part.partition("'")[0]: part for part in listed.split("\n    '")[1:]}
    assert feeds.keys() == feed_contract().keys()
    for name, feed in feed_contract().items():
        for column in feed.columns:
            is_number = column.precision_and_scale is not None or column.type == "integer"
            assert (f"'{column.name}'" in feeds[name]) == is_number, f"{name}.{column.name}"
