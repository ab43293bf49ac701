"""Generated deliveries with faults: no row is lost, and what is loaded is what was sent."""

from __future__ import annotations

import csv
import gzip
import io
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.ingest.files import FileRefusedError
from tests.support.loading import Judged, judge

COLUMNS = ["payment_id", "account_id", "paid_on", "amount", "payment_method"]
SOUND_AMOUNT = st.decimals(
    min_value=-(10**9), max_value=10**9, places=2, allow_nan=False, allow_infinity=False
).map(str)
FAULTY_AMOUNT = st.sampled_from(["", "x", "1,000.00", "1.005", "NaN", "1e400", "9" * 20])
SOUND_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
) | st.sampled_from(["0070", ' "q" ', "a,b", "two\nlines", "账户", "NULL", "null"])
ROW = st.fixed_dictionaries(
    {
        "payment_id": st.sampled_from([f"P{n}" for n in range(30)]) | st.just(""),
        "account_id": SOUND_TEXT,
        "paid_on": st.dates().map(str) | st.sampled_from(["2025-02-30", "soon"]),
        "amount": SOUND_AMOUNT | FAULTY_AMOUNT,
        "payment_method": st.just("") | SOUND_TEXT,
    }
)
DAMAGE = st.sampled_from([b"", b"P1,A", b'P1,"A', b'P1,"A"x,,,', b"P1,A,\xff,1,", b"a,b,c,d,e,f,g"])


def record(row: dict[str, str]) -> bytes:
    text = io.StringIO(newline="")
    csv.DictWriter(text, COLUMNS, lineterminator="\n").writerow(row)
    return text.getvalue().encode()


def is_sound(row: dict[str, str]) -> bool:
    if not row["payment_id"] or row["paid_on"] in ("2025-02-30", "soon"):
        return False
    try:
        return Decimal(row["amount"]).as_tuple().exponent == -2
    except ArithmeticError:
        return False


def judged_bytes(content: bytes, *, zipped: bool) -> Judged:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / ("x.csv.gz" if zipped else "x.csv")
        path.write_bytes(gzip.compress(content, 1) if zipped else content)
        return judge("payments", path, folder / "home")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(ROW, max_size=12), zipped=st.booleans())
def test_sound_lines_are_loaded_as_sent_or_quarantined(
    rows: list[dict[str, str]], zipped: bool
) -> None:
    content = b",".join(name.encode() for name in COLUMNS) + b"\n"
    judged = judged_bytes(content + b"".join(map(record, rows)), zipped=zipped)
    counts = judged.counts
    assert counts.in_file == len(rows)
    assert counts.in_file == counts.loaded + counts.quarantined + counts.duplicate

    different = Counter(key for key, _ in {(row["payment_id"], tuple(row.items())) for row in rows})
    expected = {
        number: row
        for number, row in enumerate(rows, start=1)
        if is_sound(row) and different[row["payment_id"]] == 1 and row not in rows[: number - 1]
    }
    loaded = {row["_row_number"]: row for row in judged.rows}
    assert loaded.keys() == expected.keys()
    for number, row in expected.items():
        assert loaded[number]["account_id"] == row["account_id"]
        assert loaded[number]["amount"] == Decimal(row["amount"])
        assert str(loaded[number]["paid_on"]) == row["paid_on"]
        assert loaded[number]["payment_method"] == (row["payment_method"] or None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    lines=st.lists(ROW.map(record) | DAMAGE.map(lambda line: line + b"\n"), max_size=10),
    cut=st.integers(0, 20),
)
def test_damaged_lines_lose_no_row_of_their_neighbours(lines: list[bytes], cut: int) -> None:
    header = b",".join(name.encode() for name in COLUMNS) + b"\n"
    body = b"".join(lines)
    content = header + (body[:-cut] if cut else body)
    try:
        judged = judged_bytes(content, zipped=False)
    except FileRefusedError:
        pytest.fail("a damaged line must not refuse the file")
    counts = judged.counts
    assert counts.in_file == counts.loaded + counts.quarantined + counts.duplicate
    numbers = [row["_row_number"] for row in judged.rows]
    numbers += [row["row_number"] for row in judged.quarantine]
    assert len(set(numbers)) == len(numbers) == counts.loaded + counts.quarantined
    assert all(1 <= number <= counts.in_file for number in numbers)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(position=st.floats(0, 1), flip=st.integers(1, 255))
def test_one_wrong_byte_in_a_gzip_is_noticed(position: float, flip: int) -> None:
    rows = b"".join(b"P%d,A,2025-03-02,%d.00,card\n" % (n, n) for n in range(50))
    whole = bytearray(gzip.compress(b",".join(c.encode() for c in COLUMNS) + b"\n" + rows))
    index = 10 + int(position * (len(whole) - 11))
    whole[index] ^= flip
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.csv.gz"
        path.write_bytes(bytes(whole))
        with pytest.raises(FileRefusedError):
            judge("payments", path, Path(name) / "home")
