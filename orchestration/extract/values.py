"""Values of a database as Arrow columns of the contract's types, exact or as text."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa

from orchestration.ingest.contract import Column

ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}

# Of other types Arrow cuts and guesses: 5.5 becomes 5, and 5 the sixth of January 1970.
ARROW_READS: dict[int, set[type]] = {
    pa.string().id: {str, type(None)},
    pa.int64().id: {int, type(None)},
    pa.bool_().id: {bool, type(None)},
    pa.date32().id: {dt.date, type(None)},
    pa.timestamp("us").id: {dt.datetime, type(None)},
    pa.decimal128(1).id: {Decimal, int, type(None)},
}


class MisfitError(Exception):
    """A value does not fit the contract's type as it is; its column has to be text."""


class UnreadableError(Exception):
    """A value that no text can stand for: bytes."""


@dataclass(frozen=True, slots=True)
class Zones:
    """The operator's zone, and that of timestamps delivered without one."""

    home: ZoneInfo
    unzoned: ZoneInfo | None = None

    def local(self, value: dt.datetime) -> dt.datetime:
        """The wall-clock time at the operator's."""
        if value.tzinfo is None:
            if self.unzoned is None:
                return value
            value = value.replace(tzinfo=self.unzoned)
        return value.astimezone(self.home).replace(tzinfo=None)


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column of the contract."""
    digits = column.precision_and_scale
    return pa.decimal128(*digits) if digits else ARROW_TYPES[column.type]


def arrow_column(values: Sequence[object], wanted: pa.DataType, zones: Zones) -> pa.Array:
    """The values in the wanted type, none of them changed.

    Raises MisfitError if one cannot stand in it exactly: nothing is rounded or cut, the
    loader is to judge what was delivered.
    """
    if pa.types.is_timestamp(wanted):
        values = [_moment(value, zones) for value in values]
    elif pa.types.is_date(wanted):
        values = [_day(value, zones) for value in values]
    if not set(map(type, values)) <= ARROW_READS[wanted.id]:
        if not pa.types.is_string(wanted):
            raise MisfitError
        values = [as_text(value, zones) for value in values]
    try:
        return pa.array(values, wanted)
    except (pa.ArrowException, OverflowError) as error:
        raise MisfitError from error


def _moment(value: object, zones: Zones) -> object:
    if isinstance(value, dt.datetime):
        return zones.local(value)
    return dt.datetime.combine(value, dt.time()) if isinstance(value, dt.date) else value


def _day(value: object, zones: Zones) -> object:
    """The day of a midnight, anything else as it is."""
    if isinstance(value, dt.datetime):
        local = zones.local(value)
        return local.date() if local.time() == dt.time() else local
    return value


def as_text(value: object, zones: Zones) -> str | None:
    """A value as the loader reads it from text, with every digit it has.

    Raises UnreadableError for bytes: their meaning is nobody's guess.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, dt.datetime):
        return zones.local(value).isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise UnreadableError
    return str(value)
