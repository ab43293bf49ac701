"""Delivered files as DuckDB relations: one reader per format, values not yet typed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.files import FileRefusedError
from orchestration.ingest.mending import BrokenLine, Layout, mend
from orchestration.ingest.sources import FeedSource
from orchestration.ingest.sql import identifier, literal
from orchestration.ingest.unpacking import PlainText

TEXT = "VARCHAR"
DELIMITERS = (",", "\t", ";", "|")
QUOTES = ('"', "'")
JSON_LINE = Layout(names=("line",), delimiter="\x01", quote="", header=False)
# Runs of digits that a binary float may not hold, and exponents; in a string they do no harm.
FRAGILE_NUMBER = r"[0-9](\.?[0-9]){15}|[0-9][eE][-+0-9]"
STRING_OR_NUMBER = r'("(?:[^"\\]|\\.)*")|([-0-9][-+.0-9eE]*)'


@dataclass(frozen=True, slots=True)
class Source:
    """Where a delivered column stands in the relation, and its type there."""

    expression: str
    type: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivered file, ready to be read.

    `rows` is the number of rows counted without parsing them, where that is possible.
    `line` is the expression of the row's number, where the order of rows does not
    give it, `fault` that of why a row as a whole cannot be read (null: it can).
    `broken` are the lines that could not be split into fields.
    """

    relation: str
    columns: Mapping[str, Source]
    unknown: Mapping[str, Source]
    rows: int | None
    line: str | None = None
    fault: str | None = None
    broken: tuple[BrokenLine, ...] = ()


def read_parquet(
    connection: duckdb.DuckDBPyConnection, feed: Feed, source: FeedSource, path: Path
) -> Delivery:
    """Describes a Parquet file. Raises FileRefusedError if it cannot be read."""
    relation = f"read_parquet({literal(path)}, hive_partitioning = false)"
    try:
        described = connection.execute(f"describe select * from {relation}").fetchall()
        counted = connection.execute(f"select count(*) from {relation}").fetchone()
    except duckdb.Error as error:
        raise FileRefusedError("it is no sound Parquet file (damaged or truncated)") from error
    sources = [(str(row[0]), Source(identifier(row[0]), str(row[1]))) for row in described]
    columns, unknown = _matched(feed, source, sources)
    return Delivery(relation, columns, unknown, rows=counted[0] if counted else None)


def layout_of(feed: Feed, source: FeedSource, text: PlainText) -> Layout:
    """How a CSV file is split: as declared, else as its header line shows.

    Of the delimiters and quotes that may be, those count under which the header names
    most columns of the feed. Raises FileRefusedError if it can be split by none.
    """
    delimiters = [source.delimiter] if source.delimiter else list(DELIMITERS)
    quotes = list(QUOTES) if source.quote is None else [source.quote]
    first = text.head.replace(b"\r", b"\n").split(b"\n", 1)[0]
    try:
        line = first.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FileRefusedError(
            f"its header is not {text.encoding.upper()}; deliver it as UTF-8, or declare its "
            f"encoding in sources.toml"
        ) from error
    guesses = [
        Layout((), delimiter, quote, not source.header, text.encoding)
        for delimiter in delimiters
        for quote in quotes
    ]
    if source.header:
        fields = [(_count_of(guess, line), guess) for guess in guesses]
        found = next((g for n, g in fields if n == len(source.header)), guesses[0])
        return replace(found, names=source.header)
    named = [named for guess in guesses if (named := _with_names(guess, line))]
    if not named:
        raise FileRefusedError("its header line is no CSV")
    known = {column.name for column in feed.columns}
    return max(
        named,
        key=lambda layout: len(known & {source.contract_name(name) for name in layout.names}),
    )


def _count_of(layout: Layout, line: str) -> int:
    try:
        return len(layout.split(line))
    except csv.Error:
        return 0


def _with_names(layout: Layout, line: str) -> Layout | None:
    try:
        names = tuple(name.strip() for name in layout.split(line))
    except csv.Error:
        return None
    return replace(layout, names=names) if names else None


