"""Generated deliveries: rows whose truth is known from the start, and every fault there is.

A cell is made together with the value it stands for, so that what the loader should do
with a file follows from the generator's own rows; the loader's rules are not asked.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import io
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
from hypothesis import strategies as st

BOMB_SIZE = 1_000_000  # bytes: the limit the tests set, which no sound file comes near
KEYS = {
    "payments": ("payment_id",),
    "usage": ("subscription_id", "usage_month"),
    "managers": ("manager_id", "updated_at"),
}
SUMMED = {"payments": "amount", "usage": "sms_count", "managers": None}


@dataclass(frozen=True)
class Cell:
    """What is delivered, what it means, and whether that is sound."""

    text: str
    value: Any
    is_sound: bool = True


Row = Mapping[str, Cell]


@dataclass(frozen=True)
class Broken:
    """A line that is no row; which one depends on the format (see BROKEN)."""

    kind: str


def cells(*sound: tuple[str, Any], faulty: Sequence[str] = ()) -> st.SearchStrategy[Cell]:
    """Sound cells nine times out of ten, by their text and value, else faulty ones."""
    good = st.sampled_from([Cell(text, value) for text, value in sound])
    if not faulty:
        return good
    bad = st.sampled_from([Cell(text, None, is_sound=False) for text in faulty])
    return st.integers(0, 9).flatmap(lambda dice: good if dice else bad)


def texts(*, required: bool) -> st.SearchStrategy[Cell]:
    written = st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6
    ) | st.sampled_from(
        ["0070", ' "q" ', "a,b", "two\nlines", "账户", "NULL", " ", "a;b|c\td", "''"]
    )
    sound = written.map(lambda text: Cell(text, text))
    return sound | st.just(Cell("", None, is_sound=not required))


def keys(letter: str) -> st.SearchStrategy[Cell]:
    named = [(f"{letter}{n}", f"{letter}{n}") for n in range(6)]
    return cells(*named, faulty=[""])


def amounts(*, minimum: int | None = None, required: bool = True) -> st.SearchStrategy[Cell]:
    def written(number: Decimal) -> st.SearchStrategy[Cell]:
        forms = [f"{number}", f" {number} ", f"{number}000", f"{number:+}", f"{number:020.2f}"]
        return st.sampled_from([Cell(text, number) for text in forms])

    lowest = minimum if minimum is not None else -(10**9)
    good = (
        st.decimals(lowest, 10**9, places=2, allow_nan=False).map(lambda n: n + 0).flatmap(written)
    )
    wrong = ["x", "1,000.00", "1.005", "NaN", "1e400", "9" * 20, "--1", "0x1"]
    wrong += [""] if required else []
    wrong += ["-0.01", "-5"] if minimum == 0 else []
    bad = st.sampled_from([Cell(text, None, is_sound=False) for text in wrong])
    empty = st.just(Cell("", None))
    choice = [good, good, good, good, good, good, bad] + ([] if required else [empty])
    return st.sampled_from(choice).flatmap(lambda strategy: strategy)


FIRST, LAST = dt.date(2025, 1, 1), dt.date(2024, 12, 31)
DATES = cells(
    ("2025-01-01", FIRST),
    ("2025-01-01 00:00:00", FIRST),
    (" 2024-12-31T00:00 ", LAST),
    ("2024-12-31 00:00:00+08:00", LAST),
    faulty=["", "2025-02-30", "soon", "01/02/2025", "2025-01-01 09:00", "2025-1-1"],
)
MONTHS = cells(
    ("2025-01-01", FIRST),
    ("2024-12-01", dt.date(2024, 12, 1)),
    faulty=["", "2025-01-02", "2025-01", "January"],
)
INSTANTS = cells(
    ("2025-01-01", dt.datetime(2025, 1, 1)),
    ("2025-01-01 08:30:00", dt.datetime(2025, 1, 1, 8, 30)),
    ("2025-01-01T00:30:00Z", dt.datetime(2025, 1, 1, 8, 30)),
    ("2025-06-01 00:00:00.5", dt.datetime(2025, 6, 1, 0, 0, 0, 500_000)),
    faulty=["", "2025-01-01 24:00", "2025-01-01 00:00:00.1234567", "noon"],
)
COUNTS = cells(("", 0), ("0", 0), ("7.0", 7), (" +7", 7), faulty=["-1", "7.5", "x", "9" * 19])
DAYS = cells(("", None), ("0", 0), ("31", 31), faulty=["32", "-1", "many"])
GRADES = cells(("", None), ("junior", "junior"), ("senior", "senior"), faulty=["Senior", "boss"])
MINUTES = amounts(minimum=0, required=False).map(
    lambda cell: Cell(cell.text, Decimal(0)) if cell.text == "" else cell
)

FEEDS: dict[str, dict[str, st.SearchStrategy[Cell]]] = {
    "payments": {
        "payment_id": keys("P"),
        "account_id": texts(required=True),
        "invoice_id": texts(required=False),
        "paid_on": DATES,
        "amount": amounts(),
        "payment_method": texts(required=False),
    },
    "usage": {
        "subscription_id": keys("S"),
        "usage_month": MONTHS,
        "voice_minutes": MINUTES,
        "data_mb": MINUTES,
        "sms_count": COUNTS,
        "active_days": DAYS,
    },
    "managers": {
        "manager_id": keys("M"),
        "manager_name": texts(required=True),
        "region_code": texts(required=True),
        "team": texts(required=False),
        "grade": GRADES,
        "updated_at": INSTANTS,
    },
}
NUMERIC = frozenset({"amount", "voice_minutes", "data_mb", "sms_count", "active_days"})
JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# What a column that is not delivered holds; only these may be left out.
OPTIONAL: dict[str, dict[str, Any]] = {
    "payments": {"invoice_id": None, "payment_method": None},
    "usage": {
        "voice_minutes": Decimal(0),
        "data_mb": Decimal(0),
        "sms_count": 0,
        "active_days": None,
    },
    "managers": {"team": None, "grade": None},
}
# Lines that are no rows: a comma stands for the file's own delimiter, and UNDECODABLE for bytes
# that are no text in the file's own encoding.
UNDECODABLE = "\udcff"
BROKEN = {
    "csv": {
        "too few fields": "P1,A",
        "too many fields": "a,b,c,d,e,f,g,h,i,j,k,l",
        "broken quote": 'P1,"A"x,,,,',
        "bytes that are no text": f"{UNDECODABLE},b",
        "bytes that are no text in a value": f"P1,A,{UNDECODABLE}(,,,",
    },
    "ndjson": {
        "cut object": '{"payment_id": "P1", "amount":',
        "list": '["P1", "A"]',
        "null": "null",
        "text": "P1,A",
        "two objects": '{"payment_id": "P1"} {"payment_id": "P2"}',
        "bytes that are no text": f"{UNDECODABLE}",
        "bytes that are no text in a value": f'{{"payment_id": "P{UNDECODABLE}("}}',
    },
}
ENCODINGS = {
    "utf-8": b"",
    "utf-8 with mark": b"\xef\xbb\xbf",
    "utf-16le": b"\xff\xfe",
    "utf-16be": b"\xfe\xff",
    "gb18030": b"",
}
NO_TEXT = {"utf-16le": b"\x00\xd8", "utf-16be": b"\xd8\x00"}  # half a character
LAYOUTS = ("csv", "tsv", "ndjson")
PACKED = {
    "gz": [f"{layout}.gz" for layout in LAYOUTS],
    "zst": [f"{layout}.zst" for layout in LAYOUTS],
}
FORMS = [*LAYOUTS, *PACKED["gz"], *PACKED["zst"], "parquet"]

# How a file is damaged, and the words by which it is refused whole.
FILE_FAULTS = {
    "empty": "it is empty",
    "empty inside": "it is empty (0 bytes once decompressed)",
    "truncated gzip": "it is a truncated gzip file",
    "damaged gzip": "it is no sound gzip file",
    "text named gzip": "it is no sound gzip file",
    "truncated zstd": "it is no sound zstd file",
    "damaged zstd": "it is no sound zstd file",
    "text named zstd": "it is no sound zstd file",
    "truncated parquet": "it is no sound Parquet file",
    "text named parquet": "it is no sound Parquet file",
    "zip bomb": "once decompressed (expanded_size_limit)",
    "wrong sha256": "its control totals say SHA-256",
    "wrong rows": "its control totals say ",
    "wrong sum": "its control totals say ",
    "column missing": "missing required column",
    "column twice": "stands in it twice",
    "folder": "it is a folder in a file's place",
    "pipe": "it is a special file",
    "link out": "it is a link that leads out",
    "link to nothing": "it is a link to nothing",
    "announced only": "_control.json announces it, but it is not there",
    "odd name": "its name holds characters that cannot be printed",
    "grows": "it changed while it was read",
    "no permission": "this user has no permission to read it",
}
FORMS_OF_FAULT = {
    "empty inside": PACKED["gz"] + PACKED["zst"],
    "zip bomb": PACKED["gz"] + PACKED["zst"],
    "truncated gzip": PACKED["gz"],
    "damaged gzip": PACKED["gz"],
    "text named gzip": PACKED["gz"],
    "truncated zstd": PACKED["zst"],
    "damaged zstd": PACKED["zst"],
    "text named zstd": PACKED["zst"],
    "truncated parquet": ["parquet"],
    "text named parquet": ["parquet"],
    "column twice": [form for form in FORMS if form != "parquet"],
}
FEED_FAULTS = {
    "control is no JSON": "are not of the form",
    "control leads outside": "name a file outside the feed's folder",
    "control is a folder": "are no regular file",
}
HARMLESS_NAMES = [
    "a.csv",
    "b.csv",
    "sub/c.csv",
    "quo'te.csv",
    "star*?[x].csv",
    "账单.csv",
    "d..csv",
]


@dataclass(frozen=True)
class File:
    """A file to be delivered. `form` is one of FORMS, `encoding` one of ENCODINGS.

    JSON may leave out what is null (`omits_nulls`) and write numbers as such (`bare_numbers`).
    """

    feed: str
    name: str
    form: str
    encoding: str
    rows: Sequence[Row | Broken]
    columns: Sequence[str]
    line_end: str
    has_unknown_column: bool
    has_totals: bool
    omits_nulls: bool
    bare_numbers: bool
    fault: str | None

    @property
    def layout(self) -> str:
        return self.form.partition(".")[0]

    @property
    def file_name(self) -> str:
        stem = self.name.removesuffix(".csv")
        name = "bell\x07" + Path(stem).name if self.fault == "odd name" else stem
        return f"{name}.{self.form}"


@dataclass(frozen=True)
class Delivery:
    """Files of one feed delivered together, read under one declared encoding."""

    feed: str
    files: Sequence[File]
    limit: float
    declared: str | None = None
    control_fault: str | None = None


@dataclass
class Expected:
    """What should become of the rows of a file, by their number."""

    rows: int
    loaded: dict[int, dict[str, Any]] = field(default_factory=dict)
    quarantined: set[int] = field(default_factory=set)

    @property
    def duplicate(self) -> int:
        return self.rows - len(self.loaded) - len(self.quarantined)


@dataclass(frozen=True)
class Kind:
    """What a file is like: its fault as a whole or none, its form, its encoding or any."""

    fault: str | None
    form: str
    encoding: str | None = None


SOUND = [Kind(None, "parquet", "utf-8")] + [
    Kind(None, form, encoding) for form in FORMS if form != "parquet" for encoding in ENCODINGS
]
DAMAGED = [Kind(fault, form) for fault in FILE_FAULTS for form in FORMS_OF_FAULT.get(fault, FORMS)]


@st.composite
def files(draw: st.DrawFn, feed: str, name: str, kind: Kind, declared: str | None) -> File:
    """A file with faults in its rows, or as a whole, or with none."""
    fault, form = kind.fault, kind.form
    if fault == "wrong sum" and SUMMED[feed] is None:
        fault = "wrong rows"
    encoding = kind.encoding or draw(st.sampled_from(sorted(ENCODINGS)))
    if form == "parquet":
        encoding = "utf-8"
    elif not ENCODINGS[encoding]:
        encoding = declared or "utf-8"
    left_out = draw(st.sets(st.sampled_from(sorted(OPTIONAL[feed])), max_size=2))
    columns = draw(st.permutations([name for name in FEEDS[feed] if name not in left_out]))
    row = st.fixed_dictionaries(FEEDS[feed])
    is_json = form.startswith("ndjson")
    lines: st.SearchStrategy[Any] = row
    if form != "parquet":
        broken = st.sampled_from(sorted(BROKEN["ndjson" if is_json else "csv"])).map(Broken)
        lines = st.integers(0, 5).flatmap(lambda dice: row if dice else broken)
    rows = draw(st.lists(lines, max_size=6))
    for _ in range(draw(st.integers(0, 2)) if rows else 0):
        rows.insert(draw(st.integers(0, len(rows))), draw(st.sampled_from(rows)))
    if is_json:  # whose only header is its rows
        rows.insert(draw(st.integers(0, len(rows))), draw(row))
    return File(
        feed=feed,
        name=name,
        form=form,
        encoding=encoding,
        rows=rows,
        columns=columns,
        line_end=draw(st.sampled_from(["\n", "\r\n"])),
        has_unknown_column=draw(st.booleans()),
        has_totals=draw(st.booleans()),
        omits_nulls=draw(st.booleans()),
        bare_numbers=draw(st.booleans()),
        fault=fault,
    )


@st.composite
def deliveries(draw: st.DrawFn, kind: Kind | None = None, most_files: int = 1) -> Delivery:
    """A delivery of one feed, of files of one kind or of any."""
    feed = draw(st.sampled_from(sorted(FEEDS)))
    count = draw(st.integers(1, most_files))
    names = draw(st.permutations(HARMLESS_NAMES))[:count]
    control_fault = draw(st.sampled_from([None] * 12 + [*FEED_FAULTS]))
    # Declared, an encoding is that of every file without a byte order mark.
    declared = draw(st.sampled_from([None, "gb18030"]))
    if kind and kind.encoding and not ENCODINGS[kind.encoding]:
        declared = "gb18030" if kind.encoding == "gb18030" else None
    kinds = st.just(kind) if kind else st.sampled_from(SOUND) | st.sampled_from(DAMAGED)
    found = [draw(files(feed, name, draw(kinds), declared)) for name in names]
    if control_fault:  # a control file that says nothing announces nothing
        found = [
            replace(file, fault=None) if file.fault == "announced only" else file for file in found
        ]
    return Delivery(
        feed=feed,
        files=found,
        limit=draw(st.sampled_from([1.0, 1.0, 0.4, 0.0])),
        declared=declared,
        control_fault=control_fault,
    )


def expected(file: File) -> Expected:
    """What a careful reader with no more than Python makes of the rows."""
    found = Expected(rows=len(file.rows))
    defaults = OPTIONAL[file.feed]
    contents: dict[int, tuple[tuple[Any, ...], bool]] = {}
    by_key: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    values: dict[int, dict[str, Any]] = {}
    for number, row in enumerate(file.rows, start=1):
        if isinstance(row, Broken):
            found.quarantined.add(number)
            continue
        values[number] = {
            name: row[name].value if name in file.columns else defaults[name]
            for name in FEEDS[file.feed]
        }
        is_sound = all(row[name].is_sound for name in file.columns)
        contents[number] = (tuple(values[number].items()), is_sound)
        if not is_sound:
            found.quarantined.add(number)
        key = tuple(values[number][name] for name in KEYS[file.feed])
        # A month or a day that breaks a rule is still a day, so that it is part of a key.
        by_key[key if None not in key else ("no key", number)].append(number)
    for numbers in by_key.values():
        variants = {contents[number] for number in numbers}
        if len(variants) > 1:
            found.quarantined.update(numbers)
        elif variants.pop()[1]:
            found.loaded[numbers[0]] = values[numbers[0]]
    return found


def write(delivery: Delivery, landing: Path) -> None:
    """Lays the delivery out in a landing folder, faults and all."""
    folder = landing / delivery.feed
    folder.mkdir(parents=True)
    totals = {
        file.file_name: spec
        for file in delivery.files
        if (spec := _write_file(file, folder / file.file_name, landing)) is not None
    }
    control = folder / "_control.json"
    if delivery.control_fault == "control is a folder":
        control.mkdir()
    elif delivery.control_fault == "control is no JSON":
        control.write_text('{"files": {')
    elif delivery.control_fault == "control leads outside":
        control.write_text(json.dumps({"files": {**totals, "../../secret.csv": {"rows": 1}}}))
    elif totals:
        control.write_text(json.dumps({"files": totals}))


def _write_file(file: File, path: Path, landing: Path) -> dict[str, Any] | None:
    """The file and what its control totals are to say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = _content(file)
    if file.fault == "announced only":
        return {"rows": len(file.rows)}
    if file.fault == "folder":
        path.mkdir()
    elif file.fault == "pipe":
        os.mkfifo(path)
    elif file.fault == "link to nothing":
        path.symlink_to(landing / "nothing.csv")
    elif file.fault == "link out":
        outside = landing.parent / f"outside.{file.form}"
        outside.write_bytes(content)
        path.symlink_to(outside)
    else:
        path.write_bytes(content)
        return _totals(file, content)
    return None


