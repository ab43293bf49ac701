"""A customer's receipt, read from the current publication and from nothing else.

Every section has the same keys in every receipt; what a publication does not hold, or
could not measure, is null. Personal data is not in the publication: the name is masked.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.ingest.months import months_between, shown
from orchestration.parameters import parameter
from orchestration.publish.current import Publication

Row = dict[str, Any]

CUSTOMER = ("customer_name_masked", "legal_form", "industry", "registered_on", "first_active_month")
MONTH = (
    "relationship",
    "region_code",
    "manager_id",
    "segment",
    "is_premier",
    "active_subscriptions",
    "tenure_months",
    "revenue",
    "avg_revenue_3m",
    "billed_amount",
    "outstanding_amount",
    "overdue_amount",
    "credit_grade",
)
TIER = (
    "policy_id",
    "policy_version",
    "tier_code",
    "tier_rank",
    "tier_reason",
    "service_class",
    "rule_tier",
    "metric",
    "metric_value",
    "metric_currency",
    "bound_met",
    "next_bound",
    "gap_to_next",
)
VALUE = (
    "revenue",
    "cost_to_serve",
    "relationship_cost",
    "bad_debt",
    "margin",
    "current_value",
    "potential_value",
    "headroom_value",
    "social_score",
    "value_score",
    "value_coverage",
)
STARS = (
    "stars",
    "star_points",
    "star_valid_to",
    "star_coverage",
    "consumption_points",
    "consumption_label",
    "credit_points",
    "credit_label",
    "satisfaction_points",
    "satisfaction_label",
    "loyalty_points",
    "loyalty_label",
)
RISK = ("churn_probability", "risk_band", "reason_1", "reason_2", "reason_3", "model")
COMPLAINT = (
    "complaint_id",
    "kind",
    "category",
    "severity",
    "status",
    "service_class",
    "opened_at",
    "acknowledged_at",
    "resolved_at",
    "closed_at",
    "respond_hours",
    "respond_limit_hours",
    "respond_breached",
    "resolve_hours",
    "resolve_limit_hours",
    "resolve_breached",
    "regulatory_breached",
    "is_repeat",
    "compensation",
)
INVOICE = (
    "billing_month",
    "invoice_id",
    "account_id",
    "category",
    "issued_on",
    "due_on",
    "currency",
    "total_amount",
    "paid_amount",
    "outstanding_amount",
    "settled_on",
    "days_past_due",
)


@dataclass(frozen=True)
class Receipt:
    """All a manager reads out; the sections are rows of the marts, by column name.

    Amounts are in `reporting_currency`, those of the tier in its metric_currency, those
    of an invoice in its own. Complaints are those of the last `complaint_months`.
    """

    publication: str
    reporting_currency: str
    month: date
    customer: Row
    tier: Row
    value: Row
    stars: Row
    risk: Row
    complaint_months: int
    complaints: tuple[Row, ...]
    bills: Row


class Marts:
    """The published marts of one customer; a table or column that is missing reads as null."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, customer_id: str) -> None:
        self._connection = connection
        self._customer_id = customer_id
        self._columns = self._read_columns()

    def _read_columns(self) -> Mapping[str, set[str]]:
        columns: dict[str, set[str]] = {}
        for table, column in self._connection.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'marts'"
        ).fetchall():
            columns.setdefault(table, set()).add(column)
        return columns

    def rows(
        self,
        table: str,
        columns: Sequence[str],
        condition: str = "true",
        values: Mapping[str, object] | None = None,
        order: str = "all",
    ) -> list[Row]:
        """The customer's rows of a table that meet a condition."""
        known = self._columns.get(table, set())
        if not known:
            return []
        listed = ", ".join(name if name in known else f"null as {name}" for name in columns)
        found = self._connection.execute(
            f"select {listed} from marts.{table} "
            f"where customer_id = $customer_id and {condition} order by {order}",
            {"customer_id": self._customer_id, **(values or {})},
        ).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in found]

    def in_month(self, table: str, columns: Sequence[str], month: date) -> Row:
        """The customer's row of a month; every column null if there is none."""
        found = self.rows(table, columns, "month = $month", {"month": month})
        return found[0] if found else dict.fromkeys(columns)

    def products(self, first: date, last: date) -> list[Row]:
        """Revenue by month and product; a product of no name keeps its code."""
        found = self._connection.execute(
            """
            select
                revenue.month,
                revenue.product_code,
                any_value(products.product_name),
                cast(sum(revenue.revenue) as decimal(18, 4))
            from marts.fct_revenue_monthly as revenue
            left join marts.dim_product as products using (product_code)
            where
                revenue.customer_id = $customer_id
                and revenue.month between $first and $last
            group by revenue.month, revenue.product_code
            order by revenue.month, revenue.product_code
            """,
            {"customer_id": self._customer_id, "first": first, "last": last},
        ).fetchall()
        names = ("month", "product_code", "product_name", "revenue")
        return [dict(zip(names, row, strict=True)) for row in found]


