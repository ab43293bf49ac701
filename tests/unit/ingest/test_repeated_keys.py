"""Several rows with one key in one file: equal ones count once, different ones not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.loading import Judged, judge

HEADER = "payment_id,account_id,paid_on,amount"
VERSIONED = "manager_id,manager_name,region_code,updated_at"


def of_lines(folder: Path, *lines: str, feed: str = "payments") -> Judged:
    path = folder / f"{feed}.csv"
    path.write_text("\n".join([HEADER if feed == "payments" else VERSIONED, *lines]) + "\n")
    return judge(feed, path, folder / "home")


def test_equal_rows_count_once_and_the_first_is_kept(tmp_path: Path) -> None:
    judged = of_lines(tmp_path, "P1,A1,2025-01-02,5", "P2,A1,2025-01-02,6", "P1,A1,2025-01-02,5.00")
    assert [(row["payment_id"], row["_row_number"]) for row in judged.rows] == [
        ("P1", 1),
        ("P2", 2),
    ]
    assert (judged.counts.in_file, judged.counts.duplicate) == (3, 1)
    assert judged.quarantine == []


def test_different_rows_with_one_key_are_all_quarantined(tmp_path: Path) -> None:
    judged = of_lines(
        tmp_path,
        "P1,A1,2025-01-02,5",
        "P1,A1,2025-01-02,5",
        "P1,A1,2025-01-02,7",
        "P2,A1,2025-01-02,6",
    )
    assert [row["payment_id"] for row in judged.rows] == ["P2"]
    assert [row["row_number"] for row in judged.quarantine] == [1, 2, 3]
    assert set(judged.reasons) == {"payment_id: 'P1' stands on 3 rows of the file that differ"}
    assert judged.counts.duplicate == 0


def test_a_faulty_row_puts_the_sound_one_of_its_key_in_doubt(tmp_path: Path) -> None:
    judged = of_lines(tmp_path, "P1,A1,2025-01-02,5", "P1,A1,2025-01-02,x")
    assert judged.rows == []
    assert judged.reasons == [
        "payment_id: 'P1' stands on 2 rows of the file that differ",
        "amount: 'x' is not a number; payment_id: 'P1' stands on 2 rows of the file that differ",
    ]


def test_rows_without_a_key_do_not_clash(tmp_path: Path) -> None:
    judged = of_lines(tmp_path, ",A1,2025-01-02,5", ",A1,2025-01-02,6")
    assert judged.reasons == ["payment_id: a value is required"] * 2


def test_versions_of_one_key_stand_side_by_side(tmp_path: Path) -> None:
    judged = of_lines(
        tmp_path,
        "M1,Li,GD,2025-01-01 00:00:00",
        "M1,Li,GD,2025-02-01 00:00:00",
        "M1,Li,ZJ,2025-02-01 00:00:00",
        feed="managers",
    )
    assert [row["_row_number"] for row in judged.rows] == [1]
    assert (
        judged.reasons
        == [
            "manager_id, updated_at: 'M1, 2025-02-01 00:00:00' stands on 2 rows of the file that "
            "differ"
        ]
        * 2
    )
    assert "Li" not in judged.quarantine[0]["row_json"]


@pytest.mark.parametrize("keys_at_once", [1, 2, 5])
def test_keys_are_compared_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys_at_once: int
) -> None:
    monkeypatch.setattr("orchestration.ingest.judged_rows.KEYS_AT_ONCE", keys_at_once)
    lines = [f"P{number % 7},A1,2025-01-02,{number // 13}" for number in range(14)]
    judged = of_lines(tmp_path, *lines)
    assert [row["payment_id"] for row in judged.rows] == [f"P{number}" for number in range(6)]
    assert judged.counts.duplicate == 6
    assert [row["row_number"] for row in judged.quarantine] == [7, 14]
