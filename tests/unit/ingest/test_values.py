"""Every rule of the contract on single values: what is loaded, what is a fault and why."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.loading import Judged, judge

CHARGE = {
    "charge_id": "H1",
    "invoice_id": "I1",
    "product_code": "MOBILE",
    "charge_type": "usage",
    "amount": "1.00",
}
CONTACT = {
    "contact_id": "K1",
    "customer_id": "C1",
    "channel": "call",
    "purpose": "care",
    "contacted_at": "2025-01-02 03:04:05",
}
CUSTOMER = {
    "customer_id": "C1",
    "customer_name": "Zhang Wei",
    "legal_form": "individual",
    "region_code": "GD-GZ",
    "registered_on": "2025-01-01",
    "updated_at": "2025-01-01 00:00:00",
}
USAGE = {"subscription_id": "S1", "usage_month": "2025-01-01"}
COST = {
    "cost_month": "2025-01-01",
    "product_code": "MOBILE",
    "region_code": "GD",
    "cost_per_subscription": "1",
}
ROWS = {
    "charges": CHARGE,
    "contacts": CONTACT,
    "customers": CUSTOMER,
    "usage": USAGE,
    "service_costs": COST,
}


def of_csv(folder: Path, feed: str, *changes: dict[str, str], **options: Any) -> Judged:
    rows = [{**ROWS[feed], **change} for change in changes or ({},)]
    names = list({name: None for row in rows for name in row})
    lines = [",".join(names)] + [",".join(row.get(name, "") for name in names) for row in rows]
    path = folder / f"{feed}.csv"
    path.write_text("\n".join(lines) + "\n")
    return judge(feed, path, folder / "home", **options)


def of_parquet(folder: Path, feed: str, timezone: str = "Asia/Shanghai", **values: str) -> Judged:
    """A one-row Parquet file; a value is an SQL expression."""
    row = {name: f"'{value}'" for name, value in ROWS[feed].items()} | values
    path = folder / f"{feed}.parquet"
    columns = ", ".join(f"{expression} as {name}" for name, expression in row.items())
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"copy (select {columns}) to '{path}'")
    return judge(feed, path, folder / "home", timezone)


@pytest.mark.parametrize(
    ("feed", "column", "text", "value"),
    [
        ("charges", "amount", "107.99", Decimal("107.9900")),
        ("charges", "amount", "0.0", Decimal(0)),
        ("charges", "amount", "-5", Decimal(-5)),
        ("charges", "amount", "+.5", Decimal("0.5")),
        ("charges", "amount", "7.", Decimal(7)),
        ("charges", "amount", " 7.25 ", Decimal("7.25")),
        ("charges", "amount", "1.23450000000000000000000", Decimal("1.2345")),
        ("charges", "amount", "99999999999999.9999", Decimal("99999999999999.9999")),
        ("charges", "product_code", "0070", "0070"),
        ("charges", "product_code", '" x, ""y"" "', ' x, "y" '),
        ("contacts", "score", "5", 5),
        ("contacts", "score", "5.0", 5),
        ("contacts", "score", "", None),
        ("contacts", "contacted_at", "2025-01-02", dt.datetime(2025, 1, 2)),
        ("contacts", "contacted_at", "2025-01-02T03:04", dt.datetime(2025, 1, 2, 3, 4)),
        (
            "contacts",
            "contacted_at",
            "2025-01-02 03:04:05.123456000",
            dt.datetime(2025, 1, 2, 3, 4, 5, 123456),
        ),
        ("contacts", "contacted_at", "2025-01-02T03:04:05Z", dt.datetime(2025, 1, 2, 11, 4, 5)),
        (
            "contacts",
            "contacted_at",
            "2025-01-02 03:04:05+08:00",
            dt.datetime(2025, 1, 2, 3, 4, 5),
        ),
        ("customers", "registered_on", "2024-02-29", dt.date(2024, 2, 29)),
        ("customers", "registered_on", "2025-01-01 00:00:00", dt.date(2025, 1, 1)),
        ("customers", "registered_on", "2025-01-01T00:00:00.000", dt.date(2025, 1, 1)),
        ("customers", "registered_on", "2024-12-31T16:00:00Z", dt.date(2025, 1, 1)),
        ("customers", "strategic_flag", "TRUE", True),
        ("customers", "strategic_flag", "No", False),
        ("customers", "strategic_flag", "1", True),
        ("customers", "strategic_flag", "f", False),
        ("customers", "strategic_flag", "", False),
        ("customers", "designation", "", "none"),
        ("usage", "voice_minutes", "0", Decimal(0)),
        ("usage", "voice_minutes", "", Decimal(0)),
        ("usage", "active_days", "31", 31),
        ("service_costs", "cost_share_of_revenue", "1.000000", Decimal(1)),
    ],
)
def test_value_is_loaded_as_delivered(
    tmp_path: Path, feed: str, column: str, text: str, value: object
) -> None:
    judged = of_csv(tmp_path, feed, {column: text})
    assert judged.reasons == []
    assert judged.rows[0][column] == value


@pytest.mark.parametrize(
    ("feed", "column", "text", "reason"),
    [
        ("charges", "amount", "", "amount: a value is required"),
        ("charges", "amount", '""', "amount: a value is required"),
        ("charges", "charge_id", "", "charge_id: a value is required"),
        ("charges", "amount", '"1,234.50"', "amount: '1,234.50' is not a number"),
        ("charges", "amount", "1_000", "amount: '1_000' is not a number"),
        ("charges", "amount", "NaN", "amount: 'NaN' is not a number"),
        ("charges", "amount", "inf", "amount: 'inf' is not a number"),
        ("charges", "amount", "1.00001", "amount: '1.00001' has more than 4 decimals"),
        (
            "charges",
            "amount",
            "100000000000000",
            "amount: '100000000000000' does not fit into decimal(18,4)",
        ),
        (
            "charges",
            "charge_type",
            "foo",
            "charge_type: 'foo' is not one of recurring, usage, one_off, discount, adjustment, "
            "penalty, third_party",
        ),
        (
            "contacts",
            "score",
            "4.5",
            "score: '4.5' is not a whole number of at most 64 bits",
        ),
        (
            "contacts",
            "score",
            "9223372036854775808",
            "score: '9223372036854775808' is not a whole number of at most 64 bits",
        ),
        ("contacts", "score", "0", "score: '0' is below the minimum 1"),
        ("contacts", "score", "6", "score: '6' is above the maximum 5"),
        (
            "contacts",
            "contacted_at",
            "2025-01-02 24:00:00",
            "contacted_at: '2025-01-02 24:00:00' is not a timestamp (YYYY-MM-DD HH:MM:SS, at "
            "most microseconds)",
        ),
        (
            "contacts",
            "contacted_at",
            "2025-01-02 03:04:05.1234567",
            "contacted_at: '2025-01-02 03:04:05.1234567' is not a timestamp (YYYY-MM-DD "
            "HH:MM:SS, at most microseconds)",
        ),
        (
            "customers",
            "registered_on",
            "2025-02-29",
            "registered_on: '2025-02-29' is not a date (YYYY-MM-DD)",
        ),
        (
            "customers",
            "registered_on",
            "01/02/2025",
            "registered_on: '01/02/2025' is not a date (YYYY-MM-DD)",
        ),
        (
            "customers",
            "registered_on",
            "2025-01-01 08:30:00",
            "registered_on: '2025-01-01 08:30:00' carries a time of day where a date is wanted",
        ),
        (
            "customers",
            "strategic_flag",
            "maybe",
            "strategic_flag: 'maybe' is not one of true, false, t, f, 1, 0, yes, no",
        ),
        (
            "usage",
            "usage_month",
            "2025-01-02",
            "usage_month: '2025-01-02' is not the first day of a month",
        ),
        ("usage", "voice_minutes", "-0.01", "voice_minutes: '-0.01' is below the minimum 0"),
        ("usage", "active_days", "32", "active_days: '32' is above the maximum 31"),
        (
            "service_costs",
            "cost_share_of_revenue",
            "1.000001",
            "cost_share_of_revenue: '1.000001' is above the maximum 1",
        ),
    ],
)
def test_fault_goes_to_quarantine_with_its_reason(
    tmp_path: Path, feed: str, column: str, text: str, reason: str
) -> None:
    judged = of_csv(tmp_path, feed, {column: text})
    assert judged.rows == []
    assert judged.reasons == [reason]


def test_all_faults_of_a_row_are_named_and_only_that_row_is_kept_out(tmp_path: Path) -> None:
    good, bad = {"charge_id": "H1"}, {"charge_id": "H2", "charge_type": "foo", "amount": "x"}
    judged = of_csv(tmp_path, "charges", good, bad, {"charge_id": "H3"})
    assert [row["charge_id"] for row in judged.rows] == ["H1", "H3"]
    assert [row["_row_number"] for row in judged.rows] == [1, 3]
    assert [row["row_number"] for row in judged.quarantine] == [2]
    charge_type, amount = judged.reasons[0].split("; ")
    assert charge_type.startswith("charge_type: 'foo' is not one of")
    assert amount == "amount: 'x' is not a number"
    assert json.loads(judged.quarantine[0]["row_json"])["amount"] == "x"


def test_personal_values_stand_in_no_reason_and_no_quarantined_row(tmp_path: Path) -> None:
    personal = {
        "customer_name": "Ouyang Secret",
        "gender": "robot",
        "birth_year": "19x7",
        "address": "Lane 5",
        "id_card": "44010019700101",
    }
    judged = of_csv(tmp_path, "customers", personal)
    kept = judged.quarantine[0]["row_json"] + judged.reasons[0]
    assert not any(value in kept for value in personal.values())
    assert judged.reasons == [
        "birth_year: the value (***) is not a whole number of at most 64 bits; "
        "gender: the value (***) is not one of female, male, other"
    ]
    row = json.loads(judged.quarantine[0]["row_json"])
    assert row["customer_id"] == "C1"
    assert row["customer_name"] == row["id_card"] == "***"


@pytest.mark.parametrize(
    ("feed", "column", "expression", "value"),
    [
        ("charges", "amount", "29.85::double", Decimal("29.85")),
        ("charges", "amount", "29.85::float", Decimal("29.85")),
        ("charges", "amount", "3::integer", Decimal(3)),
        ("charges", "amount", "1.2500000000::decimal(38,10)", Decimal("1.25")),
        ("charges", "amount", "'1.25'", Decimal("1.25")),
        ("charges", "product_code", "70::bigint", "70"),
        ("charges", "unit", "''", ""),
        ("charges", "unit", "null::integer", None),
        ("contacts", "score", "4.0::double", 4),
        ("contacts", "score", "4::utinyint", 4),
        ("contacts", "contacted_at", "date '2025-01-02'", dt.datetime(2025, 1, 2)),
        (
            "contacts",
            "contacted_at",
            "timestamptz '2025-01-02 03:04:05+00'",
            dt.datetime(2025, 1, 2, 11, 4, 5),
        ),
        (
            "contacts",
            "contacted_at",
            "timestamp_ns '2025-01-02 03:04:05.000001'",
            dt.datetime(2025, 1, 2, 3, 4, 5, 1),
        ),
        ("customers", "registered_on", "timestamp '2025-01-01'", dt.date(2025, 1, 1)),
        (
            "customers",
            "registered_on",
            "timestamptz '2024-12-31 16:00:00+00'",
            dt.date(2025, 1, 1),
        ),
        ("customers", "strategic_flag", "1::integer", True),
        ("customers", "strategic_flag", "null::boolean", False),
        ("customers", "designation", "null::varchar", "none"),
    ],
)
def test_parquet_value_is_loaded_as_delivered(
    tmp_path: Path, feed: str, column: str, expression: str, value: object
) -> None:
    judged = of_parquet(tmp_path, feed, **{column: expression})
    assert judged.reasons == []
    assert judged.rows[0][column] == value


@pytest.mark.parametrize(
    ("feed", "column", "expression", "reason"),
    [
        ("charges", "amount", "1.00005::double", "amount: '1.00005' has more than 4 decimals"),
        ("charges", "amount", "'NaN'::double", "amount: 'nan' is not a number"),
        ("charges", "amount", "'-inf'::double", "amount: '-inf' is not a number"),
        (
            "charges",
            "amount",
            "1.00005::decimal(18,5)",
            "amount: '1.00005' has more than 4 decimals",
        ),
        ("charges", "amount", "null::double", "amount: a value is required"),
        (
            "charges",
            "amount",
            "true",
            "amount: 'true' is of type BOOLEAN, which is no decimal(18,4)",
        ),
        (
            "charges",
            "product_code",
            "70.0::double",
            "product_code: '70.0' is of type DOUBLE, which is no string",
        ),
        (
            "contacts",
            "score",
            "4.5::double",
            "score: '4.5' is not a whole number of at most 64 bits",
        ),
        (
            "contacts",
            "contacted_at",
            "timestamp_ns '2025-01-02 03:04:05.000000001'",
            "contacted_at: '2025-01-02 03:04:05.000000001' is not a timestamp (YYYY-MM-DD "
            "HH:MM:SS, at most microseconds)",
        ),
        (
            "customers",
            "registered_on",
            "timestamp '2025-01-01 08:00:00'",
            "registered_on: '2025-01-01 08:00:00' carries a time of day where a date is wanted",
        ),
        (
            "customers",
            "strategic_flag",
            "2::integer",
            "strategic_flag: '2' is not one of true, false, t, f, 1, 0, yes, no",
        ),
        (
            "usage",
            "usage_month",
            "timestamp '2025-01-31'",
            "usage_month: '2025-01-31 00:00:00' is not the first day of a month",
        ),
    ],
)
def test_parquet_fault_goes_to_quarantine(
    tmp_path: Path, feed: str, column: str, expression: str, reason: str
) -> None:
    judged = of_parquet(tmp_path, feed, **{column: expression})
    assert judged.rows == []
    assert judged.reasons == [reason]


def test_zoned_timestamp_is_told_in_the_operators_time_zone(tmp_path: Path) -> None:
    instant = "timestamptz '2025-07-01 12:00:00+00'"
    judged = of_parquet(tmp_path, "contacts", "America/Los_Angeles", contacted_at=instant)
    assert judged.rows[0]["contacted_at"] == dt.datetime(2025, 7, 1, 5)


def test_lake_has_the_types_of_the_contract_whatever_was_delivered(tmp_path: Path) -> None:
    of_csv(tmp_path, "usage", {"voice_minutes": "1"})
    of_parquet(tmp_path, "usage", voice_minutes="1::double", usage_month="date '2025-02-01'")
    files = sorted((tmp_path / "home" / "lake").rglob("*.parquet"))
    assert [path.parent.name for path in files] == ["usage_month=2025-01", "usage_month=2025-02"]
    with duckdb.connect() as connection:
        types = [
            connection.execute(f"describe from read_parquet('{path}', hive_partitioning=false)")
            .df()
            .set_index("column_name")["column_type"]
            .to_dict()
            for path in files
        ]
    assert (
        types[0]
        == types[1]
        == {
            "subscription_id": "VARCHAR",
            "usage_month": "DATE",
            "voice_minutes": "DECIMAL(18,2)",
            "data_mb": "DECIMAL(18,2)",
            "sms_count": "BIGINT",
            "active_days": "BIGINT",
            "_load_id": "VARCHAR",
            "_row_number": "BIGINT",
        }
    )
