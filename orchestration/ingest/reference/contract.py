"""The contract of the reference tables, read from reference.yml."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True)
class Column:
    """One column: its type, whether the file may lack it, what a single value must satisfy."""

    name: str
    type: str
    required: bool
    is_optional: bool
    enum: tuple[str, ...]
    minimum: Decimal | None
    maximum: Decimal | None
    above: Decimal | None
    is_month_start: bool
    is_currency: bool

    @property
    def scale(self) -> int:
        """Digits after the point that the column can hold."""
        return int(self.type.rstrip(")").split(",")[1]) if "(" in self.type else 0


@dataclass(frozen=True)
class Table:
    """One reference table: its columns in order, and its key."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, Column]
    needs_default_rows: bool

    @property
    def file_name(self) -> str:
        """Name of the file that holds the table."""
        return f"{self.name}.csv"


@cache
def load_contract() -> dict[str, Table]:
    """All reference tables by name."""
    text = files("orchestration.ingest").joinpath("reference.yml").read_text("utf-8")
    return {name: _table(name, spec) for name, spec in yaml.safe_load(text).items()}


def _table(name: str, spec: dict[str, Any]) -> Table:
    return Table(
        name=name,
        key=tuple(spec["key"]),
        columns={name: _column(name, body) for name, body in spec["columns"].items()},
        needs_default_rows=spec.get("rows_of") == "defaults",
    )


def _column(name: str, spec: dict[str, Any]) -> Column:
    return Column(
        name=name,
        type=spec["type"],
        required=spec.get("required", False),
        is_optional=spec.get("optional", False),
        enum=tuple(spec.get("enum", ())),
        minimum=_decimal(spec.get("min")),
        maximum=_decimal(spec.get("max")),
        above=_decimal(spec.get("above")),
        is_month_start=spec.get("month_start", False),
        is_currency=spec.get("currency", False),
    )


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
