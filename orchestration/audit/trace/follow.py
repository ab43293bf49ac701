"""Following keys from a published row through one publication and the files its run read."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

import duckdb

from orchestration.audit.chain import Link
from orchestration.audit.trace.plans import OF_MONTHS, PLANS, Plan
from orchestration.audit.trace.sums import COMPONENTS, sums_of
from orchestration.audit.trace.traced import Row, Trace
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.ingest.contract import Feed, feed_contract
from orchestration.ingest.lake import raw_rows
from orchestration.ingest.sql import identifier
from orchestration.publish.publication import DATABASE_FOR_READERS


def trace(home: Home, link: Link, mart: str, customer_id: str, month: str) -> Trace:
    """Follow the rows of a mart to what they were made from, as one run knew it.

    Raises:
        ConfigurationError: the mart cannot be traced, the month is none, the run has no
            publication, or it has no such row.
    """
    plan = PLANS.get(mart)
    if plan is None:
        raise ConfigurationError(f"{mart} cannot be traced. Can be: {', '.join(PLANS)}.")
    database = home.published / link.run_id / DATABASE_FOR_READERS
    if link.let_go and not database.exists():
        raise ConfigurationError(
            f"The publication of run {link.run_id} was let go ({link.let_go.told()}): its rows "
            "cannot be traced here any more. `tierwise audit reproduce --keep DIR` builds them "
            "again."
        )
    if link.manifest is None or not database.exists():
        raise ConfigurationError(
            f"Run {link.run_id} has no publication here; `tierwise audit list` shows which have."
        )
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        follower = _Follower(connection, home, link.manifest)
        return follower.follow(plan, mart, customer_id, _month(month))


def _month(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m").date()
    except ValueError as error:
        raise ConfigurationError(f"--month {text}: wants a month as YYYY-MM.") from error


class _Follower:
    """Follows keys through one publication and the files its run read."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, home: Home, manifest: dict[str, Any]
    ) -> None:
        self.connection = connection
        self.home = home
        self.manifest = manifest
        self.parameters: dict[str, Any] = {}

    def follow(self, plan: Plan, mart: str, customer_id: str, month: dt.date) -> Trace:
        self.parameters = {"customer": customer_id, "month": month, "first_month": month}
        rows = self.rows(
            f"select * from {mart}", f"customer_id = $customer and {plan.month} = $month"
        )
        if not rows:
            raise ConfigurationError(
                f"{mart} of run {self.manifest['run']['run_id']} has no row of customer "
                f"{customer_id} in {month:%Y-%m}."
            )
        found = Trace(mart, self.manifest["run"]["run_id"], customer_id, month, rows)
        if mart == "marts.customer_tier_monthly":
            found.rules = self.rules_of_tier(rows[0])
            self.parameters["first_month"] = _window_start(month, found.rules)
        self.prepare_keys()
        for table, condition in plan.between.items():
            found.between[table] = self.rows(f"select * from {table}", condition, "month")
        found.between["marts.fct_revenue_monthly"] = self.rows(
            "select * from marts.fct_revenue_monthly", OF_MONTHS, "month, account_id, product_code"
        )
        found.between["marts.fct_invoice"] = self.rows(
            "select * from marts.fct_invoice",
            "invoice_id in (select invoice_id from bills)",
            "invoice_id",
        )
        found.between.pop(mart if mart.startswith("marts.fct_") else "", None)
        for feed, condition in plan.feeds.items():
            delivered = self.delivered(feed_contract()[feed], condition)
            if delivered:
                found.sources[feed] = delivered
        rates = self.rates(found)
        if rates:
            found.rules["fx_rates"] = rates
        reporting = self.manifest["configuration"]["reporting_currency"]
        found.sums = list(sums_of(found, self.published_months(), reporting))
        found.files = _files(found)
        return found

    def rows(self, select: str, condition: str, order: str = "all") -> list[Row]:
        query = f"{select} where {condition} order by {order}"
        used = {name: self.parameters[name] for name in self.parameters if f"${name}" in query}
        cursor = self.connection.execute(query, used)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def prepare_keys(self) -> None:
        """The keys to follow, read from the publication."""
        execute, given = self.connection.execute, self.parameters
        execute(
            "create temp table bills as select invoice_id, account_id from marts.fct_invoice "
            "where customer_id = $customer and billing_month between $first_month and $month",
            given,
        )
        execute(
            "create temp table sold as select product_code, region_code "
            "from marts.fct_revenue_monthly inner join marts.customer_monthly "
            "using (customer_id, month) where customer_id = $customer and month = $month",
            {"customer": given["customer"], "month": given["month"]},
        )
        execute(
            "create temp table owned as select account_id from bills union "
            "select account_id from marts.fct_revenue_monthly "
            "where customer_id = $customer and month between $first_month and $month",
            given,
        )
        execute(
            "create temp table counting "
            "(load_id varchar, delivery_rank bigint, file_name varchar, file_sha256 varchar)"
        )
        execute(
            "insert into counting select unnest($a), unnest($b), unnest($c), unnest($d)",
            {
                name: [entry[column] for entry in self._counting()]
                for name, column in zip(
                    "abcd", ("load_id", "delivery_rank", "file_name", "file_sha256"), strict=True
                )
            },
        )

    def _counting(self) -> list[Row]:
        return [entry for entry in self.manifest["inputs"] if entry["delivery_rank"] is not None]

    def delivered(self, feed: Feed, condition: str) -> list[Row]:
        """The rows of a feed that count and meet the condition, without personal columns.

        A key may have been delivered again under another bill: of all its rows the last
        one delivered decides.
        """
        start = f"lake/raw/{feed.name}/"
        paths = [
            self.home.root / entry["path"]
            for entry in self.manifest["lake"]
            if entry["path"].startswith(start)
        ]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise ConfigurationError(f"{missing[0]} is missing: see `tierwise audit verify`.")
        if not paths:
            return []
        shown = ", ".join(identifier(c.name) for c in feed.columns if not c.is_personal)
        key = ", ".join(identifier(name) for name in feed.version_key)
        read = raw_rows(paths)
        return self.rows(
            f"""
            select {shown}, file_name as _file, file_sha256 as _sha256, _row_number as _row
            from (
                select {shown}, file_name, file_sha256, _row_number, row_number() over (
                    partition by {key} order by delivery_rank desc, _row_number desc
                ) as recency
                from {read} inner join counting on _load_id = load_id
                where ({key}) in (select ({key}) from {read} where {condition})
            )
            """,
            f"recency = 1 and ({condition})",
            key,
        )

    def reference(self, table: str) -> list[Row]:
        """A rule table of the run, each row with its file and hash."""
        sha256 = self.manifest["configuration"]["policy_sha256"]
        path = self.home.reference_set(sha256) / f"{table}.csv"
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows: list[Row] = [dict(row) for row in csv.DictReader(stream)]
        file = {
            "_file": path.relative_to(self.home.root).as_posix(),
            "_sha256": self.manifest["configuration"]["reference"][table],
        }
        return [{**row, **file} for row in rows]

    def rules_of_tier(self, tier: Row) -> dict[str, list[Row]]:
        """The policy, its bands, and what was decided by hand for the customer."""
        policy = (tier["policy_id"], str(tier["policy_version"]))
        found = {
            table: [
                row
                for row in self.reference(table)
                if (row["policy_id"], row["policy_version"]) == policy
            ]
            for table in ("tier_policies", "tier_bands")
        }
        overrides = [
            row
            for row in self.reference("tier_overrides")
            if row["customer_id"] == self.parameters["customer"]
        ]
        return {**found, **({"tier_overrides": overrides} if overrides else {})}

    def rates(self, found: Trace) -> list[Row]:
        """The exchange rates behind the bills, if any bill is in another currency."""
        reporting = self.manifest["configuration"]["reporting_currency"]
        foreign = [
            bill for bill in found.sources.get("invoices", []) if bill["currency"] != reporting
        ]
        months = {bill["billing_month"].isoformat() for bill in foreign}
        currencies = {reporting, *(bill["currency"] for bill in foreign)}
        return [
            row
            for row in (self.reference("fx_rates") if foreign else [])
            if row["month"] in months and row["currency"] in currencies
        ]

    def published_months(self) -> list[Row]:
        """What was published of each month, over all accounts and products."""
        components = ", ".join(f"sum({name}) as {name}" for name in COMPONENTS.values())
        return self.rows(
            f"""
            select * from (
                select month, sum(revenue) as revenue, {components}, max(billed_amount)
                    as billed_amount
                from marts.fct_revenue_monthly
                left join (
                    select customer_id, month, billed_amount from marts.customer_monthly
                ) using (customer_id, month)
                where {OF_MONTHS}
                group by month
            )
            """,
            "true",
            "month",
        )


def _files(found: Trace) -> list[Row]:
    """Each file behind the row, with its hash and the number of its rows that are used."""
    used: dict[tuple[str, str, str], int] = {}
    for kind, tables in (("", found.sources), ("rule table", found.rules)):
        for name, rows in tables.items():
            for row in rows:
                place = (kind or name, row["_file"], row["_sha256"])
                used[place] = used.get(place, 0) + 1
    return [
        {"feed": kind, "file": file, "sha256": sha256, "rows": rows}
        for (kind, file, sha256), rows in sorted(used.items())
    ]


def _window_start(month: dt.date, rules: dict[str, list[Row]]) -> dt.date:
    """The first month whose bills take part: the policy's window, and its months of grace."""
    if not rules["tier_policies"]:
        return month
    policy = rules["tier_policies"][0]
    back = int(policy["window_months"]) - 1 + int(policy["grace_months"])
    number = month.year * 12 + month.month - 1 - back
    return dt.date(number // 12, number % 12 + 1, 1)
