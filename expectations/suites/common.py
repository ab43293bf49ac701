"""How every suite is put together, and the rules that follow from the feed contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from great_expectations.core import ExpectationSuite
from great_expectations.expectations.metadata_types import FailureSeverity

from expectations.contract import Contract, Feed, feed_of
from expectations.custom.bands import (
    ExpectFeedToReachClosingMonth,
    ExpectMeasuresToStayInBand,
)
from expectations.custom.base import Rule
from expectations.custom.keys import ExpectKeysToBeUnique
from expectations.custom.queries import (
    ExpectFindingsToBeNone,
    ExpectMonthsToBeUnbroken,
    ExpectVolumeToHold,
)
from expectations.custom.rows import (
    ExpectCodesToBeKnown,
    ExpectDatesNotToBeInTheFuture,
    ExpectDatesToBeInOrder,
    ExpectMonthsToBeFirstDays,
    ExpectReferencesToBeKnown,
    ExpectRowsToSatisfy,
    ExpectValuesToBePresent,
    ExpectValuesToBeWithin,
)
from expectations.custom.tables import ExpectRowsToBePresent

Severity = Literal["critical", "warning", "info"]
AnyRule = TypeVar("AnyRule", bound=Rule)


@dataclass(frozen=True)
class Dataset:
    """The table a suite checks, who answers for it, and how its rows are named."""

    layer: Literal["raw", "marts"]
    name: str
    owner: str
    keys: tuple[str, ...]
    schema: str = ""

    @property
    def suite(self) -> str:
        """The name of its suite."""
        return f"{self.layer}_{self.name}"

    @property
    def table(self) -> str:
        """The table's name with its schema."""
        return f"{self.schema or self.layer}.{self.name}"

    def expect(
        self,
        rule: type[AnyRule],
        name: str,
        description: str,
        source: str,
        *,
        severity: Severity = "critical",
        column: str | None = None,
        **arguments: Any,
    ) -> AnyRule:
        """A rule of this dataset.

        `name` is unique in the suite and never changes: it is what an acceptance and
        the history of results refer to. `source` says where the rule comes from.
        """
        if column is not None and "column" in rule.__fields__:
            arguments["column"] = column
        arguments.setdefault("keys", list(self.keys))
        return rule(
            dataset=self.table,
            description=description,
            severity=FailureSeverity(severity),
            notes=f"Rule: {source}. Owner: {self.owner}.",
            meta={
                "expectation_id": f"{self.suite}.{name}",
                "column": column,
                "owner": self.owner,
                "rule": source,
            },
            **arguments,
        )

    def build_suite(self, rules: Iterable[Rule], about: str) -> ExpectationSuite:
        """The suite of this dataset; ValueError if two rules share a name."""
        listed = list(rules)
        names = [rule.meta["expectation_id"] for rule in listed if rule.meta]
        if len(set(names)) != len(names):
            raise ValueError(f"suite {self.suite} names a rule twice: {sorted(names)}")
        return ExpectationSuite(
            name=self.suite,
            expectations=listed,
            meta={
                "layer": self.layer,
                "dataset": f"{self.table}",
                "owner": self.owner,
                "about": about,
            },
        )


RELATIONSHIPS = (
    "prospect",
    "historic",
    "competitor",
    "left",
    "returned",
    "dormant",
    "on_net",
)
SEGMENTS = ("key", "commercial", "public")
REGION_LEVELS = ("local", "province", "group")

OWNERS: Mapping[str, str] = {
    "customer": "customer data team",
    "billing": "billing team",
    "complaint": "complaint desk",
}


def raw_dataset(feed: Feed) -> Dataset:
    """The loaded rows of a feed."""
    return Dataset("raw", feed.name, OWNERS[feed.domain], feed.key)


def raw_suite(
    contract: Contract, feed_name: str, rules: Iterable[Rule] = (), amount: str = ""
) -> ExpectationSuite:
    """The suite of a feed: what its contract asks for, and the rules given.

    `amount` is the column that says how much money a row carries.
    """
    feed = feed_of(contract, feed_name)
    return raw_dataset(feed).build_suite(
        [*contract_rules(feed, amount), *rules],
        f"Accepts the feed {feed_name} as delivered.",
    )


def contract_rules(feed: Feed, amount: str = "") -> list[Rule]:
    """What the contract says of a feed's keys, values, months and references."""
    dataset = raw_dataset(feed)
    return [
        *_presence_of_rows(dataset, feed),
        _unique_key(dataset, feed),
        *_required_values(dataset, feed),
        *_known_codes(dataset, feed),
        *_bounds(dataset, feed),
        *_first_days(dataset, feed),
        *_unbroken_months(dataset, feed),
        *_references(dataset, feed, amount),
    ]


def _presence_of_rows(dataset: Dataset, feed: Feed) -> list[Rule]:
    if not feed.required:
        return []
    return [
        dataset.expect(
            ExpectRowsToBePresent,
            "has_rows",
            f"The required feed {feed.name} has been delivered and holds rows.",
            "feed contract",
        )
    ]


