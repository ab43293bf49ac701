"""What a trace holds: published rows, delivered rows, rules, sums and files."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Sum:
    """A published figure of a month, and what the rows behind it add up to."""

    month: dt.date
    figure: str
    published: Decimal
    traced: Decimal

    @property
    def ties(self) -> bool:
        """Whether they are the same, to the last decimal."""
        return self.published == self.traced


@dataclass
class Trace:
    """Everything behind the rows of a mart for one customer and month.

    `between` are published rows on the way, `sources` delivered rows by feed, each with
    its file; `rules` rows of reference tables by name.
    """

    mart: str
    run_id: str
    customer_id: str
    month: dt.date
    rows: list[Row]
    between: dict[str, list[Row]] = field(default_factory=dict)
    sources: dict[str, list[Row]] = field(default_factory=dict)
    rules: dict[str, list[Row]] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    files: list[Row] = field(default_factory=list)


def trace_as_json(found: Trace) -> str:
    """The trace for programs; money as text, to the last decimal."""
    content = asdict(found)
    content["sums"] = [{**asdict(each), "ties": each.ties} for each in found.sums]
    return json.dumps(content, indent=2, ensure_ascii=False, default=str)
