"""The fault that each kind of rule must find, derived from the rule itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from expectations.custom.base import Rule
from expectations.custom.keys import ExpectKeysToBeUnique
from expectations.custom.rows import (
    ExpectCodesToBeKnown,
    ExpectComponentsToAddUp,
    ExpectDatesNotToBeInTheFuture,
    ExpectDatesToBeInOrder,
    ExpectMonthsToBeFirstDays,
    ExpectReferencesToBeKnown,
    ExpectValuesToBePresent,
    ExpectValuesToBeWithin,
)
from expectations.custom.tables import ExpectRowsToBePresent


@dataclass(frozen=True)
class Fault:
    """SQL that breaks good data. `column` is what it breaks; None: whole rows."""

    name: str
    statements: tuple[str, ...]
    column: str | None = None


def expectation_id(rule: Rule) -> str:
    return str((rule.meta or {})["expectation_id"])


def faults_of(rule: Rule) -> Iterator[Fault]:
    """Faults that a structured rule must find; none for a rule with SQL of its own."""
    table = rule.dataset
    one_row = f"where rowid = (select min(rowid) from {table} where"

    def change(name: str, column: str, value: str, condition: str = "true") -> Fault:
        statement = f"update {table} set {column} = {value} {one_row} {condition})"
        return Fault(name, (statement,), column)

    match rule:
        case ExpectValuesToBePresent(column=column):
            yield change("missing", column, "null")
        case ExpectCodesToBeKnown(column=column):
            yield change("unknown", column, "'?'")
        case ExpectValuesToBeWithin(column=column, at_least=low, at_most=high):
            if low is not None:
                yield change("below", column, f"{low:g} - 1")
            if high is not None:
                yield change("above", column, f"{high:g} + 1")
        case ExpectMonthsToBeFirstDays(column=column):
            yield change(
                "second_day", column, f"{column} + interval 1 day", f"{column} is not null"
            )
        case ExpectReferencesToBeKnown(column=column):
            yield change("orphan", column, "'nowhere'")
        case ExpectDatesToBeInOrder(earlier=earlier, later=later):
            yield change("reversed", later, f"{earlier} - interval 1 day")
        case ExpectDatesNotToBeInTheFuture(column=column):
            yield change("future", column, "current_date + 30")
        case ExpectComponentsToAddUp(components=components):
            yield change("cent_off", components[0], f"{components[0]} + 0.01")
        case ExpectKeysToBeUnique():
            yield Fault("repeated", (f"insert into {table} select * from {table} limit 1",))
        case ExpectRowsToBePresent():
            yield Fault("empty", (f"delete from {table}",))


def boundaries_of(rule: Rule) -> Iterator[str]:
    """Changes that only reach a bound, which the rule must accept."""
    if not isinstance(rule, ExpectValuesToBeWithin):
        return
    for bound in (rule.at_least, rule.at_most):
        if bound is not None:
            yield f"update {rule.dataset} set {rule.column} = {bound:g}"
