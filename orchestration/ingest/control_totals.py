"""Control totals: what the sender says of the files beside `_control.json`."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path, PurePosixPath

CONTROL_FILE = "_control.json"
LARGEST_CONTROL = 64 << 20  # bytes: some hundred thousand files
# What the ledger holds exactly: 29 digits before the point, 9 after it.
EXACT = Context(prec=38)
SMALLEST = Decimal("1e-9")
ROWS = "rows"
WANTED = '{"files": {"NAME": {"rows": 1, "sums": {"COLUMN": "1.00"}, "sha256": "…"}}}'


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """What the sender says of one file; what it does not say is None or absent."""

    rows: int | None = None
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ComparedTotal:
    """One declared total beside what was found; `measure` is `rows` or a column.

    What was found is told by what became of the rows. It is None where the file was refused
    before anything was counted.
    """

    measure: str
    declared: Decimal
    loaded: Decimal | None = None
    quarantined: Decimal | None = None
    duplicate: Decimal | None = None

    @property
    def found(self) -> Decimal | None:
        """The total over all rows delivered."""
        if self.loaded is None or self.quarantined is None or self.duplicate is None:
            return None
        return self.loaded + self.quarantined + self.duplicate


def declared_totals(totals: ControlTotals | None) -> tuple[ComparedTotal, ...]:
    """The totals of a file as declared, with nothing to compare them with."""
    if totals is None:
        return ()
    rows = () if totals.rows is None else (ComparedTotal(ROWS, Decimal(totals.rows)),)
    return rows + tuple(ComparedTotal(name, total) for name, total in totals.sums.items())


def read_control(path: Path) -> tuple[dict[str, ControlTotals], str | None]:
    """The totals by file name, and what is wrong with the control file (or None).

    A control file that is wrong says nothing: the files beside it are then refused.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return {}, f"{_place()} are a link to nothing" if path.is_symlink() else None
    except OSError:
        return {}, f"{_place()} cannot be read"
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_CONTROL:
        return {}, f"{_place()} are no regular file of at most {LARGEST_CONTROL >> 20} MiB"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return {}, f"{_place()} cannot be read"
    try:
        totals = _parsed(text)
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation, RecursionError):
        return {}, f"{_place()} are not of the form {WANTED}"
    if any(_leads_elsewhere(name) for name in totals):
        return {}, f"{_place()} name a file outside the feed's folder"
    return totals, None


def _place() -> str:
    return f"the control totals beside it ({CONTROL_FILE})"


def _parsed(text: str) -> dict[str, ControlTotals]:
    declared = json.loads(text, parse_float=Decimal, object_pairs_hook=_without_repeats)
    return {name: _totals(spec) for name, spec in declared["files"].items()}


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Of two totals of one file nobody knows which one holds."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name stands there twice")
    return dict(pairs)


def _leads_elsewhere(name: str) -> bool:
    path = PurePosixPath(name)
    return not name or path.is_absolute() or ".." in path.parts or "\0" in name


def _totals(spec: Mapping[str, object]) -> ControlTotals:
    rows, sums, sha256 = spec.get("rows"), spec.get("sums", {}), spec.get("sha256")
    if isinstance(rows, str):
        rows = int(rows)
    if rows is not None and (isinstance(rows, bool) or not isinstance(rows, int) or rows < 0):
        raise ValueError("rows is no count")
    if rows is not None:
        _amount(rows)
    if not isinstance(sums, Mapping):
        raise TypeError("sums go by column")
    return ControlTotals(
        rows=rows,
        sums={name: _amount(value) for name, value in sums.items()},
        sha256=None if sha256 is None else str(sha256).strip().lower(),
    )


def _amount(value: object) -> Decimal:
    amount = Decimal(str(value))
    if isinstance(value, bool) or not amount.is_finite():
        raise ValueError("a sum is no number")
    if amount.quantize(SMALLEST, context=EXACT) != amount:
        raise ValueError("a sum has more decimals than any column")
    return amount