def read_csv(feed: Feed, source: FeedSource, text: PlainText, layout: Layout) -> Delivery:
    """Describes a CSV file. Raises FileRefusedError if its columns are not the feed's."""
    columns, unknown = _matched(feed, source, _positions(layout))
    names = [f"c{index}" for index in range(len(layout.names))]
    relation = _csv_relation(text.path, layout, names, header=layout.header)
    counted = text.seen.lines if layout.quote == '"' else None
    rows = None if counted is None else max(counted - layout.header, 0)
    return Delivery(relation, columns, unknown, rows=rows)


def read_mended_csv(
    feed: Feed, source: FeedSource, text: PlainText, layout: Layout, scratch: Path
) -> Delivery:
    """The same for a CSV file with lines that DuckDB refuses: those set apart."""
    columns, unknown = _matched(feed, source, _positions(layout))
    broken = mend(text.path, layout, _line_end(text), scratch)
    names = ["line", *(f"c{index}" for index in range(len(layout.names)))]
    return Delivery(
        relation=_csv_relation(scratch, layout, names, header=False),
        columns=columns,
        unknown=unknown,
        rows=None,
        line="cast(line as bigint)",
        broken=tuple(broken),
    )


def read_uniform_ndjson(feed: Feed, source: FeedSource, text: PlainText) -> Delivery | None:
    """Describes a file every line of which is an object with the names of the first, once each.

    The parser, which looks at each line once, fails on any other. None if that cannot be: the
    first line is none, or a number in the file would not come through the parser as it stands.
    """
    names = _names_of_first_line(text)
    if names is None or text.seen.has_fragile_numbers:
        return None
    columns, unknown = _matched(
        feed, source, [(name, Source(f"fields.{identifier(name)}", TEXT)) for name in names]
    )
    form = json.dumps(dict.fromkeys(names, TEXT), ensure_ascii=False)
    lines = _csv_relation(text.path, JSON_LINE, ["line"], header=False)
    relation = (
        f"(select from_json_strict(line, {literal(form)}) as fields from {lines} "
        "where line is not null)"
    )
    return Delivery(relation, columns, unknown, rows=None)


