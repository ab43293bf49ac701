"""What stands in a landing folder: deliveries, strangers, things in a file's place."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.ingest.contract import feed_contract
from orchestration.ingest.landing import survey


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_are_found_at_any_depth_and_named_below_their_feed(tmp_path: Path) -> None:
    for name in ("a.csv", "2025/01/b.csv.gz", "2025/c.PARQUET"):
        put(tmp_path / "charges" / name)
    landing = survey(tmp_path, feed_contract())
    found = [(file.name, file.format, file.fault) for file in landing.files["charges"]]
    assert found == [
        ("2025/01/b.csv.gz", "csv.gz", None),
        ("2025/c.PARQUET", "parquet", None),
        ("a.csv", "csv", None),
    ]
    assert landing.warnings == ()


def test_strangers_are_reported_and_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "charges" / "a.csv")
    put(tmp_path / "charges" / "notes.txt")
    put(tmp_path / "charges" / ".a.csv")
    put(tmp_path / "charges" / "_SUCCESS")
    put(tmp_path / "bills" / "b.csv")
    put(tmp_path / "README")
    landing = survey(tmp_path, feed_contract())
    assert [file.name for file in landing.files["charges"]] == ["a.csv"]
    assert landing.warnings == (
        "landing: the file 'README' belongs to no feed; left alone",
        "landing: the folder 'bills' belongs to no feed; left alone",
        "charges: '.a.csv' is hidden; left alone",
        "charges: 'notes.txt' is of no known type (.csv, .csv.gz, .parquet); left alone",
    )


def test_things_in_a_files_place_are_faults(tmp_path: Path) -> None:
    put(tmp_path / "charges" / "folder.parquet" / "part-0.parquet")
    os.mkfifo(tmp_path / "charges" / "pipe.csv")
    (tmp_path / "charges" / "gone.csv").symlink_to(tmp_path / "nothing")
    put(tmp_path / "charges" / "bell\x07.csv")
    (tmp_path / "charges" / os.fsdecode(b"\xff.csv")).write_text("x")
    landing = survey(tmp_path, feed_contract())
    odd_name = "its name holds characters that cannot be printed; deliver it under another name"
    assert {file.name: file.fault for file in landing.files["charges"]} == {
        "\\xff.csv": odd_name,
        "bell\\x07.csv": odd_name,
        "folder.parquet": "it is a folder in a file's place",
        "gone.csv": "it is a link to nothing",
        "pipe.csv": "it is a special file (pipe, socket or device), not a regular one",
    }


def test_control_totals_go_with_their_file(tmp_path: Path) -> None:
    put(tmp_path / "charges" / "sub" / "a.csv")
    spec = {"rows": 3, "sums": {"amount": "1.50"}, "sha256": "AB"}
    control = {"files": {"sub/a.csv": spec, "missing.csv": {"rows": 1}}}
    put(tmp_path / "charges" / "_control.json", json.dumps(control))
    landing = survey(tmp_path, feed_contract())
    (file,) = landing.files["charges"]
    assert file.totals is not None
    assert file.totals.rows == 3
    assert file.totals.sums == {"amount": Decimal("1.50")}
    assert file.totals.sha256 == "ab"
    assert landing.warnings == ("charges: _control.json names 'missing.csv', which is not there",)


@pytest.mark.parametrize("text", ["{", "[]", '{"files": 3}', '{"files": {"a.csv": {"rows": "x"}}}'])
def test_control_file_that_cannot_be_understood_refuses_the_files(
    tmp_path: Path, text: str
) -> None:
    put(tmp_path / "charges" / "a.csv")
    put(tmp_path / "charges" / "_control.json", text)
    (file,) = survey(tmp_path, feed_contract()).files["charges"]
    assert file.fault is not None
    assert file.fault.startswith("the control totals beside it (_control.json) are not of the form")
