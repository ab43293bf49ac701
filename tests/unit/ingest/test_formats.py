"""Every format, encoding and compression: each loaded value is the delivered one."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import pytest

from orchestration.ingest.files import FileRefusedError
from orchestration.ingest.sources import FeedSource
from tests.support.loading import Judged, judge

ROWS = [
    {
        "amount": "99999999999999.9999",
        "charge_id": "0070",
        "invoice_id": 'I"1"',
        "product_code": "a,b\tc;d|e",
        "charge_type": "usage",
        "unit": "两行\n文字",
        "quantity": "-0.0001",
    },
    {
        "amount": "12345678901234.5678",
        "charge_id": "1234567890123456789",
        "invoice_id": "账户'北京'",
        "product_code": " 0x1F ",
        "charge_type": "one_off",
        "unit": "",
        "quantity": "",
    },
    {
        "amount": "-1.10",
        "charge_id": "é\\n",
        "invoice_id": "1e5",
        "product_code": "NULL",
        "charge_type": "discount",
        "unit": 'a\\"b',
        "quantity": "7",
    },
]
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    ".gz": gzip.compress,
    ".zst": lambda content: pyarrow.compress(content, "zstd", asbytes=True),
}


def delimited(delimiter: str = ",", quote: str = '"', rows: Any = ROWS) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, list(rows[0]), delimiter=delimiter, quotechar=quote, lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def objects(rows: Any = ROWS) -> str:
    """NDJSON with numbers as numbers, their digits as delivered."""
    lines = []
    for row in rows:
        members = [
            f"{json.dumps(name)}: "
            + (value if name in ("amount", "quantity") else json.dumps(value, ensure_ascii=False))
            for name, value in row.items()
            if value
        ]
        lines.append(f"{{{', '.join(members)}}}\n")
    return "".join(lines)


def loaded(folder: Path, name: str, content: bytes, **declared: Any) -> Judged:
    path = folder / name
    path.write_bytes(content)
    return judge("charges", path, folder / "home", declared=FeedSource(**declared))


def require_delivered(judged: Judged) -> None:
    assert judged.reasons == []
    assert [row["_row_number"] for row in judged.rows] == [1, 2, 3]
    for found, row in zip(judged.rows, ROWS, strict=True):
        for name, value in row.items():
            if name in ("amount", "quantity"):
                assert found[name] == (Decimal(value) if value else None), name
            else:
                assert found[name] == (value or None), name


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "utf-16-be"])
@pytest.mark.parametrize("layout", ["csv", "tsv", "ndjson"])
def test_format_encoding_and_compression(
    tmp_path: Path, layout: str, encoding: str, compression: str
) -> None:
    text = objects() if layout == "ndjson" else delimited("\t" if layout == "tsv" else ",")
    content = text.encode(encoding)
    if encoding == "utf-16-be":
        content = b"\xfe\xff" + content
    declared = {"encoding": "gb18030"} if encoding == "gb18030" else {}
    packed = COMPRESSED[compression](content)
    require_delivered(loaded(tmp_path, f"x.{layout}{compression}", packed, **declared))


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("is_declared", [False, True])
def test_delimiter_and_quote_are_detected_or_declared(
    tmp_path: Path, delimiter: str, quote: str, is_declared: bool
) -> None:
    text = delimited(delimiter, quote)
    if is_declared:
        declared = {"delimiter": delimiter, "quote": quote}
    else:
        declared = {}
        header, rest = text.split("\n", 1)
        text = delimiter.join(f"{quote}{n}{quote}" for n in header.split(delimiter)) + "\n" + rest
    require_delivered(loaded(tmp_path, "x.csv", text.encode(), **declared))


@pytest.mark.parametrize("compression", [".gz", ".zst"])
@pytest.mark.parametrize("layout", ["csv", "ndjson"])
def test_parts_of_a_compressed_file_count(tmp_path: Path, layout: str, compression: str) -> None:
    text = objects() if layout == "ndjson" else delimited()
    pieces = [text.encode()[:1], text.encode()[1:90], text.encode()[90:]]
    content = b"".join(COMPRESSED[compression](piece) for piece in pieces)
    require_delivered(loaded(tmp_path, f"x.{layout}{compression}", content))


def test_parquet_and_declared_names(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select 'H1' as \"费用\", 'I1' as invoice_id, '0070' as product_code, "
            "'01' as charge_type, 12345 as amount, 1.5::double as quantity) "
            f"to '{path}'"
        )
    declared = FeedSource(
        columns={"费用": "charge_id"},
        units={"amount": "fen", "quantity": 1000},
        codes={"charge_type": {"01": "recurring"}},
    )
    (row,) = judge("charges", path, tmp_path / "home", declared=declared).rows
    assert (row["charge_id"], row["product_code"]) == ("H1", "0070")
    assert (row["amount"], row["quantity"]) == (Decimal("123.45"), Decimal(1500))
    assert row["charge_type"] == "recurring"


@pytest.mark.parametrize("compression", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "foreign"])
def test_damaged_compression_is_refused(tmp_path: Path, compression: str, damage: str) -> None:
    whole = COMPRESSED[compression](delimited().encode() * 50)
    content = whole[: len(whole) // 2] if damage == "cut" else delimited().encode()
    with pytest.raises(FileRefusedError, match=r"truncated|no sound"):
        loaded(tmp_path, f"x.csv{compression}", content)


@pytest.mark.parametrize(
    ("encoding", "declared", "bad"),
    [("gb18030", {"encoding": "gbk"}, b"\xff"), ("utf-8", {}, b"\xc4\xe3"), ("utf-16-le", {}, b"")],
)
@pytest.mark.parametrize("layout", ["csv", "ndjson"])
def test_byte_that_does_not_decode_quarantines_its_row_alone(
    tmp_path: Path, layout: str, encoding: str, declared: dict[str, str], bad: bytes
) -> None:
    rows = [{**row, "unit": "month"} for row in ROWS]
    lines = (objects(rows) if layout == "ndjson" else delimited(rows=rows)).splitlines(True)
    place = 2 if layout == "csv" else 1
    content = [line.encode(encoding) for line in lines]
    if encoding == "utf-16-le":
        mark, lone_surrogate = b"\xff\xfe", b"\x00\xd8"
        content[0] = mark + content[0]
        bad = lone_surrogate
    word = "month".encode(encoding)
    content[place] = content[place].replace(word, word + bad)
    judged = loaded(tmp_path, f"x.{layout}", b"".join(content), **declared)
    name = {"gb18030": "GBK", "utf-8": "UTF-8", "utf-16-le": "UTF-16LE"}[encoding]
    assert judged.reasons == [f"line {place + 1}: holds bytes that are not {name}"]
    assert [row["_row_number"] for row in judged.rows] == [1, 3]
    assert [row["charge_id"] for row in judged.rows] == ["0070", "é\\n"]


def test_foreign_encoding_is_never_guessed(tmp_path: Path) -> None:
    content = delimited(rows=ROWS[1:2]).encode("gb18030")
    judged = loaded(tmp_path, "x.csv", content)
    assert judged.rows == []
    assert judged.reasons == ["line 2: holds bytes that are not UTF-8"]


def test_utf_16_without_a_mark_wants_its_byte_order(tmp_path: Path) -> None:
    content = delimited().encode("utf-16-le")
    with pytest.raises(FileRefusedError, match="declare utf-16le or utf-16be"):
        loaded(tmp_path, "x.csv", content, encoding="utf-16")
    require_delivered(loaded(tmp_path, "x.csv", content, encoding="utf-16le"))


def test_json_lines_that_are_no_object_are_quarantined_alone(tmp_path: Path) -> None:
    sound = objects().splitlines()
    lines = ["[1]", "", sound[0], "{oops", '"text"', sound[1], '{"charge_id": "H9"}', "12"]
    judged = loaded(tmp_path, "x.ndjson", "\r\n".join(lines).encode())
    assert [row["charge_id"] for row in judged.rows] == ["0070", "1234567890123456789"]
    no_object = "the line is no JSON object"
    required = "; ".join(
        f"{name}: a value is required"
        for name in ("invoice_id", "product_code", "charge_type", "amount")
    )
    assert judged.reasons == [no_object, no_object, no_object, required, no_object]
    assert judged.counts.in_file == 7


def test_json_values_are_the_text_that_was_delivered(tmp_path: Path) -> None:
    base = '"charge_id":"H%d","invoice_id":12,"product_code":"P","charge_type":"usage"'
    values = ["1", "1.5000", '"2.50"', "true", "null", "1.00005", "1e3", '{"a":1}']
    lines = [f'{{{base % n},"amount":{v}}}' for n, v in enumerate(values)]
    judged = loaded(tmp_path, "x.jsonl", "\n".join(lines).encode())
    assert [row["amount"] for row in judged.rows] == [1, Decimal("1.5"), Decimal("2.5")]
    assert {row["invoice_id"] for row in judged.rows} == {"12"}
    assert judged.reasons == [
        "amount: 'true' is not a number",
        "amount: a value is required",
        "amount: '1.00005' has more than 4 decimals",
        "amount: '1e3' is not a number",
        "amount: '{\"a\":1}' is not a number",
    ]


@pytest.mark.parametrize(
    ("others", "unknown"),
    [('"quantity":2', ()), ('"note":"n"', ("note",)), ('"quantity":2,"note":null', ("note",))],
    ids=["one less", "one other", "one more"],
)
def test_json_lines_need_not_have_the_names_of_the_first(
    tmp_path: Path, others: str, unknown: tuple[str, ...]
) -> None:
    base = '"charge_id":"H%d","invoice_id":"I","product_code":"P","charge_type":"usage","amount":1'
    lines = [f'{{{base % 1},"quantity":2,"unit":"min"}}', f"{{{base % 2},{others}}}"]
    judged = loaded(tmp_path, "x.ndjson", "\n".join(lines).encode())
    assert [(row["charge_id"], row["unit"]) for row in judged.rows] == [("H1", "min"), ("H2", None)]
    assert judged.unknown_columns == unknown


@pytest.mark.parametrize("before", range(4))
def test_json_line_of_wide_characters_that_lacks_a_name(tmp_path: Path, before: int) -> None:
    """The engine's message quotes such a line up to some byte, which need not end a character."""
    base = '"product_code":"P","charge_type":"usage","amount":1'
    unit = "x" * before + "𠮷" * 40
    lines = [
        f'{{"charge_id":"H1","invoice_id":"I",{base},"unit":"m","quantity":1}}',
        f'{{"unit":"{unit}","charge_id":"H2","invoice_id":"I",{base}}}',
    ]
    judged = loaded(tmp_path, "x.ndjson", "\n".join(lines).encode())
    assert [row["unit"] for row in judged.rows] == ["m", unit]