def _names_of_first_line(text: PlainText) -> list[str] | None:
    """The names in the object of the first line; None if it is none or they are not distinct.

    The engine does not tell the fields of a row apart by case alone.
    """
    first = text.head.lstrip().split(_line_end(text), 1)[0]
    try:
        pairs = json.loads(first, object_pairs_hook=_Pairs)
    except ValueError:
        return None
    names = [name for name, _ in pairs] if isinstance(pairs, _Pairs) else []
    is_distinct = len({name.casefold() for name in names}) == len(names)
    return names if names and all(names) and is_distinct else None


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it stands, names that are there twice included."""


def read_ndjson(
    connection: duckdb.DuckDBPyConnection, feed: Feed, source: FeedSource, text: PlainText
) -> Delivery | None:
    """Describes a file with a JSON object on each line; None if DuckDB cannot read a line."""
    lines = _csv_relation(text.path, JSON_LINE, ["line"], header=False)
    numbered = f"select line, null as number from {lines}"
    return _json_delivery(connection, feed, source, text, numbered)


def read_mended_ndjson(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    source: FeedSource,
    text: PlainText,
    scratch: Path,
) -> Delivery | None:
    """The same for a file with bytes that do not decode: their lines set apart."""
    layout = replace(JSON_LINE, encoding=text.encoding)
    broken = mend(text.path, layout, _line_end(text), scratch)
    lines = _csv_relation(scratch, layout, ["number", "line"], header=False)
    numbered = f"select line, cast(number as bigint) as number from {lines}"
    delivery = _json_delivery(connection, feed, source, text, numbered)
    return replace(delivery, line="number", broken=tuple(broken)) if delivery else None


def _json_delivery(
    connection: duckdb.DuckDBPyConnection,
    feed: Feed,
    source: FeedSource,
    text: PlainText,
    lines: str,
) -> Delivery | None:
    """Values as the text that stands in the file: no number passes through a binary float.

    DuckDB's JSON functions read numbers as such, so those that could suffer are quoted
    before: the character 1 stands in no JSON text, and marks what the pattern found.
    """
    is_object = "json_valid(line) and left(ltrim(line), 1) = '{'"
    try:
        keys = connection.execute(
            "select key, max(len(list_filter(keys, lambda other: other = key))) from ("
            "select keys, unnest(keys) as key from ("
            f"select distinct case when {is_object} then json_keys(line) end as keys from ({lines})"
            ")) group by key order by key"
        ).fetchall()
    except duckdb.InvalidInputException:
        return None
    for key, times in keys:
        if times > 1:
            raise FileRefusedError(f"the column {key} stands in it twice")
    marked = f"regexp_replace(line, {literal(STRING_OR_NUMBER)}, '\\1\x01\\2\x01', 'g')"
    quoted = f"replace(replace({marked}, '\x01\x01', ''), '\x01', '\"')"
    exact = "line"
    if text.seen.has_fragile_numbers:
        is_fragile = f"regexp_matches(line, {literal(FRAGILE_NUMBER)})"
        exact = f"case when {is_fragile} then {quoted} else line end"
    paths = ", ".join(literal(_pointer(key)) for key, _ in keys)
    relation = (
        f"(select number, is_object, json_extract_string({exact}, [{paths}]) as fields from ("
        f"select number, {is_object} as is_object, case when {is_object} then line end as line "
        f"from ({lines}) where line is not null))"
    )
    sources = [(key, Source(f"fields[{n}]", TEXT)) for n, (key, _) in enumerate(keys, start=1)]
    columns, unknown = _matched(feed, source, sources)
    fault = f"case when not is_object then {literal('the line is no JSON object')} end"
    return Delivery(relation, columns, unknown, rows=None, fault=fault)


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _positions(layout: Layout) -> list[tuple[str, Source]]:
    """Columns go by position, so that no name in a header ever meets the parser."""
    return [(name, Source(f"c{index}", TEXT)) for index, name in enumerate(layout.names)]


def _line_end(text: PlainText) -> bytes:
    return b"\n" if b"\n" in text.head else b"\r"


def _csv_relation(path: Path, layout: Layout, names: Sequence[str], *, header: bool) -> str:
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    quote = literal(layout.quote)
    return (
        f"read_csv({literal(path)}, columns = {{{columns}}}, header = {str(header).lower()}, "
        f"compression = 'none', delim = {literal(layout.delimiter)}, quote = {quote}, "
        f"escape = {quote}, auto_detect = false, null_padding = false, "
        f"strict_mode = {str(bool(layout.quote)).lower()})"
    )


def _matched(
    feed: Feed, source: FeedSource, sources: Iterable[tuple[str, Source]]
) -> tuple[dict[str, Source], dict[str, Source]]:
    """The delivered columns the contract knows, and the others, those ignored left out.

    Raises FileRefusedError if a required one is missing or one stands there twice.
    """
    contract = {column.name: column for column in feed.columns}
    columns: dict[str, Source] = {}
    unknown: dict[str, Source] = {}
    for name, place in sources:
        known = source.contract_name(name)
        if source.ignores(name):
            continue
        if known in columns:
            raise FileRefusedError(f"the column {known} stands in it twice")
        if known in contract:
            columns[known] = place
        else:
            unknown[name or "(unnamed)"] = place
    missing = [
        name
        for name, column in contract.items()
        if column.must_be_delivered and name not in columns
    ]
    if missing:
        # Names the contract does not know stay untold: without a header line they are
        # the values of the first row.
        raise FileRefusedError(
            f"missing required column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; its "
            f"header has {', '.join(columns) or 'none of the feed'} and {len(unknown)} unknown"
        )
    return columns, unknown
