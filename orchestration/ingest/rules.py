"""The contract's rules as SQL: how a delivered value is typed, and when it is a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from orchestration.ingest.contract import Column, Feed
from orchestration.ingest.readers import TEXT, Delivery
from orchestration.ingest.sources import CONTRACT, FeedSource
from orchestration.ingest.sql import identifier, literal

MASK = "***"
ROW_AT_FAULT = "a row of the file is at fault"
LONGEST_VALUE = 100  # characters of a value shown in a reason
WIDE = 28  # digits of a number before its unit is taken: 10 are left for the unit
WHOLE_TYPES = frozenset(
    f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")
) | {"INTEGER", "UINTEGER"}
FLOAT_TYPES = frozenset({"FLOAT", "DOUBLE"})
ZONED = "TIMESTAMP WITH TIME ZONE"
INSTANT_TYPES = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", ZONED})

DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?"
MIDNIGHT = r"00:00(:00(\.0+)?)?"
ZONE = r" ?(Z|[+-][0-9]{2}(:[0-9]{2})?)"
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)"
WHOLE_NUMBER = r"[+-]?[0-9]+(\.0*)?"


@dataclass(frozen=True, slots=True)
class Rule:
    """A way for the value of a column to be a fault: when, and in what words."""

    fault: str
    words: str


def judged(
    feed: Feed,
    delivery: Delivery,
    timezone: str,
    declared: FeedSource = CONTRACT,
    *,
    keep_originals: bool = False,
) -> str:
    """The select that types and judges every row of a delivered file, in the file's order.

    Columns: those of the contract, typed, defaults taken; `_line` (the row's number
    where the order does not give it); `_reasons` (null for a sound row); `_row_json`
    (a faulty row as delivered, personal columns masked); `_original` (the same with
    nothing masked, columns of the contract only; of every row where `keep_originals`, or
    where values are declared to be written otherwise than the contract would write them);
    `_unknown` (the values of unknown columns as JSON, null where there are none).
    """
    present = _present(feed, delivery)
    readings = _readings(present, delivery, declared)
    reasons = ", ".join(
        _reason(column, tuple(_rules(feed, readings[column.name]))) for column in present
    )
    # A row found at fault later, for its key, could not be told as delivered from its values
    # where those are read as declared.
    kept = "true" if keep_originals or declared.of_values() != CONTRACT else "_is_faulty"
    final = [
        *_finals(feed, delivery),
        "_line",
        f"case when _is_faulty then coalesce(_fault, concat_ws('; ', {reasons})) end as _reasons",
        f"case when _is_faulty then {_delivered_json(present, delivery)} end as _row_json",
        f"case when {kept} then {_original_json(present)} end as _original",
        f"{_unknown_json(delivery)} as _unknown",
    ]
    return f"select {', '.join(final)} from {_typed_rows(feed, delivery, timezone, declared)}"


def sound(
    feed: Feed, delivery: Delivery, load_id: str, timezone: str, declared: FeedSource = CONTRACT
) -> str:
    """The select of the rows of a file without a fault, as they go to the lake.

    It fails with ROW_AT_FAULT on any other. `_row_number` is null where the order of the
    rows gives it.
    """
    final = [
        *_finals(feed, delivery),
        f"{literal(load_id)} as _load_id",
        f"case when _is_faulty then cast(error({literal(ROW_AT_FAULT)}) as bigint) else _line end "
        "as _row_number",
    ]
    return f"select {', '.join(final)} from {_typed_rows(feed, delivery, timezone, declared)}"


def _typed_rows(feed: Feed, delivery: Delivery, timezone: str, declared: FeedSource) -> str:
    """Every row with its columns as delivered, the same typed, and whether any is at fault."""
    present = _present(feed, delivery)
    readings = _readings(present, delivery, declared)
    raw = [
        *(f"{delivery.columns[column.name].expression} as {_raw(column)}" for column in present),
        *(
            f"{source.expression} as u{index}"
            for index, source in enumerate(delivery.unknown.values())
        ),
        f"{delivery.line or 'cast(null as bigint)'} as _line",
        f"{delivery.fault or 'cast(null as varchar)'} as _fault",
    ]
    typed = [f"{_typed(readings[column.name], timezone)} as {_value(column)}" for column in present]
    faults = [f"({fault})" for column in present for fault in _faults(feed, readings[column.name])]
    faulty = " or ".join(["_fault is not null", *faults])
    return (
        f"(select *, coalesce({faulty}, false) as _is_faulty from ("
        f"select *, {', '.join(typed)} from ("
        f"select {', '.join(raw)} from {delivery.relation})))"
    )


def _present(feed: Feed, delivery: Delivery) -> list[Column]:
    return [column for column in feed.columns if column.name in delivery.columns]


def _readings(
    present: list[Column], delivery: Delivery, declared: FeedSource
) -> dict[str, Reading]:
    return {
        column.name: Reading(column, delivery.columns[column.name].type, declared)
        for column in present
    }


def _finals(feed: Feed, delivery: Delivery) -> list[str]:
    return [
        f"{_final(column, column.name in delivery.columns)} as {identifier(column.name)}"
        for column in feed.columns
    ]


def row_json(feed: Feed, *, masked: bool = True) -> str:
    """A typed row as JSON text, personal columns masked unless told otherwise."""
    return _json(
        (column.name, identifier(column.name), masked and column.is_personal)
        for column in feed.columns
    )


def _original_json(present: list[Column]) -> str:
    return _json((column.name, _raw(column), False) for column in present)


def _delivered_json(present: list[Column], delivery: Delivery) -> str:
    """Unknown columns are masked: nobody has said what class of data they hold."""
    return _json(
        [
            *((column.name, _raw(column), column.is_personal) for column in present),
            *((name, f"u{index}", True) for index, name in enumerate(delivery.unknown)),
        ]
    )


def _unknown_json(delivery: Delivery) -> str:
    if not delivery.unknown:
        return "cast(null as varchar)"
    values = [f"u{index}" for index in range(len(delivery.unknown))]
    told = _json(
        [(name, value, False) for name, value in zip(delivery.unknown, values, strict=True)]
    )
    is_there = " or ".join(f"{value} is not null" for value in values)
    return f"case when {is_there} then {told} end"


def _json(fields: Iterator[tuple[str, str, bool]] | list[tuple[str, str, bool]]) -> str:
    members = ", ".join(
        f"{literal(name)}, "
        + (
            f"case when {expression} is not null then '{MASK}' end"
            if masked
            else f"cast({expression} as varchar)"
        )
        for name, expression, masked in fields
    )
    return f"cast(json_object({members}) as varchar)"


def _raw(column: Column) -> str:
    return identifier(f"raw {column.name}")


def _value(column: Column) -> str:
    return identifier(f"value {column.name}")


def _final(column: Column, delivered: bool) -> str:
    if delivered and column.default is None:
        return _value(column)
    default = "null" if column.default is None else literal(column.default)
    typed_default = f"cast({default} as {column.sql_type})"
    return f"coalesce({_value(column)}, {typed_default})" if delivered else typed_default


@dataclass(frozen=True, slots=True)
class Reading:
    """How the values of a delivered column are read: their type, and what is declared."""

    column: Column
    type: str
    declared: FeedSource

    @property
    def is_text(self) -> bool:
        """Whether the values are delivered as text."""
        return self.type == TEXT

    @property
    def codes(self) -> dict[str, str]:
        """The operator's codes and the contract's; none where the column has none."""
        return self.declared.codes.get(self.column.name, {})

    @property
    def format(self) -> str | None:
        """The declared format of a date or time delivered as text."""
        return self.declared.format_of(self.column) if self.is_text else None

    @property
    def factor(self) -> Decimal:
        """What a delivered number is multiplied by."""
        return self.declared.factor(self.column.name)

    @property
    def shift(self) -> int:
        """Places by which the unit moves the decimal point: -2 for fen."""
        return self.factor.adjusted()

    @property
    def has_marks(self) -> bool:
        """Whether numbers in text are written otherwise than the contract says."""
        said = self.declared
        return self.is_text and (
            said.decimal_mark != "." or said.thousands_mark != "" or said.negative != "sign"
        )


def _is_missing(reading: Reading) -> str:
    """Null; of text that is to become something else, blanks too.

    DuckDB's CSV reader makes a null of every empty field.
    """
    raw = _raw(reading.column)
    if reading.is_text and reading.column.type != "string":
        return f"({raw} is null or trim({raw}) = '')"
    return f"({raw} is null)"


def _faults(feed: Feed, reading: Reading) -> Iterator[str]:
    """When a column is at fault: as `_rules` says, but cheap, since every row is asked."""
    column = reading.column
    if column.must_be_delivered:
        yield f"{_value(column)} is null"
    elif _may_be_unreadable(reading):
        yield f"case when {_value(column)} is null then not {_is_missing(reading)} else false end"
    yield from (rule.fault for rule in _limits(feed, reading))


def _may_be_unreadable(reading: Reading) -> bool:
    return reading.column.type != "string" or not _is_readable(reading)


def _rules(feed: Feed, reading: Reading) -> Iterator[Rule]:
    column = reading.column
    value, missing = _value(column), _is_missing(reading)
    if column.must_be_delivered:
        yield Rule(f"{value} is null and {missing}", literal("a value is required"))
    if _may_be_unreadable(reading):
        yield Rule(f"{value} is null and not {missing}", _unreadable(reading))
    yield from _limits(feed, reading)


def _limits(feed: Feed, reading: Reading) -> Iterator[Rule]:
    """The rules on values that could be read."""
    column = reading.column
    raw, value = _raw(column), _value(column)
    if column.enum:
        # A list, for the engine makes a join of a long IN, and a join ends its plans that read
        # and write on all processors and keep the order of rows.
        codes = ", ".join(literal(code) for code in column.enum)
        allowed = literal(f" is not one of {', '.join(column.enum)}{_mapped_from(reading)}")
        yield Rule(f"not list_contains([{codes}], {value})", f"{_shown(column, raw)} || {allowed}")
    if column.minimum is not None:
        below = literal(f" is below the minimum {column.minimum}")
        yield Rule(f"{value} < {column.minimum}", f"{_shown(column, raw)} || {below}")
    if column.maximum is not None:
        above = literal(f" is above the maximum {column.maximum}")
        yield Rule(f"{value} > {column.maximum}", f"{_shown(column, raw)} || {above}")
    if column.name == feed.month:
        wrong = literal(" is not the first day of a month")
        yield Rule(f"day({value}) <> 1", f"{_shown(column, raw)} || {wrong}")


def _mapped_from(reading: Reading) -> str:
    return (
        f" (nor of the codes mapped to them: {', '.join(reading.codes)})" if reading.codes else ""
    )


def _reason(column: Column, rules: tuple[Rule, ...]) -> str:
    """The first broken rule of a column, after its name; null where none is."""
    if not rules:
        return "null"
    cases = " ".join(f"when {rule.fault} then {rule.words}" for rule in rules)
    return f"{literal(column.name + ': ')} || case {cases} end"


def _shown(column: Column, raw: str) -> str:
    if column.is_personal:
        return literal(f"the value ({MASK})")
    return f"'''' || left(cast({raw} as varchar), {LONGEST_VALUE}) || ''''"


def _unreadable(reading: Reading) -> str:
    """Why a value could not be typed, as precisely as its text allows."""
    column, raw = reading.column, _raw(reading.column)
    shown = _shown(column, raw)
    if not _is_readable(reading):
        wrong = literal(f" is of type {reading.type}, which is no {column.type}")
        return f"{shown} || {wrong}"
    if column.precision_and_scale:
        return f"{shown} || {_no_decimal(reading)}"
    if reading.format:
        wrong = literal(f" is not a {column.type} as declared ({reading.format})")
        return f"{shown} || {wrong}"
    if column.type == "date":
        moment = literal(f"{DAY}[ T]{CLOCK}({ZONE})?")
        return (
            f"{shown} || case when regexp_full_match(trim(cast({raw} as varchar)), {moment}) "
            "then ' carries a time of day where a date is wanted' "
            "else ' is not a date (YYYY-MM-DD)' end"
        )
    codes = _mapped_from(reading)
    words = {
        "integer": f" is not a whole number of at most 64 bits{_as_written(reading)}",
        "timestamp": " is not a timestamp (YYYY-MM-DD HH:MM:SS, at most microseconds)",
        "boolean": f" is not one of true, false, t, f, 1, 0, yes, no{codes}",
    }
    return f"{shown} || {literal(words[column.type])}"


def _no_decimal(reading: Reading) -> str:
    column, raw = reading.column, _raw(reading.column)
    text = _plain_number(reading, f"trim(cast({raw} as varchar))")
    scale = max(_scale(column) + reading.shift, 0)
    wrong = literal(f" is not a number{_as_written(reading)}")
    too_fine = f" has more than {scale} decimals" if scale else " is not a whole number"
    return (
        f"case when not coalesce(regexp_full_match({text}, {literal(NUMBER)}), false) "
        f"then {wrong} "
        f"when not regexp_full_match({text}, {literal(_exact_number(scale))}) "
        f"then {literal(too_fine)} "
        f"else ' does not fit into {column.type}' end"
    )


def _as_written(reading: Reading) -> str:
    """How numbers are declared to be written, where they are."""
    if not reading.has_marks:
        return ""
    said = reading.declared
    told = [f"decimal mark {said.decimal_mark}"]
    if said.thousands_mark:
        told.append(f"thousands mark {said.thousands_mark}")
    if said.negative == "parentheses":
        told.append("negative in parentheses")
    return f" as declared ({', '.join(told)})"


def _is_readable(reading: Reading) -> bool:
    """Whether any value of a delivered type can become one of the contract's."""
    column, delivered = reading.column, reading.type
    if delivered == TEXT:
        return True
    if column.type == "string":
        return delivered in WHOLE_TYPES or delivered == "UUID"
    if column.type in ("date", "timestamp"):
        return delivered == "DATE" or delivered in INSTANT_TYPES
    if column.type == "boolean":
        return delivered == "BOOLEAN" or delivered in WHOLE_TYPES
    return delivered in WHOLE_TYPES or delivered in FLOAT_TYPES or delivered.startswith("DECIMAL(")