def _totals(file: File, content: bytes) -> dict[str, Any] | None:
    if file.fault == "wrong sha256":
        return {"sha256": "0" * 64}
    if file.fault == "wrong rows":
        return {"rows": len(file.rows) + 1}
    summed = SUMMED[file.feed]
    total = (
        sum(
            (Decimal(row[summed].value or 0) for row in file.rows if not isinstance(row, Broken)),
            Decimal(0),
        )
        if summed in file.columns and summed
        else Decimal(0)
    )
    if file.fault == "wrong sum":
        return {"sums": {summed: str(total + Decimal("0.01"))}}
    # Amounts that break a minimum are read all the same and count in a sum: too subtle here.
    is_plain = all(not isinstance(row, Broken) for row in file.rows) and file.feed == "payments"
    if not file.has_totals or file.fault:
        return None
    spec: dict[str, Any] = {"rows": len(file.rows), "sha256": hashlib.sha256(content).hexdigest()}
    return {**spec, "sums": {summed: str(total)}} if is_plain else spec


def _content(file: File) -> bytes:
    if file.fault == "empty":
        return b""
    if file.form == "parquet" and file.fault != "text named parquet":
        whole = _parquet(file)
        return whole[: len(whole) // 2] if file.fault == "truncated parquet" else whole
    text = ENCODINGS[file.encoding] + _encoded(_text(file), file.encoding)
    if file.fault in ("text named gzip", "text named zstd", "text named parquet"):
        # Its own: the same bytes under a right name would be a sound file delivered twice.
        return text + file.name.encode()
    if file.fault == "empty inside":
        text = b""
    if file.fault == "zip bomb":
        text += b"x" * (2 * BOMB_SIZE)
    if "." not in file.form:
        return text
    is_gzip = file.form.endswith(".gz")
    packed = bytearray(
        gzip.compress(text, 1) if is_gzip else pyarrow.compress(text, "zstd", asbytes=True)
    )
    if file.fault in ("truncated gzip", "truncated zstd"):
        del packed[-5:]
    if file.fault in ("damaged gzip", "damaged zstd"):
        packed[-8 if is_gzip else 0] ^= 255
    return bytes(packed)


def _encoded(text: str, encoding: str) -> bytes:
    codec = encoding.removesuffix(" with mark")
    undecodable = NO_TEXT.get(codec, b"\xff")
    return undecodable.join(part.encode(codec) for part in text.split(UNDECODABLE))


def _header(file: File) -> list[str]:
    columns = list(file.columns)
    if file.fault == "column missing":
        columns[columns.index(KEYS[file.feed][0])] = "what is this"
    if file.fault == "column twice":
        columns.append(columns[0].upper())
    return [*columns, "extra"] if file.has_unknown_column else columns


def _texts(file: File, row: Row) -> list[str]:
    written = [row[name].text for name in file.columns]
    if file.fault == "column twice":
        written.append("again")
    return [*written, "more"] if file.has_unknown_column else written


def _text(file: File) -> str:
    return _ndjson(file) if file.layout == "ndjson" else _csv(file)


def _csv(file: File) -> str:
    delimiter = "\t" if file.layout == "tsv" else ","

    def line(fields: Sequence[str]) -> str:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator=file.line_end).writerow(fields)
        return text.getvalue()

    lines = [line(_header(file))]
    for row in file.rows:
        if isinstance(row, Broken):
            lines.append(BROKEN["csv"][row.kind].replace(",", delimiter) + file.line_end)
        else:
            lines.append(line(_texts(file, row)))
    return "".join(lines)


