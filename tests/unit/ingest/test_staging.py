"""Rows on their way to the lake: in the file's order and numbered, whatever the threads."""

from __future__ import annotations

from pathlib import Path

import pytest

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
