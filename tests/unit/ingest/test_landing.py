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
        "charges: 'notes.txt' is of no known type (.csv, .tsv, .ndjson, .jsonl, each also with "
        ".gz or .zst, and .parquet); left alone",
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
    missing, file = landing.files["charges"]
    assert missing.name == "missing.csv"
    assert missing.is_announced_only
    assert missing.fault == "_control.json announces it, but it is not there; deliver it"
    assert file.totals is not None
    assert file.totals.rows == 3
    assert file.totals.sums == {"amount": Decimal("1.50")}
    assert file.totals.sha256 == "ab"
    assert landing.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"files": 3}',
        '{"files": {"a.csv": 3}}',
        '{"files": {"a.csv": {"rows": "x"}}}',
        '{"files": {"a.csv": {"rows": 1.5}}}',
        '{"files": {"a.csv": {"rows": true}}}',
        '{"files": {"a.csv": {"rows": -1}}}',
        '{"files": {"a.csv": {"sums": [1]}}}',
        '{"files": {"a.csv": {"sums": {"amount": "NaN"}}}}',
        '{"files": {"a.csv": {"sums": {"amount": null}}}}',
        '{"files": {"a.csv": {"rows": 1}, "a.csv": {"rows": 2}}}',
        "[" * 100_000,
    ],
    ids=range(13),
)
def test_control_file_that_cannot_be_understood_refuses_the_files(
    tmp_path: Path, text: str
) -> None:
    put(tmp_path / "charges" / "a.csv")
    put(tmp_path / "charges" / "_control.json", text)
    (file,) = survey(tmp_path, feed_contract()).files["charges"]
    assert file.fault is not None
    assert file.fault.startswith("the control totals beside it (_control.json) are not of the form")


@pytest.mark.parametrize("name", ["../a.csv", "/etc/passwd", "sub/../../a.csv", "", "a\\u0000.csv"])
def test_control_file_may_name_nothing_outside_its_feed(tmp_path: Path, name: str) -> None:
    put(tmp_path / "charges" / "a.csv")
    put(tmp_path / "charges" / "_control.json", f'{{"files": {{"{name}": {{"rows": 1}}}}}}')
    (file,) = survey(tmp_path, feed_contract()).files["charges"]
    assert file.fault == (
        "the control totals beside it (_control.json) name a file outside the feed's folder"
    )


def test_things_in_the_place_of_the_control_file_refuse_and_are_never_opened(
    tmp_path: Path,
) -> None:
    for feed in ("charges", "payments", "usage"):
        put(tmp_path / feed / "a.csv")
    os.mkfifo(tmp_path / "charges" / "_control.json")
    (tmp_path / "payments" / "_control.json").mkdir()
    (tmp_path / "usage" / "_control.json").symlink_to(tmp_path / "nothing")
    landing = survey(tmp_path, feed_contract())
    said = {feed: files[0].fault for feed, files in landing.files.items()}
    assert said == {
        "charges": "the control totals beside it (_control.json) are no regular file of at most "
        "64 MiB",
        "payments": "the control totals beside it (_control.json) are no regular file of at most "
        "64 MiB",
        "usage": "the control totals beside it (_control.json) are a link to nothing",
    }


def test_links_are_followed_inside_the_landing_folder_only(tmp_path: Path) -> None:
    outside = put(tmp_path / "outside" / "a.csv")
    landing = tmp_path / "landing"
    inside = put(landing / "charges" / "real" / "a.csv")
    (landing / "charges" / "in.csv").symlink_to(inside)
    (landing / "charges" / "out.csv").symlink_to(outside)
    (landing / "charges" / "circle.csv").symlink_to(landing / "charges" / "circle.csv")
    (landing / "charges" / "folder").symlink_to(outside.parent)
    (landing / "payments").symlink_to(outside.parent)
    found = survey(landing, feed_contract()).files
    assert {file.name: file.fault for file in found["charges"]} == {
        "circle.csv": "it cannot be looked at (Too many levels of symbolic links)",
        "folder": "it is a link to a folder; deliver the files",
        "in.csv": None,
        "out.csv": "it is a link that leads out of the landing folder; deliver the file itself",
        "real/a.csv": None,
    }
    assert [(file.name, file.fault) for file in found["payments"]] == [("a.csv", None)], (
        "the folder of a feed may lie where the operator wants it"
    )