def _typed(reading: Reading, timezone: str) -> str:
    """The value in the contract's type; null where it is missing or unreadable."""
    column, raw = reading.column, _raw(reading.column)
    if not _is_readable(reading):
        return f"cast(null as {column.sql_type})"
    if column.type == "string":
        return _coded(reading, f"cast({raw} as varchar)")
    if column.type == "boolean":
        return _boolean(reading, raw)
    if reading.format:
        return _in_format(column, f"trim({raw})", reading.format)
    if column.type == "timestamp":
        return _instant(raw, reading.type, timezone)
    if column.type == "date":
        return _date(raw, reading.type, timezone)
    if column.type == "integer":
        return _integer(reading, raw)
    return _decimal(reading, raw)


def _coded(reading: Reading, text: str) -> str:
    """The contract's code; one that no mapping names stays, for the rules to judge."""
    if not reading.codes:
        return text
    cases = " ".join(
        f"when {literal(theirs.strip())} then {literal(ours)}"
        for theirs, ours in reading.codes.items()
    )
    return f"case trim({text}) {cases} else {text} end"


def _boolean(reading: Reading, raw: str) -> str:
    if reading.type == "BOOLEAN" and not reading.codes:
        return raw
    text = f"lower(trim({_coded(reading, f'cast({raw} as varchar)')}))"
    return (
        f"case when {text} in ('true', 't', '1', 'yes') then true "
        f"when {text} in ('false', 'f', '0', 'no') then false end"
    )


