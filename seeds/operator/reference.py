"""The sample operator's own decisions: its reference tables and its settings file."""

from __future__ import annotations

from pathlib import Path

import duckdb

SETTINGS = """\
reporting_currency = "CNY"
timezone = "Asia/Shanghai"
tier_policy = "house"
landing = "landing"
reference = "reference"
"""

# Small samples hold more faults than a delivery may by default.
SETTINGS_WITH_DEFECTS = SETTINGS + "quarantine_share_limit = 0.2\n"

# Consumers here asked to be left alone: one text message a month instead of two.
CONTACT_LIMITS = """\
service_class,channel,limit_30_days
{rows}"""
SERVICE_CLASSES = ("diamond", "platinum", "gold", "silver", "standard")
CHANNELS = ("visit", "call", "sms", "email", "app", "counter")

OVERRIDES = """\
customer_id,tier_code,valid_from,valid_to,approved_by,reason
"""
# tier, first and last day (exclusive), approver, reason; each for another organisation
DECISIONS = (
    ("platinum", "2025-10-01", "2026-10-01", "Chen Guoliang", "Anchor tenant of the new park"),
    ("gold", "2026-01-01", "2027-01-01", "Huang Min", "Framework agreement signed for 2026"),
    ("gold", "2025-03-01", "2025-09-01", "Huang Min", "Trial of the gold service"),
    ("silver", "2026-04-01", "2026-07-01", "Liang Jing", "Bridges a relocation of the head office"),
    ("standard", "2026-02-01", "2026-08-01", "Chen Guoliang", "Resells lines against the terms"),
)


def write_reference(connection: duckdb.DuckDBPyConnection, out: Path, defects: bool) -> None:
    """Write reference/ and tierwise.toml; the customers come from the tables built before."""
    folder = out / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    customers = _long_standing_organisations(connection, len(DECISIONS))
    lines = [
        ",".join((customer, *decision))
        for customer, decision in zip(customers, DECISIONS, strict=False)
    ]
    _write(folder / "tier_overrides.csv", OVERRIDES + "".join(f"{line}\n" for line in lines))
    _write(folder / "contact_limits.csv", CONTACT_LIMITS.format(rows=_contact_limits()))
    _write(out / "tierwise.toml", SETTINGS_WITH_DEFECTS if defects else SETTINGS)


def _long_standing_organisations(connection: duckdb.DuckDBPyConnection, number: int) -> list[str]:
    """Organisations of middling size that stay through the sample's first two years."""
    found = connection.execute(
        "select customer_id from people where is_org and arrival = -1 and not is_prospect "
        "and not is_historic and leaves > 24 and spend between 400 and 4000 "
        "order by k limit ?",
        [number],
    ).fetchall()
    return [customer for (customer,) in found]


def _contact_limits() -> str:
    rows = []
    for service_class in SERVICE_CLASSES:
        for channel in CHANNELS:
            limit = 3 if service_class != "standard" else 1 if channel == "sms" else 2
            rows.append(f"{service_class},{channel},{limit}\n")
    return "".join(rows)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
