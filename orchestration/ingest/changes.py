"""Which months the loads since the last build can have changed, so that only they are built.

A month is spared only where the rulebook says that nothing delivered since can move it; in
doubt everything is built anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

import duckdb

from orchestration.ingest.contract import Column, Feed, feed_contract
from orchestration.ingest.lake import Lake, raw_rows
from orchestration.ingest.ledger import ledger_relation
from orchestration.ingest.months import month_of, next_month
from orchestration.ingest.sql import identifier, literal

# The day that puts a row of an event feed into its month. A charge has its invoice's.
EVENT_DAYS = {
    "invoices": "billing_month",
    "payments": "paid_on",
    "usage": "usage_month",
    "service_quality": "quality_month",
    "service_costs": "cost_month",
    "contacts": "contacted_at",
}
# Their state as known now is told in the month in which they began, however long ago.
LATE_DAYS = {"complaints": "opened_at", "campaigns": "starts_on", "proposals": "proposed_on"}
# What the latest version says of every month; all else counts from the version's own month.
TIMELESS = {
    "customers": ("legal_form", "industry", "parent_customer_id"),
    "accounts": ("currency", "payment_mode"),
    "subscriptions": ("account_id", "product_code"),
}


@dataclass(frozen=True, slots=True)
class Built:
    """What the warehouse was last built from.

    `shaped_by` is a hash of all that shapes figures besides the loads: code, settings and
    reference tables.
    """

    loads: frozenset[str]
    shaped_by: str
    first_month: date
    closing_month: date


@dataclass(frozen=True, slots=True)
class ChangedMonths:
    """The first months to be built anew; none means every month.

    `since` holds for what is told of each month as it was; `late_since`, never later, also
    for what complaints, campaigns and proposals tell of the month in which they began.
    """

    since: date | None
    late_since: date | None


EVERYTHING = ChangedMonths(None, None)


class _EverythingError(Exception):
    """A change that no month bounds."""


def changed_months(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    built: Built | None,
    now: Built,
) -> ChangedMonths:
    """The months that the loads since the last build can have changed.

    The closing month of that build is always among them: it shows customers that no other
    month shows, and is followed by another now. Reads the raw views of `connection`.
    """
    if (
        built is None
        or built.shaped_by != now.shaped_by
        or built.first_month != now.first_month
        or built.closing_month > now.closing_month
    ):
        return EVERYTHING
    counted = now.loads
    try:
        feeds = _feeds_of(connection, lake, counted | built.loads)
        if _named(feeds, counted) != _named(feeds, built.loads):
            # A feed that comes or goes decides for every month what is known of it.
            return EVERYTHING
        changes = {
            name: sorted(load for load in counted ^ built.loads if feeds[load] == name)
            for name in _named(feeds, counted ^ built.loads)
        }
        found = _Changes(connection, lake, changes, counted)
        since = min([built.closing_month, *found.months()])
        since = min([since, *found.months_issued(since)])
        late = [*found.late_months(), *found.months_told_until(built.closing_month)]
        return ChangedMonths(since, min([since, *late]))
    except _EverythingError:
        return EVERYTHING


def _feeds_of(connection: duckdb.DuckDBPyConnection, lake: Lake, loads: Set[str]) -> dict[str, str]:
    rows = connection.execute(
        f"select distinct load_id, feed from {ledger_relation(lake)} "
        "where list_contains($loads, load_id)",
        {"loads": sorted(loads)},
    ).fetchall()
    if len(rows) != len(loads):
        raise _EverythingError
    return dict(rows)


def _named(feeds: dict[str, str], loads: Iterable[str]) -> set[str]:
    return {feeds[load] for load in loads}


class _Changes:
    """The loads that count now and did not, or the other way round, with their rows."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        lake: Lake,
        loads: Mapping[str, Sequence[str]],
        counted: frozenset[str],
    ) -> None:
        self.connection = connection
        self.loads = loads
        self.counted = counted
        for name in loads:
            feed = feed_contract()[name]
            rows = raw_rows([lake.raw(name) / "**" / "*.parquet"])
            connection.execute(
                f"create or replace temporary table {self._changed(feed)} as select * from {rows} "
                f"where _load_id in ({self._listed(name)})"
            )

    def months(self) -> list[date]:
        found: list[date | None] = []
        for name in self.loads:
            feed = feed_contract()[name]
            if name in EVENT_DAYS:
                found += self._months_of_events(feed, EVENT_DAYS[name])
            elif name == "charges":
                found += self._months_of_charges(feed)
            elif name in LATE_DAYS:
                # What is known at the end of each month: from the version's own month on.
                found.append(self._month(f"select min(updated_at) from {self._changed(feed)}"))
            else:
                found += self._months_of_versions(feed)
            found += self._months_of_what_refers_to(feed)
        return [month for month in found if month]

    def months_issued(self, since: date) -> list[date]:
        """Those in which bills of that month or a later one were issued: they are owed from then.

        Besides the changed bills these are all others that an owner or a closing month that
        changed concern.
        """
        bills = [f"raw.invoices where billing_month >= date '{since}'"]
        if "invoices" in self.loads:
            bills.append(self._changed(feed_contract()["invoices"]))
        found = [self._month(f"select min(issued_on) from {rows}") for rows in bills]
        return [month for month in found if month]

    def late_months(self) -> list[date]:
        found: list[date | None] = []
        for name in LATE_DAYS.keys() & self.loads.keys():
            found += self._months_of_events(feed_contract()[name], LATE_DAYS[name])
        return [month for month in found if month]

    def months_told_until(self, closing_month: date) -> list[date]:
        """Those of complaints of which that closing month could not tell all that is known."""
        found = self._month(
            "select min(opened_at) from raw.complaints "
            "where greatest(acknowledged_at, resolved_at, closed_at) "
            f">= timestamp '{next_month(closing_month)}'"
        )
        return [found] if found else []

    def _months_of_events(self, feed: Feed, day: str) -> list[date | None]:
        """Those of the changed rows, and of the rows with the same keys in other loads."""
        found = [self._month(f"select min({day}) from {self._changed(feed)}")]
        if feed.month not in feed.key:
            found.append(self._month(f"select min({day}) from {self._same_keys(feed)}"))
        if feed.name == "invoices":
            found.append(self._month_of_payments_for(self._same_keys(feed)))
        if feed.name == "payments":
            self._spare_first_payments(found)
        return found

    def _spare_first_payments(self, changed: Iterable[date | None]) -> None:
        """The first month of payments decides which bills are settled, also earlier ones."""
        payments = feed_contract()["payments"]
        first = self._month(
            f"select min({EVENT_DAYS['payments']}) from {self._unchanged(payments)}"
        )
        if first is None or any(month and month <= first for month in changed):
            raise _EverythingError

    def _month_of_payments_for(self, invoices: str) -> date | None:
        """That of the payments which name them: paid ahead, it lies before the bill's month."""
        payments = self._unchanged(feed_contract()["payments"])
        return self._month(
            f"select min({EVENT_DAYS['payments']}) from {payments} "
            f"where invoice_id in (select invoice_id from {invoices})"
        )

    def _months_of_charges(self, feed: Feed) -> list[date | None]:
        return [
            self._month(
                "select min(billing_month) from raw.invoices "
                f"where invoice_id in (select invoice_id from {rows})"
            )
            for rows in (self._changed(feed), self._same_keys(feed))
        ]

    def _months_of_versions(self, feed: Feed) -> list[date | None]:
        """Where a version differs from the one before: its own month, and the days changed."""
        if any(load not in self.counted for load in self.loads[feed.name]):
            raise _EverythingError
        keys = ", ".join(feed.key)
        columns = [column for column in feed.columns if column.name not in feed.version_key]
        before = ", ".join(
            f"lag({column.name}) over versions as before_{column.name}" for column in columns
        )
        timeless = TIMELESS.get(feed.name, ())
        is_unbounded = " or ".join(
            [
                # What was known first stands for all months before it.
                "(is_changed and before_at is null and was_known)",
                "(is_changed and before_at = updated_at)",
                *(
                    f"(is_changed and before_at is not null "
                    f"and {name} is distinct from before_{name})"
                    for name in timeless
                ),
            ]
        )
        days = [column for column in columns if _is_day(column)]
        changed_days = ", ".join(
            f"min(case when is_changed and {column.name} is distinct from before_{column.name} "
            f"then least({column.name}, before_{column.name}) end)"
            for column in days
        )
        row = self.connection.execute(
            f"""
            with rows as (
                select
                    *,
                    _load_id in ({self._listed(feed.name)}) as is_changed
                from raw.{identifier(feed.name)}
                where ({keys}) in (select ({keys}) from {self._changed(feed)})
            ),
            compared as (
                select
                    *,
                    lag(updated_at) over versions as before_at,
                    bool_or(not is_changed) over (partition by {keys}) as was_known,
                    {before}
                from rows
                window versions as (
                    partition by {keys} order by updated_at, _delivery_rank, _row_number
                )
            )
            select
                coalesce(bool_or({is_unbounded}), false),
                min(case when is_changed then updated_at end)
                {"," if days else ""} {changed_days}
            from compared
            """
        ).fetchone()
        assert row is not None
        if row[0]:
            raise _EverythingError
        return [_month_of(day) for day in row[1:]]

    def _months_of_what_refers_to(self, feed: Feed) -> list[date | None]:
        """Those of rows that named a key before it was known; they count only now."""
        key = feed.key[0]
        new = (
            f"select {key} from {self._changed(feed)} except "
            f"select {key} from {self._unchanged(feed)}"
        )
        found: list[date | None] = []
        for child in feed_contract().values():
            for column in child.columns:
                if column.references != f"{feed.name}.{key}":
                    continue
                rows = f"{self._unchanged(child)} where {column.name} in ({new})"
                day = EVENT_DAYS.get(child.name)
                if day:
                    found.append(self._month(f"select min({day}) from {rows}"))
                elif self.connection.execute(f"select 1 from {rows} limit 1").fetchone():
                    raise _EverythingError
        return found

    def _month(self, query: str) -> date | None:
        row = self.connection.execute(query).fetchone()
        return _month_of(row[0]) if row else None

    def _listed(self, name: str) -> str:
        return ", ".join(map(literal, self.loads.get(name, ()))) or "null"

    def _changed(self, feed: Feed) -> str:
        return identifier(f"changed_{feed.name}")

    def _unchanged(self, feed: Feed) -> str:
        """The rows that count of loads that counted already."""
        where = f" where _load_id not in ({self._listed(feed.name)})"
        return (
            f"(select * from raw.{identifier(feed.name)}{where if feed.name in self.loads else ''})"
        )

    def _same_keys(self, feed: Feed) -> str:
        """The rows of other loads that a changed row replaces, or would have."""
        keys, first, changed = ", ".join(feed.key), feed.key[0], self._changed(feed)
        return (
            f"(select * from {self._unchanged(feed)} "
            f"where {first} between (select min({first}) from {changed}) "
            f"and (select max({first}) from {changed}) "
            f"and ({keys}) in (select ({keys}) from {changed}))"
        )


def _is_day(column: Column) -> bool:
    return column.type in ("date", "timestamp")


def _month_of(day: date | None) -> date | None:
    return month_of(day) if day else None