def _in_format(column: Column, text: str, fmt: str) -> str:
    """A date or time in a declared format; only what the format writes back the same."""
    read = f"try_strptime({text}, {literal(fmt)})"
    same = f"strftime({read}, {literal(fmt)}) = {text}"
    value = f"case when {same} then {read} end"
    return f"cast({value} as date)" if column.type == "date" else value


def _plain_number(reading: Reading, text: str) -> str:
    """A number in text as the contract writes it; null if it is not as declared."""
    if not reading.has_marks:
        return text
    said = reading.declared
    point = re.escape(said.decimal_mark)
    whole = "[0-9]+"
    if said.thousands_mark:
        whole = f"([0-9]+|[0-9]{{1,3}}({re.escape(said.thousands_mark)}[0-9]{{3}})+)"
    number = f"({whole}({point}[0-9]*)?|{point}[0-9]+)"
    wanted = rf"[+-]?{number}"
    if said.negative == "parentheses":
        wanted = rf"({wanted}|\({number}\))"
    plain = text
    if said.thousands_mark:
        plain = f"replace({plain}, {literal(said.thousands_mark)}, '')"
    if said.decimal_mark != ".":
        plain = f"replace({plain}, {literal(said.decimal_mark)}, '.')"
    if said.negative == "parentheses":
        plain = f"replace(replace({plain}, '(', '-'), ')', '')"
    return f"case when regexp_full_match({text}, {literal(wanted)}) then {plain} end"