def test_json_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    line = '{"charge_id":"H","invoice_id":"I","product_code":"P","charge_type":"usage",'
    with pytest.raises(FileRefusedError, match="the column amount stands in it twice"):
        loaded(tmp_path, "x.ndjson", f'{line}"amount":1,"amount":2}}'.encode())


def test_file_without_a_header_line(tmp_path: Path) -> None:
    lines = "H1|I1|0070|usage|1.5\nH2|I2|P|usage|x\nH3|I3|P|usage|3|4\n"
    header = ["charge_id", "invoice_id", "product_code", "charge_type", "amount"]
    judged = loaded(tmp_path, "x.csv", lines.encode(), header=header)
    assert [(row["charge_id"], row["amount"]) for row in judged.rows] == [("H1", Decimal("1.5"))]
    assert [(row["row_number"], row["reasons"]) for row in judged.quarantine] == [
        (2, "amount: 'x' is not a number"),
        (3, "line 3: has 6 fields where the header has 5"),
    ]


@pytest.mark.parametrize(
    ("text", "declared", "value"),
    [
        ("1.234,50", {"decimal_mark": ",", "thousands_mark": "."}, Decimal("1234.50")),
        ("1,234.50", {"thousands_mark": ","}, Decimal("1234.50")),
        ("12,345,678", {"thousands_mark": ","}, Decimal(12345678)),
        ("1234.5", {"thousands_mark": ","}, Decimal("1234.5")),
        ("(1,234.50)", {"thousands_mark": ",", "negative": "parentheses"}, Decimal("-1234.50")),
        ("-3", {"negative": "parentheses"}, Decimal(-3)),
        ("12345", {"units": {"amount": "fen"}}, Decimal("123.45")),
        ("-1", {"units": {"amount": "fen"}}, Decimal("-0.01")),
        ("12.34", {"units": {"amount": "fen"}}, Decimal("0.1234")),
        ("9999999999999999.99", {"units": {"amount": "fen"}}, Decimal("99999999999999.9999")),
        ("1.23456789", {"units": {"amount": "wan_yuan"}}, Decimal("12345.6789")),
        ("15", {"units": {"amount": "percent"}}, Decimal("0.15")),
        ("7", {"units": {"amount": "yuan"}}, Decimal(7)),
    ],
)
def test_declared_numbers(
    tmp_path: Path, text: str, declared: dict[str, Any], value: Decimal
) -> None:
    judged = loaded(
        tmp_path, "x.csv", delimited(rows=[{**ROWS[2], "amount": text}]).encode(), **declared
    )
    assert judged.reasons == []
    assert judged.rows[0]["amount"] == value