def _unique_key(dataset: Dataset, feed: Feed) -> Rule:
    version = [feed.version] if feed.version else []
    named = " and ".join([*feed.key, *version])
    return dataset.expect(
        ExpectKeysToBeUnique,
        "key_is_unique",
        f"Within one delivered file no two rows share {named}.",
        "feed contract",
        columns=["_load_id", *feed.key, *version],
        keys=[*feed.key, *version],
    )


def _required_values(dataset: Dataset, feed: Feed) -> list[Rule]:
    return [
        dataset.expect(
            ExpectValuesToBePresent,
            f"{column}_is_present",
            f"Every row has a {column}.",
            "feed contract",
            column=column,
        )
        for column in feed.required_columns
    ]


def _known_codes(dataset: Dataset, feed: Feed) -> list[Rule]:
    return [
        dataset.expect(
            ExpectCodesToBeKnown,
            f"{column}_is_known",
            f"{column} is one of {', '.join(rules['enum'])}.",
            "feed contract",
            column=column,
            codes=list(rules["enum"]),
        )
        for column, rules in feed.columns.items()
        if "enum" in rules
    ]


def _bounds(dataset: Dataset, feed: Feed) -> list[Rule]:
    found: list[Rule] = []
    for column, rules in feed.columns.items():
        low, high = rules.get("min"), rules.get("max")
        if low is None and high is None:
            continue
        limits = [f"at least {low}"] if low is not None else []
        limits += [f"at most {high}"] if high is not None else []
        found.append(
            dataset.expect(
                ExpectValuesToBeWithin,
                f"{column}_is_in_range",
                f"{column} is {' and '.join(limits)}.",
                "feed contract",
                column=column,
                at_least=low,
                at_most=high,
            )
        )
    return found


def _first_days(dataset: Dataset, feed: Feed) -> list[Rule]:
    return [
        dataset.expect(
            ExpectMonthsToBeFirstDays,
            f"{column}_is_first_day",
            f"{column} is the first day of a month.",
            "feed contract",
            column=column,
        )
        for column in feed.months
    ]


def _unbroken_months(dataset: Dataset, feed: Feed) -> list[Rule]:
    return [
        dataset.expect(
            ExpectMonthsToBeUnbroken,
            f"{column}_is_unbroken",
            f"No month is missing between the first and the last {column}.",
            "rulebook 0, a monthly feed covers its months",
            severity="warning",
            column=column,
            keys=["last_month_before_gap"],
            **(_REVENUE_OF_BILLS if feed.name == "invoices" else {}),
        )
        for column in feed.months
    ]


# A missing month of bills is told with the revenue it will have brought.
_REVENUE_OF_BILLS: Mapping[str, Any] = {
    "measured_in": "checks.bills",
    "measure": "sum(revenue)",
    "has_amount": True,
    "amount_is_revenue": True,
    "money_unit": "of usual revenue",
}


def _references(dataset: Dataset, feed: Feed, amount: str) -> list[Rule]:
    found: list[Rule] = []
    for reference in feed.references:
        parent = reference.parent.removesuffix("s").replace("_", " ")
        consequence = (
            "counts under UNKNOWN"
            if reference.table.startswith("reference.")
            else "stays loaded and enters no figure"
            if reference.column in feed.required_columns
            else "counts as none"
        )
        found.append(
            dataset.expect(
                ExpectReferencesToBeKnown,
                f"{reference.column}_is_known",
                f"{reference.column} names a {parent} that is known; an unknown one {consequence}.",
                "rulebook 0, references",
                severity="warning",
                column=reference.column,
                parent=reference.table,
                parent_column=reference.parent_column,
                amount=amount or None,
                money_unit=f"of {amount}" if amount else "",
            )
        )
    return found


def in_order(dataset: Dataset, earlier: str, later: str, severity: Severity = "warning") -> Rule:
    """`later` is not before `earlier`."""
    return dataset.expect(
        ExpectDatesToBeInOrder,
        f"{later}_is_not_before_{earlier}",
        f"{later} is not before {earlier}.",
        "order of dates",
        severity=severity,
        column=later,
        earlier=earlier,
        later=later,
    )


def has_happened(dataset: Dataset, column: str, amount: str | None = None) -> Rule:
    """An event of the past is not dated in the future; `amount` is its money."""
    return dataset.expect(
        ExpectDatesNotToBeInTheFuture,
        f"{column}_is_not_in_the_future",
        f"{column} is not later than today.",
        "order of dates",
        severity="warning",
        column=column,
        amount=amount,
        money_unit=f"of {amount}" if amount else "",
    )


def keeps_coming(dataset: Dataset, column: str) -> list[Rule]:
    """A feed reaches the closing month, and no month brings far fewer rows than usual."""
    return [
        dataset.expect(
            ExpectFeedToReachClosingMonth,
            "reaches_closing_month",
            f"The newest {column} is not before the closing month.",
            "freshness",
            severity="warning",
            column=column,
            keys=["last_month"],
        ),
        volume_holds(dataset, column),
    ]