def _integer(reading: Reading, raw: str) -> str:
    if reading.shift:
        return f"try_cast({_scaled(reading, raw, 0)} as bigint)"
    delivered = reading.type
    if delivered == TEXT:
        text = _plain_number(reading, f"trim({raw})")
        whole = f"try_cast(split_part({text}, '.', 1) as bigint)"
        return f"case when regexp_full_match({text}, {literal(WHOLE_NUMBER)}) then {whole} end"
    if delivered in WHOLE_TYPES:
        return f"try_cast({raw} as bigint)"
    finite = f"isfinite({raw}) and " if delivered in FLOAT_TYPES else ""
    return f"case when {finite}trunc({raw}) = {raw} then try_cast({raw} as bigint) end"


def _decimal(reading: Reading, raw: str) -> str:
    column = reading.column
    if reading.shift:
        return f"try_cast({_scaled(reading, raw, _scale(column))} as {column.sql_type})"
    return _exact(reading, raw, column.sql_type, _scale(column))


def _scaled(reading: Reading, raw: str, scale: int) -> str:
    """A number times a power of ten, with `scale` decimals, never rounded."""
    before = max(scale + reading.shift, 0)
    wide = f"decimal({WIDE},{before})"
    value = _exact(reading, raw, wide, before)
    places = max(-reading.shift, 0)
    factor = f"cast({reading.factor:f} as decimal({abs(reading.shift) + 1},{places}))"
    product = f"try({value} * {factor})"
    return f"case when {product} = try_cast({product} as decimal(38,{scale})) then {product} end"


