"""Rules that one row keeps or breaks by itself; all of a suite run in one query."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from expectations.custom.base import RowRule, quoted


class ExpectValuesToBePresent(RowRule):
    """A value that the contract requires is there."""

    column: str
    success_keys: ClassVar[tuple[str, ...]] = (*RowRule.success_keys, "column")

    @override
    def failing(self) -> str:
        return f"{self.column} is null"


class ExpectCodesToBeKnown(RowRule):
    """A code is one of those agreed; an empty value is left to its own rule."""

    column: str
    codes: list[str]
    success_keys: ClassVar[tuple[str, ...]] = (*RowRule.success_keys, "column", "codes")

    @override
    def failing(self) -> str:
        return f"{self.column} not in ({quoted(self.codes)})"


class ExpectValuesToBeWithin(RowRule):
    """A number lies between its bounds, both included; an absent bound is open."""

    column: str
    at_least: float | None = None
    at_most: float | None = None
    success_keys: ClassVar[tuple[str, ...]] = (
        *RowRule.success_keys,
        "column",
        "at_least",
        "at_most",
    )

    @override
    def failing(self) -> str:
        bounds = []
        if self.at_least is not None:
            bounds.append(f"{self.column} < {self.at_least:g}")
        if self.at_most is not None:
            bounds.append(f"{self.column} > {self.at_most:g}")
        return f"({' or '.join(bounds) or 'false'})"


class ExpectMonthsToBeFirstDays(RowRule):
    """A month is given as its first day."""

    column: str
    success_keys: ClassVar[tuple[str, ...]] = (*RowRule.success_keys, "column")

    @override
    def failing(self) -> str:
        return f"extract(day from {self.column}) <> 1"


class ExpectDatesToBeInOrder(RowRule):
    """One date is not before another; where either is empty nothing is compared."""

    earlier: str
    later: str
    success_keys: ClassVar[tuple[str, ...]] = (
        *RowRule.success_keys,
        "earlier",
        "later",
    )

    @override
    def failing(self) -> str:
        return f"{self.later} < {self.earlier}"


class ExpectDatesNotToBeInTheFuture(RowRule):
    """An event had happened when the run began; a day's grace covers the time zones."""

    column: str
    success_keys: ClassVar[tuple[str, ...]] = (*RowRule.success_keys, "column")

    @override
    def failing(self) -> str:
        return f"cast({self.column} as date) > (select today + 1 from checks.clock)"


class ExpectReferencesToBeKnown(RowRule):
    """A reference names a row that exists; an empty optional reference is none."""

    column: str
    parent: str
    parent_column: str
    success_keys: ClassVar[tuple[str, ...]] = (
        *RowRule.success_keys,
        "column",
        "parent",
        "parent_column",
    )

    @override
    def failing(self) -> str:
        known = f"select {self.parent_column} from {self.parent}"
        return (
            f"({self.column} is not null and {self.column} not in"
            f" ({known} where {self.parent_column} is not null))"
        )


class ExpectComponentsToAddUp(RowRule):
    """A total is the sum of its parts, exactly; an unmeasured part counts as 0."""

    total: str
    components: list[str]
    success_keys: ClassVar[tuple[str, ...]] = (
        *RowRule.success_keys,
        "total",
        "components",
    )

    @override
    def failing(self) -> str:
        parts = " + ".join(f"coalesce({part}, 0)" for part in self.components)
        return f"coalesce({self.total}, 0) <> {parts}"


class ExpectRowsToSatisfy(RowRule):
    """A condition of the business holds for every row; unknown counts as broken."""

    condition: str
    success_keys: ClassVar[tuple[str, ...]] = (*RowRule.success_keys, "condition")

    @override
    def failing(self) -> str:
        return f"({self.condition}) is not true"
