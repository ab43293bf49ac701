"""A small delivery of every feed that breaks no rule."""

from __future__ import annotations

from datetime import date, datetime

import duckdb

from expectations.contract import Contract, Period, feed_of
from expectations.prepared import check_views
from tests.expectations.bench import Rows, create_table

SQL_TYPES = {"string": "varchar", "integer": "bigint"}
NEW_YEAR = datetime(2023, 12, 1)
MONTHS = (date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1))
PERIOD = Period(date(2024, 3, 1), "CNY", date.today())

ROWS: dict[str, list[dict[str, object]]] = {
    "customers": [
        {
            "customer_id": "C1",
            "customer_name": "Star Trading",
            "legal_form": "organisation",
            "industry": "A",
            "region_code": "GZ",
            "designation": "none",
            "manager_id": "M1",
            "registered_on": date(2020, 1, 1),
            "updated_at": NEW_YEAR,
        },
        {
            "customer_id": "C2",
            "customer_name": "Wang Fang",
            "legal_form": "individual",
            "region_code": "GZ",
            "parent_customer_id": "C1",
            "gender": "female",
            "registered_on": date(2021, 1, 1),
            "updated_at": NEW_YEAR,
        },
    ],
    "accounts": [
        {
            "account_id": f"A{number}",
            "customer_id": f"C{number}",
            "currency": currency,
            "payment_mode": "postpaid",
            "payment_method": "card",
            "opened_on": date(2020, 1, 1),
            "credit_limit": 0,
            "updated_at": NEW_YEAR,
        }
        for number, currency in ((1, "CNY"), (2, "HKD"))
    ],
    "contracts": [
        {
            "contract_id": "K1",
            "customer_id": "C1",
            "signed_on": date(2020, 1, 1),
            "starts_on": date(2020, 1, 1),
            "ends_on": date(2030, 1, 1),
            "monthly_commitment": 100,
            "discount_rate": 0.1,
            "discount_limit": 0.1,
            "approval_level": "local",
            "updated_at": NEW_YEAR,
        }
    ],
    "subscriptions": [
        {
            "subscription_id": "S1",
            "account_id": "A1",
            "product_code": "MOB",
            "contract_id": "K1",
            "activated_on": date(2020, 1, 1),
            "updated_at": NEW_YEAR,
        },
        {
            "subscription_id": "S2",
            "account_id": "A2",
            "product_code": "MOB",
            "activated_on": date(2021, 1, 1),
            "deactivated_on": date(2024, 3, 5),
            "deactivation_reason": "port_out",
            "updated_at": NEW_YEAR,
        },
    ],
    "managers": [
        {
            "manager_id": "M1",
            "manager_name": "Li Na",
            "region_code": "GZ",
            "grade": "senior",
            "updated_at": NEW_YEAR,
        }
    ],
    "contacts": [
        {
            "contact_id": "T1",
            "customer_id": "C1",
            "manager_id": "M1",
            "campaign_id": "P1",
            "channel": "call",
            "purpose": "survey",
            "contacted_at": datetime(2024, 3, 1, 10),
            "outcome": "reached",
            "score": 5,
            "cost": 3,
        }
    ],
    "campaigns": [
        {
            "campaign_id": "P1",
            "campaign_name": "Spring",
            "objective": "renewal",
            "starts_on": date(2024, 1, 1),
            "ends_on": date(2024, 3, 31),
            "fixed_cost": 0,
            "updated_at": NEW_YEAR,
        }
    ],
    "proposals": [
        {
            "proposal_id": f"Q{number}",
            "customer_id": "C1",
            "product_code": "MOB",
            "monthly_price": 100,
            "monthly_cost": 60,
            "term_months": 12,
            "status": status,
            "proposed_on": date(2024, 1, 10),
            "decided_on": decided_on,
            "updated_at": NEW_YEAR,
        }
        for number, status, decided_on in (
            (1, "won", date(2024, 2, 1)),
            (2, "open", None),
        )
    ],
    "invoices": [
        {
            "invoice_id": f"{account}-{month:%m}",
            "account_id": account,
            "billing_month": month,
            "category": "normal",
            "issued_on": month.replace(day=28),
            "due_on": month.replace(day=28),
            "currency": currency,
            "total_amount": total,
            "tax_amount": tax,
        }
        for month in MONTHS
        for account, currency, total, tax in (
            ("A1", "CNY", 1060, 60),
            ("A2", "HKD", 106, 6),
        )
    ],
    "charges": [
        {
            "charge_id": f"{account}-{month:%m}-1",
            "invoice_id": f"{account}-{month:%m}",
            "subscription_id": subscription,
            "product_code": "MOB",
            "charge_type": "recurring",
            "amount": amount,
        }
        for month in MONTHS
        for account, subscription, amount in (("A1", "S1", 1000), ("A2", "S2", 100))
    ],
    "payments": [
        {
            "payment_id": "R1",
            "account_id": "A1",
            "invoice_id": "A1-01",
            "paid_on": date(2024, 3, 20),
            "amount": 1060,
        }
    ],
    "usage": [
        {
            "subscription_id": "S1",
            "usage_month": month,
            "voice_minutes": 10,
            "data_mb": 5,
            "sms_count": 0,
            "active_days": 31,
        }
        for month in MONTHS
    ],
    "service_quality": [
        {
            "subscription_id": "S1",
            "quality_month": month,
            "access_rate": 0.99,
            "drop_rate": 0.01,
            "outage_minutes": 0,
        }
        for month in MONTHS
    ],
    "service_costs": [
        {
            "cost_month": month,
            "product_code": "MOB",
            "region_code": "GZ",
            "cost_per_subscription": 5,
            "cost_share_of_revenue": 0.1,
        }
        for month in MONTHS
    ],
    "complaints": [
        {
            "complaint_id": "X1",
            "customer_id": "C1",
            "subscription_id": "S1",
            "kind": "complaint",
            "category": "billing",
            "severity": "minor",
            "channel": "hotline",
            "opened_at": datetime(2024, 3, 1, 9),
            "acknowledged_at": datetime(2024, 3, 1, 10),
            "resolved_at": datetime(2024, 3, 2, 9),
            "closed_at": datetime(2024, 3, 3, 9),
            "satisfaction": 5,
            "compensation": 0,
            "status": "closed",
            "updated_at": NEW_YEAR,
        }
    ],
}

