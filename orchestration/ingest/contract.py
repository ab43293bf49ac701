"""The raw feed contract: what feeds.yml says, as typed objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import yaml

PERSONAL_CLASSES = frozenset({"basic", "communication", "preference"})
SQL_TYPES = {
    "string": "varchar",
    "integer": "bigint",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
DECIMAL_TYPE = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a feed. `default` is the text of the value a null takes."""

    name: str
    type: str
    required: bool = False
    default: str | None = None
    enum: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    pii: str | None = None
    references: str | None = None
    description: str | None = None

    @property
    def sql_type(self) -> str:
        """The type in the lake."""
        return SQL_TYPES.get(self.type, self.type)

    @property
    def precision_and_scale(self) -> tuple[int, int] | None:
        """Digits in all and after the point of a decimal column, else None."""
        found = DECIMAL_TYPE.fullmatch(self.type)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def is_personal(self) -> bool:
        """Whether a value may never stand in a message, a log or a report."""
        return self.pii in PERSONAL_CLASSES

    @property
    def must_be_delivered(self) -> bool:
        """Whether a file without this column is refused."""
        return self.required and self.default is None


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed: its columns in the order of the contract, its key, its history."""

    name: str
    domain: str
    required: bool
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    versioned_by: str | None = None
    month: str | None = None

    @property
    def version_key(self) -> tuple[str, ...]:
        """What identifies a row within one file: the key, and the version if any."""
        return (*self.key, self.versioned_by) if self.versioned_by else self.key


@cache
def feed_contract() -> Mapping[str, Feed]:
    """The feeds of feeds.yml by name, in its order."""
    text = files(__package__).joinpath("feeds.yml").read_text(encoding="utf-8")
    declared: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return MappingProxyType({name: _feed(name, spec) for name, spec in declared.items()})


def _feed(name: str, spec: dict[str, Any]) -> Feed:
    return Feed(
        name=name,
        domain=spec["domain"],
        required=spec["required"],
        key=tuple(spec["key"]),
        columns=tuple(_column(key, value) for key, value in spec["columns"].items()),
        versioned_by=spec.get("versioned_by"),
        month=spec.get("month"),
    )


def _column(name: str, spec: dict[str, Any]) -> Column:
    return Column(
        name=name,
        type=spec["type"],
        required=spec.get("required", False),
        default=_text(spec.get("default")),
        enum=tuple(spec.get("enum", ())),
        minimum=_decimal(spec.get("min")),
        maximum=_decimal(spec.get("max")),
        pii=spec.get("pii"),
        references=spec.get("references"),
        description=spec.get("description"),
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