def _exact(reading: Reading, raw: str, wanted: str, scale: int) -> str:
    """Never rounds: a value that does not stand in the wanted scale is unreadable.

    A binary float is read as the decimal that is its nearest neighbour both ways.
    """
    delivered = reading.type
    if delivered == TEXT:
        text = _plain_number(reading, f"trim({raw})")
        exact = literal(_exact_number(scale))
        slow = f"when regexp_full_match({text}, {exact}) then try_cast({text} as {wanted})"
        if reading.has_marks:
            return f"case {slow} end"
        # A text that its value begins with when written out needs no pattern: most do.
        value = f"try_cast({raw} as {wanted})"
        return f"case when starts_with(cast({value} as varchar), {raw}) then {value} {slow} end"
    value = f"try_cast({raw} as {wanted})"
    if delivered in FLOAT_TYPES:
        returns = f"cast({value} as {delivered}) = {raw}"
        return f"case when isfinite({raw}) and {returns} then {value} end"
    if delivered.startswith("DECIMAL("):
        return f"case when try_cast({value} as {delivered}) = {raw} then {value} end"
    return value


def _scale(column: Column) -> int:
    return column.precision_and_scale[1] if column.precision_and_scale else 0


def _instant(raw: str, delivered: str, timezone: str) -> str:
    """A wall-clock time in the business time zone; one with a zone is converted."""
    if delivered == TEXT:
        text = f"trim({raw})"
        plain, zoned = literal(f"{DAY}([ T]{CLOCK})?"), literal(f"{DAY}[ T]{CLOCK}{ZONE}")
        return (
            f"case when regexp_full_match({text}, {plain}) then try_cast({text} as timestamp) "
            f"when regexp_full_match({text}, {zoned}) "
            f"then {_at_home(f'try_cast({text} as timestamptz)', timezone)} end"
        )
    if delivered == ZONED:
        return f"case when isfinite({raw}) then {_at_home(raw, timezone)} end"
    value = f"try_cast({raw} as timestamp)"
    if delivered == "TIMESTAMP_NS":
        return f"case when cast({value} as timestamp_ns) = {raw} then {value} end"
    return f"case when isfinite({value}) then {value} end"


def _at_home(instant: str, timezone: str) -> str:
    return f"({instant} at time zone {literal(timezone)})"


def _date(raw: str, delivered: str, timezone: str) -> str:
    """A day, also one delivered as a time at midnight."""
    if delivered == "DATE":
        return f"case when isfinite({raw}) then {raw} end"
    if delivered != TEXT:
        return _if_midnight(_instant(raw, delivered, timezone))
    text = f"trim({raw})"
    plain, zoned = literal(f"{DAY}([ T]{MIDNIGHT})?"), literal(f"{DAY}[ T]{CLOCK}{ZONE}")
    instant = _at_home(f"try_cast({text} as timestamptz)", timezone)
    return (
        f"case when regexp_full_match({text}, {plain}) then try_cast(left({text}, 10) as date) "
        f"when regexp_full_match({text}, {zoned}) then {_if_midnight(instant)} end"
    )


def _if_midnight(instant: str) -> str:
    return f"case when {instant} = date_trunc('day', {instant}) then cast({instant} as date) end"


def _exact_number(scale: int) -> str:
    if not scale:
        return WHOLE_NUMBER
    return rf"[+-]?([0-9]+(\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)"
