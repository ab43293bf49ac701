"""Files that are refused whole, each with its reason; lines that are quarantined alone."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.errors import DataBlockedError
from orchestration.ingest.files import FileRefusedError, fingerprint
from orchestration.ingest.rules import sound
from tests.support.loading import SmallOperator, judge

HEADER = "payment_id,account_id,paid_on,amount,payment_method\n"
TABLE = HEADER + "".join(f"P{n},A-C1,2025-03-02,{n}.50,card\n" for n in range(1, 400))


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    return SmallOperator(tmp_path)


def parquet_bytes(folder: Path) -> bytes:
    path = folder / "sound.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'P' || n as payment_id, 'A-C1' as account_id, "
            "date '2025-03-02' as paid_on, cast(n as decimal(18, 2)) as amount "
            f"from range(1, 5000) as numbers(n)) to '{path}'"
        )
    return path.read_bytes()


def refused(operator: SmallOperator, name: str, content: str | bytes) -> str:
    path = operator.write("payments", name, content)
    before = path.read_bytes()
    with pytest.raises(DataBlockedError) as caught:
        operator.load()
    assert caught.value.exit_code == 1
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before, "a delivered file is never touched"
    ((status, reason),) = operator.query(
        f"select status, reason from ledger where feed = 'payments' and file_name = '{name}'"
    )
    assert status == "rejected"
    assert operator.query("select count(*) from raw.payments") == [(9,)]
    return str(reason)


def test_empty_file(operator: SmallOperator) -> None:
    assert refused(operator, "x.csv", "") == "it is empty (0 bytes)"


def test_empty_gzip(operator: SmallOperator) -> None:
    reason = refused(operator, "x.csv.gz", gzip.compress(b""))
    assert reason == "it is empty (0 bytes once decompressed)"


@pytest.mark.parametrize("kept", [0.3, 0.9, -1])
def test_truncated_gzip(operator: SmallOperator, kept: float) -> None:
    whole = gzip.compress(TABLE.encode())
    cut = whole[:-1] if kept < 0 else whole[: int(len(whole) * kept)]
    reason = refused(operator, "x.csv.gz", cut)
    assert reason == "it is a truncated gzip file; deliver it again"


def test_gzip_with_a_wrong_checksum(operator: SmallOperator) -> None:
    whole = bytearray(gzip.compress(TABLE.encode()))
    whole[-8] ^= 255
    reason = refused(operator, "x.csv.gz", bytes(whole))
    assert reason == "it is no sound gzip file (damaged); deliver it again"


def test_plain_text_named_gzip(operator: SmallOperator) -> None:
    assert "no sound gzip file" in refused(operator, "x.csv.gz", TABLE)


def test_gzip_of_several_members_is_read_whole(operator: SmallOperator) -> None:
    row = b"Q1,A-C1,2025-03-02,1,card\n"
    content = gzip.compress(TABLE.encode()) + gzip.compress(row)
    operator.write("payments", "x.csv.gz", content)
    assert operator.load().feeds["payments"].rows_loaded == 9 + 399 + 1


@pytest.mark.parametrize("damage", ["truncated", "no parquet", "hole"])
def test_damaged_parquet(operator: SmallOperator, damage: str) -> None:
    sound = parquet_bytes(operator.folder)
    content = {
        "truncated": sound[: len(sound) // 2],
        "no parquet": TABLE.encode(),
        "hole": sound[:40] + bytes(2000) + sound[2040:],
    }[damage]
    reason = refused(operator, "x.parquet", content)
    assert reason == "it is no sound Parquet file (damaged or truncated)"


def test_missing_required_column(operator: SmallOperator) -> None:
    reason = refused(operator, "x.csv", TABLE.replace("amount", "Betrag"))
    assert reason == (
        "missing required column amount; its header has payment_id, account_id, paid_on, "
        "payment_method and 1 unknown"
    )


def test_missing_header_line_tells_nobodys_data(operator: SmallOperator) -> None:
    reason = refused(operator, "x.csv", "P1,Zhang Secret,2025-03-02,1,card\n")
    assert reason == (
        "missing required columns payment_id, account_id, paid_on, amount; its header has none "
        "of the feed and 5 unknown"
    )


def test_column_delivered_twice(operator: SmallOperator) -> None:
    reason = refused(operator, "x.csv", TABLE.replace("payment_method", "amount"))
    assert reason == "the column amount stands in it twice"


def test_header_in_another_encoding(operator: SmallOperator) -> None:
    table = TABLE.replace("payment_method", "备注").encode("gbk")
    assert refused(operator, "x.csv", table) == (
        "its header is not UTF-8; deliver it as UTF-8, or declare its encoding in sources.toml"
    )


def test_folder_in_a_files_place(operator: SmallOperator) -> None:
    (operator.landing / "payments" / "x.csv").mkdir()
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: it is a folder"):
        operator.load()


def test_pipe_in_a_files_place_is_never_opened(operator: SmallOperator) -> None:
    os.mkfifo(operator.landing / "payments" / "x.csv")
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: it is a special file"):
        operator.load()


def test_no_permission(operator: SmallOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = operator.write("payments", "x.csv", TABLE)
    real_open = Path.open

    def guarded(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: this user has no permission"):
        operator.load()


def test_file_that_grows_while_it_is_read(
    operator: SmallOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = operator.write("payments", "x.csv", TABLE)

    def sound_while_it_grows(*arguments: Any, **options: Any) -> str:
        with path.open("a") as stream:
            stream.write("P999,A-C1,2025-03-02,1,card\n")
        return sound(*arguments, **options)

    monkeypatch.setattr("orchestration.ingest.staging.sound", sound_while_it_grows)
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: it changed while it was read"):
        operator.load()
    assert operator.query("select count(*) from raw.payments") == [(9,)]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"rows": 400}, "its control totals say 400 rows, it has 399"),
        (
            {"sums": {"amount": "1.00"}},
            "its control totals say amount adds up to 1.00, it is 79999.50",
        ),
        (
            {"sums": {"payment_id": "1"}},
            "its control totals name payment_id, which is no numeric column of the feed",
        ),
        ({"sha256": "00"}, "its control totals say SHA-256 00, it is "),
    ],
)
def test_wrong_control_totals(operator: SmallOperator, spec: dict[str, Any], reason: str) -> None:
    control = operator.landing / "payments" / "_control.json"
    control.write_text(json.dumps({"files": {"x.csv": spec}}))
    assert refused(operator, "x.csv", TABLE).startswith(reason)


def test_right_control_totals_are_accepted(operator: SmallOperator) -> None:
    path = operator.write("payments", "x.csv", TABLE)
    sha256 = fingerprint(path, "csv").sha256
    spec = {"rows": 399, "sums": {"amount": "79999.5"}, "sha256": sha256.upper()}
    control = operator.landing / "payments" / "_control.json"
    control.write_text(json.dumps({"files": {"x.csv": spec}}))
    assert operator.load().feeds["payments"].rows_loaded == 9 + 399


@pytest.mark.parametrize(
    "name", ["with space.csv", "quo'te.csv", "star*.csv", "[a-z]?.csv", "账单.csv", "x..csv"]
)
def test_odd_names_are_only_names(operator: SmallOperator, name: str) -> None:
    operator.write("payments", name, TABLE)
    assert operator.load().feeds["payments"].rows_loaded == 9 + 399


def test_link_out_of_the_landing_folder_is_refused(operator: SmallOperator) -> None:
    elsewhere = operator.folder / "elsewhere.csv"
    elsewhere.write_text(TABLE)
    (operator.landing / "payments" / "x.csv").symlink_to(elsewhere)
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: it is a link that leads out"):
        operator.load()


def test_announced_file_that_did_not_arrive_stops_the_run(operator: SmallOperator) -> None:
    control = operator.landing / "payments" / "_control.json"
    control.write_text(json.dumps({"files": {"x.csv": {"rows": 399}}}))
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: _control.json announces it"):
        operator.load()
    path = operator.write("payments", "x.csv", TABLE)
    assert operator.load().feeds["payments"].rows_loaded == 399
    path.unlink()
    assert operator.load().warnings == (), "what was loaded may be taken out of the landing folder"


def test_zip_bomb_is_refused_before_it_is_unpacked(operator: SmallOperator) -> None:
    row = b"P1,A-C1,2025-03-02,1.50,card\n"
    bomb = gzip.compress(HEADER.encode() + row * (70_000_000 // len(row)))
    reason = refused(operator, "x.csv.gz", bomb)
    assert reason == (
        "it grows to more than 200 times its size once decompressed (expanded_ratio_limit), "
        "which no extract does; deliver it plain"
    )
    assert operator.load(expanded_ratio_limit=10_000, quarantine_share_limit=1).closing_month


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_content_larger_than_the_limit_is_refused(operator: SmallOperator, kind: str) -> None:
    sound = parquet_bytes(operator.folder) if kind == "parquet" else gzip.compress(TABLE.encode())
    path = operator.folder / "x"
    path.write_bytes(sound)
    suffix = "parquet" if kind == "parquet" else "csv.gz"
    operator.load()
    operator.write("payments", f"x.{suffix}", sound)
    with pytest.raises(DataBlockedError, match="more than 5,000 bytes once decompressed"):
        operator.load(expanded_size_limit="5KB")


def test_parquet_bomb_is_refused_by_its_metadata(operator: SmallOperator) -> None:
    path = operator.folder / "bomb.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'P' as payment_id, 'A' as account_id, date '2025-03-02' as paid_on, "
            f"1.5 as amount from range(20000000)) to '{path}' (row_group_size 10000000)"
        )
    assert "grows to more than 200 times" in refused(operator, "x.parquet", path.read_bytes())


def test_writer_that_sets_the_time_back_is_noticed(
    operator: SmallOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = operator.write("payments", "x.csv", TABLE)

    def sound_while_it_is_altered(*arguments: Any, **options: Any) -> str:
        before = path.stat()
        with path.open("r+") as stream:
            stream.seek(len(HEADER))
            stream.write("Q")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return sound(*arguments, **options)

    monkeypatch.setattr("orchestration.ingest.staging.sound", sound_while_it_is_altered)
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: it changed while it was read"):
        operator.load()


BROKEN = [
    (b"P2,A-C1,2025-03-02,2,card,Zhang Secret", "has 6 fields where the header has 5"),
    (b"P2,A-C1,2025-03-02", "has 3 fields where the header has 5"),
    (b'P2,A-C1,2025-03-02,2,"Zhang Secret', "has a broken quote"),
    (b'P2,A-C1,2025-03-02,2,"Zhang" Secret', "has a broken quote"),
    (b"P2,A-C1,2025-03-02,2,Zhang Secret \xff\xfe", "holds bytes that are not UTF-8"),
]


@pytest.mark.parametrize(("line", "reason"), BROKEN)
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_broken_line_is_quarantined_alone_and_untold(
    tmp_path: Path, line: bytes, reason: str, ending: bytes
) -> None:
    path = tmp_path / "x.csv"
    lines = [
        HEADER.strip().encode(),
        b"P1,A-C1,2025-03-02,1,card",
        b"",
        line,
        b'P3,A-C1,2025-03-02,3,"two\nlines, ""quoted"""',
        b"P4,A-C1,2025-03-02,x,card",
        b"P5,A-C1,2025-03-02,5,card,,",
    ]
    path.write_bytes(ending.join(lines) + ending)
    judged = judge("payments", path, tmp_path / "home")
    assert [(row["payment_id"], row["_row_number"]) for row in judged.rows] == [
        ("P1", 1),
        ("P3", 3),
        ("P5", 5),
    ]
    assert judged.rows[1]["payment_method"] == 'two\nlines, "quoted"'
    assert [(row["row_number"], row["reasons"]) for row in judged.quarantine] == [
        (2, f"line 4: {reason}"),
        (4, "amount: 'x' is not a number"),
    ]
    assert judged.quarantine[0]["row_json"] == '{"line_number":4}'
    assert judged.counts.in_file == 5


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("damaged", [False, True])
def test_any_line_ending(tmp_path: Path, ending: str, damaged: bool) -> None:
    path = tmp_path / "x.csv"
    text = HEADER + "P1,A-C1,2025-03-02,1,card\nP2,A-C1,2025-03-02,2,card" + ",x" * damaged
    path.write_bytes(text.replace("\n", ending).encode())
    judged = judge("payments", path, tmp_path / "home")
    assert (judged.counts.loaded, judged.counts.quarantined) == (2 - damaged, int(damaged))


def test_mixed_line_endings(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(HEADER.encode() + b"P1,A,2025-03-02,1,card\r\nP2,A,2025-03-02,2,card\n")
    judged = judge("payments", path, tmp_path / "home")
    assert [row["payment_method"] for row in judged.rows] == ["card", "card"]


def test_header_alone_is_a_delivery_of_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(HEADER)
    assert judge("payments", path, tmp_path / "home").counts.in_file == 0


def test_file_gone_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(FileRefusedError, match="it cannot be read"):
        fingerprint(tmp_path / "gone.csv", "csv")