def volume_holds(dataset: Dataset, column: str, counted: str = "true") -> Rule:
    """A month brings its usual number of rows."""
    return dataset.expect(
        ExpectVolumeToHold,
        "volume_holds",
        "A month's number of rows that count is at least the share"
        " closing_month_minimum_share of the mean of the months before.",
        "rulebook 0, closing month",
        severity="warning",
        column=column,
        counted=counted,
        keys=["month"],
    )


def stays_in_band(dataset: Dataset, name: str, what: str, measures: str, floor: str = "") -> Rule:
    """A figure of the closing month is near what the months before have taught."""
    return dataset.expect(
        ExpectMeasuresToStayInBand,
        name,
        f"{what} of the closing month lies within the band learned from the months before.",
        "rulebook 11, drift monitor",
        severity="warning",
        measures=measures,
        floor=floor,
        keys=["measure", "observed", "low", "high"],
    )


def not_negative(
    dataset: Dataset, column: str, severity: Severity = "warning", source: str = ""
) -> Rule:
    """A measure that cannot be below 0."""
    return dataset.expect(
        ExpectValuesToBeWithin,
        f"{column}_is_not_negative",
        f"{column} is not below 0.",
        source or "ranges",
        severity=severity,
        column=column,
        at_least=0,
    )


def holds(
    dataset: Dataset,
    name: str,
    description: str,
    condition: str,
    source: str,
    *,
    severity: Severity = "critical",
    column: str | None = None,
    **arguments: Any,
) -> Rule:
    """A condition in SQL that is true for every row."""
    return dataset.expect(
        ExpectRowsToSatisfy,
        name,
        description,
        source,
        severity=severity,
        column=column,
        condition=condition,
        **arguments,
    )


def currency_code(dataset: Dataset) -> Rule:
    """A currency is written as ISO 4217 writes it."""
    return holds(
        dataset,
        "currency_is_a_code",
        "currency is three capital letters (ISO 4217).",
        "regexp_full_match(currency, '[A-Z][A-Z][A-Z]')",
        "feed contract",
        severity="warning",
        column="currency",
    )


def mart(name: str, *keys: str, owner: str, schema: str = "marts") -> Dataset:
    """A published table and the columns that name its rows."""
    return Dataset("marts", name, owner, keys, schema)


def key_rules(dataset: Dataset) -> list[Rule]:
    """The key is complete and names one row."""
    named = " and ".join(dataset.keys)
    return [
        dataset.expect(
            ExpectKeysToBeUnique,
            "key_is_unique",
            f"No two rows share {named}.",
            "published contract",
            columns=list(dataset.keys),
        ),
        *present(dataset, *dataset.keys),
    ]


def present(dataset: Dataset, *columns: str) -> list[Rule]:
    """Columns that the published contract never leaves empty."""
    return [
        dataset.expect(
            ExpectValuesToBePresent,
            f"{column}_is_present",
            f"Every row has a {column}.",
            "published contract",
            column=column,
        )
        for column in columns
    ]


def first_day(dataset: Dataset, column: str = "month") -> Rule:
    """A month is written as its first day."""
    return dataset.expect(
        ExpectMonthsToBeFirstDays,
        f"{column}_is_first_day",
        f"{column} is the first day of a month.",
        "published contract",
        column=column,
    )


def coded(dataset: Dataset, column: str, codes: Iterable[str], source: str) -> Rule:
    """A column of codes that the rulebook lists."""
    listed = list(codes)
    return dataset.expect(
        ExpectCodesToBeKnown,
        f"{column}_is_known",
        f"{column} is one of {', '.join(listed)}.",
        source,
        column=column,
        codes=listed,
    )


def ranged(
    dataset: Dataset,
    column: str,
    low: float | None,
    high: float | None,
    source: str,
    severity: Severity = "critical",
) -> Rule:
    """A number between two bounds, both included; None is open."""
    limits = [f"at least {low:g}"] if low is not None else []
    limits += [f"at most {high:g}"] if high is not None else []
    return dataset.expect(
        ExpectValuesToBeWithin,
        f"{column}_is_in_range",
        f"{column} is {' and '.join(limits)}, where it is measured.",
        source,
        severity=severity,
        column=column,
        at_least=low,
        at_most=high,
    )


def refers(dataset: Dataset, column: str, parent: str, parent_column: str = "") -> Rule:
    """A reference from one mart to another, or to a table of the operator's rules."""
    return dataset.expect(
        ExpectReferencesToBeKnown,
        f"{column}_is_in_{parent.split('.')[1]}",
        f"{column} names a row of {parent}.",
        "published contract",
        column=column,
        parent=parent,
        parent_column=parent_column or column,
    )


def compared(
    dataset: Dataset,
    name: str,
    description: str,
    comparison: str,
    source: str,
    *,
    keys: Iterable[str],
    severity: Severity = "critical",
    column: str | None = None,
    **arguments: Any,
) -> Rule:
    """A comparison in SQL, one row per thing compared, that finds nothing wrong."""
    return dataset.expect(
        ExpectFindingsToBeNone,
        name,
        description,
        source,
        severity=severity,
        column=column,
        comparison=comparison,
        keys=list(keys),
        **arguments,
    )