@pytest.mark.parametrize(
    ("text", "declared", "reason"),
    [
        ("1,234.50", {}, "is not a number"),
        ("(5)", {}, "is not a number"),
        (
            "1.5",
            {"decimal_mark": ","},
            "is not a number as declared (decimal mark ,)",
        ),
        (
            "12,34.50",
            {"thousands_mark": ","},
            "is not a number as declared (decimal mark ., thousands mark ,)",
        ),
        (
            "-(5)",
            {"negative": "parentheses"},
            "is not a number as declared (decimal mark ., negative in parentheses)",
        ),
        ("0.001", {"units": {"amount": "fen"}}, "has more than 2 decimals"),
        ("10000000000000000", {"units": {"amount": "fen"}}, "does not fit into decimal(18,4)"),
        ("9" * 40, {"units": {"amount": "fen"}}, "does not fit into decimal(18,4)"),
    ],
)
def test_number_not_as_declared_is_quarantined(
    tmp_path: Path, text: str, declared: dict[str, Any], reason: str
) -> None:
    judged = loaded(
        tmp_path, "x.csv", delimited(rows=[{**ROWS[2], "amount": text}]).encode(), **declared
    )
    assert judged.rows == []
    assert judged.reasons == [f"amount: '{text}' {reason}"]


@pytest.mark.parametrize(
    ("feed", "row", "declared", "column", "value"),
    [
        (
            "payments",
            {"paid_on": "31/12/2024"},
            {"date_format": "%d/%m/%Y"},
            "paid_on",
            dt.date(2024, 12, 31),
        ),
        (
            "payments",
            {"paid_on": "20241231"},
            {"formats": {"paid_on": "%Y%m%d"}},
            "paid_on",
            dt.date(2024, 12, 31),
        ),
        (
            "payments",
            {"paid_on": "2024年12月31日"},
            {"date_format": "%Y年%m月%d日"},
            "paid_on",
            dt.date(2024, 12, 31),
        ),
        ("payments", {"paid_on": "1/2/2024"}, {"date_format": "%d/%m/%Y"}, "paid_on", None),
        ("payments", {"paid_on": "2024-12-31"}, {"date_format": "%d/%m/%Y"}, "paid_on", None),
        ("payments", {"paid_on": "30/02/2024"}, {"date_format": "%d/%m/%Y"}, "paid_on", None),
        ("payments", {"paid_on": "2024112"}, {"date_format": "%Y%m%d"}, "paid_on", None),
        (
            "accounts",
            {"updated_at": "20241231235958"},
            {"timestamp_format": "%Y%m%d%H%M%S"},
            "updated_at",
            dt.datetime(2024, 12, 31, 23, 59, 58),
        ),
    ],
)
def test_declared_dates(
    tmp_path: Path,
    feed: str,
    row: dict[str, str],
    declared: dict[str, Any],
    column: str,
    value: object,
) -> None:
    sound = {
        "payments": {"payment_id": "P", "account_id": "A", "amount": "1"},
        "accounts": {
            "account_id": "A",
            "customer_id": "C",
            "currency": "CNY",
            "payment_mode": "prepaid",
            "opened_on": "2024-01-01",
        },
    }[feed]
    path = tmp_path / "x.csv"
    path.write_text(delimited(rows=[{**sound, **row}]))
    judged = judge(feed, path, tmp_path / "home", declared=FeedSource(**declared))
    if value is None:
        shown = row[column]
        (fmt,) = [declared.get("date_format")]
        assert judged.reasons == [f"{column}: '{shown}' is not a date as declared ({fmt})"]
    else:
        assert [found[column] for found in judged.rows] == [value]


def test_codes_are_mapped_and_others_judged(tmp_path: Path) -> None:
    codes = {"charge_type": {"01": "recurring", "02": "usage"}, "product_code": {"7": "MOBILE"}}
    rows = [
        {**ROWS[2], "charge_id": str(n), "charge_type": kind, "product_code": product}
        for n, (kind, product) in enumerate(
            [("01", "7"), (" 02 ", "07"), ("usage", "FIXED"), ("03", "7")]
        )
    ]
    judged = loaded(tmp_path, "x.csv", delimited(rows=rows).encode(), codes=codes)
    assert [(row["charge_type"], row["product_code"]) for row in judged.rows] == [
        ("recurring", "MOBILE"),
        ("usage", "07"),
        ("usage", "FIXED"),
    ]
    assert judged.reasons == [
        "charge_type: '03' is not one of recurring, usage, one_off, discount, adjustment, "
        "penalty, third_party (nor of the codes mapped to them: 01, 02)"
    ]