REFERENCE: dict[str, tuple[dict[str, str], Rows]] = {
    "regions": (
        {"region_code": "varchar", "region_level": "varchar"},
        [
            {"region_code": "GZ", "region_level": "local"},
            {"region_code": "GD", "region_level": "province"},
        ],
    ),
    "products": (
        {"product_code": "varchar"},
        [{"product_code": "MOB"}],
    ),
    "fx_rates": (
        {"month": "varchar", "currency": "varchar", "cny_per_unit": "varchar"},
        [{"month": str(month), "currency": "HKD", "cny_per_unit": "0.9"} for month in MONTHS],
    ),
    "parameters": (
        {"name": "varchar", "value": "varchar"},
        [
            {"name": "unitemised_share_limit", "value": "0.01"},
            {"name": "charges_tolerance", "value": "0.01"},
            {"name": "closing_month_minimum_share", "value": "0.5"},
            {"name": "closing_month_reference_months", "value": "3"},
            {"name": "affected_revenue_months", "value": "12"},
            {"name": "billing_regular_months", "value": "2"},
            {"name": "amount_jump_factor", "value": "8"},
            {"name": "amount_jump_months", "value": "6"},
            {"name": "lost_bills_share_limit", "value": "0.2"},
            {"name": "volume_minimum_rows", "value": "2"},
        ],
    ),
}


def raw_columns(contract: Contract, feed: str) -> dict[str, str]:
    """Columns of a feed's view with their SQL types."""
    columns = {
        name: SQL_TYPES.get(str(rules["type"]), str(rules["type"]))
        for name, rules in feed_of(contract, feed).columns.items()
    }
    return columns | {
        "_load_id": "varchar",
        "_row_number": "bigint",
        "_delivery_rank": "bigint",
    }


def load_good(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """Every feed and the reference tables, in good order."""
    for schema in ("raw", "latest", "reference"):
        connection.execute(f"create schema if not exists {schema}")
    for feed in contract:
        rows = [
            {**row, "_load_id": "first", "_row_number": number, "_delivery_rank": 0}
            for number, row in enumerate(ROWS[feed], 1)
        ]
        create_table(connection, f"raw.{feed}", raw_columns(contract, feed), rows)
        connection.execute(latest_view(contract, feed))
    for table, (columns, rows) in REFERENCE.items():
        create_table(connection, f"reference.{table}", columns, rows)
    refresh(connection, contract)


def latest_view(contract: Contract, name: str) -> str:
    """What the loader offers: of rows of one key and version the one delivered last."""
    feed = feed_of(contract, name)
    key = ", ".join([*feed.key, *([feed.version] if feed.version else [])])
    return (
        f"create or replace view latest.{name} as select * from raw.{name} qualify"
        f" row_number() over (partition by {key} order by _delivery_rank desc, _row_number desc)"
        " = 1"
    )


def load_nothing(connection: duckdb.DuckDBPyConnection, contract: Contract, feed: str) -> None:
    """A feed that was not delivered: its view has columns and no rows."""
    create_table(connection, f"raw.{feed}", raw_columns(contract, feed), [])
    refresh(connection, contract)


def refresh(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """What a run makes of the raw views before it checks them."""
    for statement in check_views(contract, PERIOD):
        connection.execute(statement)
