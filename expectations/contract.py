"""What the suites need to know of the feed contract, read from a plain mapping.

The mapping is the content of the contract's YAML; whoever calls the suites reads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Contract = Mapping[str, Mapping[str, Any]]

REFERENCE_TABLES = ("regions", "products")
COUNTED = "category not in ('duplicate', 'trial')"


@dataclass(frozen=True)
class Period:
    """What a run closes: its last month (the first day), its currency, and its own day."""

    closing_month: dt.date
    reporting_currency: str
    today: dt.date


@dataclass(frozen=True)
class Reference:
    """A column that names a row of another feed or of a reference table."""

    column: str
    parent: str
    parent_column: str

    @property
    def table(self) -> str:
        """The schema-qualified table that holds the parents."""
        schema = "reference" if self.parent in REFERENCE_TABLES else "raw"
        return f"{schema}.{self.parent}"


@dataclass(frozen=True)
class Feed:
    """One feed of the contract."""

    name: str
    domain: str
    required: bool
    key: tuple[str, ...]
    version: str | None
    columns: Mapping[str, Mapping[str, Any]]

    @property
    def table(self) -> str:
        """The view of all its active rows."""
        return f"raw.{self.name}"

    @property
    def required_columns(self) -> list[str]:
        """Columns that may not be empty."""
        return [name for name, rules in self.columns.items() if rules.get("required")]

    @property
    def personal_columns(self) -> frozenset[str]:
        """Columns whose values must not be shown in any result."""
        return frozenset(name for name, rules in self.columns.items() if "pii" in rules)

    @property
    def references(self) -> list[Reference]:
        """Columns that name a row elsewhere."""
        found = []
        for name, rules in self.columns.items():
            if "references" in rules:
                parent, parent_column = rules["references"].split(".")
                found.append(Reference(name, parent, parent_column))
        return found

    @property
    def months(self) -> list[str]:
        """Columns that hold a month as its first day."""
        return [name for name in self.columns if name.endswith("_month")]


def feed_of(contract: Contract, name: str) -> Feed:
    """The feed of that name; KeyError if the contract has none."""
    entry = contract[name]
    return Feed(
        name=name,
        domain=entry["domain"],
        required=bool(entry.get("required")),
        key=tuple(entry["key"]),
        version=entry.get("versioned_by"),
        columns=entry["columns"],
    )
