"""Rows on their way to the lake: in the file's order and numbered, whatever the threads."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.ingest import staging
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.lake import Lake
from tests.support.loading import judge

ROWS = 150_000  # with this width several of the pieces in which the engine reads and writes
HEADER = "payment_id,account_id,paid_on,amount\n"
ACCOUNT = "A" * 80


def payments(folder: Path, fault: int | None) -> Path:
    """A file of payments numbered by key, one row with an amount that is none."""
    path = folder / "payments.csv"
    with path.open("w") as stream:
        stream.write(HEADER)
        stream.writelines(
            f"{n},{ACCOUNT},2025-03-02,{'x' if n == fault else '1.50'}\n"
            for n in range(1, ROWS + 1)
        )
    return path


@pytest.mark.parametrize("fault", [None, ROWS - 1], ids=["sound", "a faulty row"])
def test_rows_keep_their_numbers(tmp_path: Path, fault: int | None) -> None:
    judged = judge("payments", payments(tmp_path, fault), tmp_path / "home", threads=4)
    assert judged.counts.in_file == ROWS
    assert [row["row_number"] for row in judged.quarantine] == ([fault] if fault else [])
    assert len(judged.rows) == ROWS - len(judged.quarantine)
    assert all(row["payment_id"] == str(row["_row_number"]) for row in judged.rows)


@pytest.mark.parametrize("fault", [None, ROWS - 1], ids=["sound", "a faulty row"])
def test_threads_do_not_change_a_byte(tmp_path: Path, fault: int | None) -> None:
    path = payments(tmp_path, fault)
    written: list[bytes] = []
    for threads in (1, 4):
        home = tmp_path / f"{threads}"
        judge("payments", path, home, threads=threads)
        written += [file.read_bytes() for file in Lake(home).raw("payments").rglob("*.parquet")]
    one, four = written
    assert one == four


FORMS = {"csv": "format csv, header", "ndjson": "format json", "parquet": "format parquet"}
KEPT_IN_ORDER_BY_ALL = "BATCH_COPY_TO_FILE"  # the plan that COPY_TO_FILE alone is not


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("feed", feed_contract())
def test_every_file_is_read_and_written_on_all_processors(
    feed: str, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"{feed}.{form}"
    values = ", ".join(f"'x' as {column.name}" for column in feed_contract()[feed].columns)
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {values}) to '{path}' ({FORMS[form]})")
    plans: list[str] = []
    copied = staging._copied

    def watched(
        connection: duckdb.DuckDBPyConnection, select: str, target: Path, options: str
    ) -> int | None:
        plan = connection.execute(f"explain copy ({select}) to '{target}' ({options})").fetchall()
        plans.append(plan[0][1])
        return copied(connection, select, target, options)

    monkeypatch.setattr(staging, "_copied", watched)
    assert judge(feed, path, tmp_path / "home").counts.quarantined == 1
    assert len(plans) == 2, "as a sound file, and with reasons"
    assert all(KEPT_IN_ORDER_BY_ALL in plan for plan in plans)