def read_receipt(
    home: Home, publication: Publication, customer_id: str, month: date | None = None
) -> Receipt:
    """The receipt of a customer in a month, by default the latest it has.

    Raises:
        ConfigurationError: the publication knows no such customer, or no such month of it.
    """
    with duckdb.connect(str(publication.database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        marts = Marts(connection, customer_id)
        return _receipt(home, publication, marts, customer_id, month)


def _receipt(
    home: Home, publication: Publication, marts: Marts, customer_id: str, month: date | None
) -> Receipt:
    known = marts.rows("dim_customer", CUSTOMER)
    if not known:
        raise ConfigurationError(
            f"The publication {publication.folder.name} knows no customer '{customer_id}'. "
            "Ids are the operator's own; dim_customer lists them."
        )
    chosen = _choose_month(marts, customer_id, month)
    tier = marts.in_month("customer_tier_monthly", TIER, chosen)
    complaint_months = int(parameter(home.reference, "complaint_window_months"))
    return Receipt(
        publication=publication.folder.name,
        reporting_currency=publication.reporting_currency,
        month=chosen,
        customer={
            "customer_id": customer_id,
            **known[0],
            **marts.in_month("customer_monthly", MONTH, chosen),
        },
        tier={**tier, **_tier_dates(marts, chosen, tier)},
        value=marts.in_month("customer_value_monthly", VALUE, chosen),
        stars=marts.in_month("customer_star_monthly", STARS, chosen),
        risk=marts.in_month("customer_risk_monthly", RISK, chosen),
        complaint_months=complaint_months,
        complaints=tuple(_complaints(marts, chosen, complaint_months)),
        bills=_bills(home, publication, marts, chosen, tier, known[0]["first_active_month"]),
    )


def _choose_month(marts: Marts, customer_id: str, month: date | None) -> date:
    months: list[date] = [
        row["month"] for row in marts.rows("customer_tier_monthly", ("month",), order="month")
    ]
    if not months:
        raise ConfigurationError(
            f"The customer '{customer_id}' has no month yet: nothing of it was ever active "
            "or billed."
        )
    if month is None:
        return months[-1]
    if month not in months:
        raise ConfigurationError(
            f"The customer '{customer_id}' has no figures in {shown(month)}. It has some "
            f"from {shown(months[0])} to {shown(months[-1])}, not in months long after leaving."
        )
    return month


def _tier_dates(marts: Marts, month: date, tier: Row) -> Row:
    """Since when the tier is held, and for grace the month whose rule lent it."""
    held = marts.rows(
        "customer_tier_history",
        ("valid_from",),
        "valid_from <= $month and (valid_to is null or valid_to > $month)",
        {"month": month},
    )
    lent = marts.rows(
        "customer_tier_monthly",
        ("month",),
        "month < $month and rule_tier = $tier",
        {"month": month, "tier": tier["tier_code"]},
        order="month desc",
    )
    is_lent = tier["tier_reason"] == "grace" and bool(lent)
    return {
        "held_since": held[0]["valid_from"] if held else None,
        "kept_from": lent[0]["month"] if is_lent else None,
    }


def _complaints(marts: Marts, month: date, months: int) -> list[Row]:
    """Opened in the months up to the month, the latest first; states as of the closing month."""
    return marts.rows(
        "fct_complaint",
        COMPLAINT,
        "opened_month between $first and $month",
        {"first": _months_back(month, months - 1), "month": month},
        order="opened_at desc, complaint_id",
    )


def _bills(
    home: Home,
    publication: Publication,
    marts: Marts,
    month: date,
    tier: Row,
    first_active_month: date | None,
) -> Row:
    """The invoices and the revenue by product of the months that the metric looks at.

    `months_counted` of them existed for the customer; an average divides by it.
    """
    first = _months_back(month, _window_months(home, tier) - 1)
    start = max(publication.first_month, first_active_month or publication.first_month)
    products = marts.products(first, month)
    return {
        "first_month": first,
        "last_month": month,
        "months_counted": sum(start <= each for each in months_between(first, month)),
        "revenue": sum((row["revenue"] for row in products), Decimal("0.0000")),
        "products": products,
        "invoices": marts.rows(
            "fct_invoice",
            INVOICE,
            "billing_month between $first and $month",
            {"first": first, "month": month},
            order="billing_month, invoice_id",
        ),
    }


def _window_months(home: Home, tier: Row) -> int:
    """How many months the metric averages; 1 for all metrics of a single month."""
    if tier["metric"] != "avg_revenue":
        return 1
    with (home.reference / "tier_policies.csv").open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            if (row["policy_id"], int(row["policy_version"])) == (
                tier["policy_id"],
                tier["policy_version"],
            ):
                return int(row["window_months"])
    raise ConfigurationError(
        f"tier_policies.csv no longer holds version {tier['policy_version']} of the policy "
        f"'{tier['policy_id']}', by which the publication was made. Run `tierwise run` again."
    )


def _months_back(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def as_json(receipt: Receipt) -> Row:
    """The receipt for tools: dates as ISO text, exact decimals as text, since JSON has floats."""
    plain: Row = _plain(asdict(receipt))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