def _ndjson(file: File) -> str:
    """Null is what CSV leaves empty; the first object names every column of the file."""
    header = _header(file)
    lines = []
    has_names = False
    for row in file.rows:
        if isinstance(row, Broken):
            lines.append(BROKEN["ndjson"][row.kind])
            continue
        members = [
            f"{json.dumps(name)}: {_json_value(file, name, text)}"
            for name, text in zip(header, _texts(file, row), strict=True)
            if text or not (file.omits_nulls and has_names)
        ]
        has_names = True
        lines.append("{" + ", ".join(members) + "}")
    return "".join(line + file.line_end for line in lines)


def _json_value(file: File, name: str, text: str) -> str:
    if not text:
        return "null"
    if file.bare_numbers and name in NUMERIC and JSON_NUMBER.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=file.bare_numbers)


_WRITER = duckdb.connect()


def _parquet(file: File) -> bytes:
    """Text columns; a field that CSV leaves empty is null here."""
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"generated-{os.getpid()}.parquet"
    header = _header(file)
    rows = [
        dict(zip(map(str, range(len(header))), _texts(file, row), strict=True))
        for row in file.rows
        if not isinstance(row, Broken)
    ]
    columns = ", ".join(f'''"{at}" varchar''' for at in range(len(header)))
    named = ", ".join(f"""nullif(row."{at}", '') as "{name}" """ for at, name in enumerate(header))
    _WRITER.execute(
        f"copy (select {named} from (select unnest(cast($rows as struct({columns})[])) as row)) "
        f"to '{path}' (format parquet)",
        {"rows": rows},
    )
    content = path.read_bytes()
    path.unlink()
    return content


def snapshot(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Everything in a folder: kind, mode, time and hash of what can be read."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        told: Any = str(path.readlink()) if path.is_symlink() else None
        if path.is_file() and not path.is_symlink():
            told = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, told)
    return found


def faults_of(delivery: Delivery) -> Counter[str]:
    """The faults of a delivery in its control file and its rows, to see that all were tried."""
    found = Counter([delivery.control_fault] if delivery.control_fault else [])
    for file in delivery.files:
        for row in file.rows:
            if isinstance(row, Broken):
                found[f"{row.kind} in {file.layout}"] += 1
                found[f"broken line in {file.encoding}"] += 1
            elif not all(cell.is_sound for cell in row.values()):
                found[f"faulty row in {file.form}"] += 1
    return found


def all_faults() -> set[str]:
    """What faults_of is to find: each in every format and encoding in which it can be."""
    found = {*FEED_FAULTS, *(f"faulty row in {form}" for form in FORMS)}
    found |= {f"broken line in {encoding}" for encoding in ENCODINGS}
    for layout in LAYOUTS:
        kinds = BROKEN["ndjson" if layout == "ndjson" else "csv"]
        found |= {f"{kind} in {layout}" for kind in kinds}
    return found
