"""A landing area at the bounds of every policy of the pack, with the tiers worked out by hand.

Three months; the tiers below are those of the last, March 2025. One yen is 0.048 CNY;
February has no rate. R1, R2 and R3 are of class 1, 2 and 3; NOWHERE is of no class.

| customer | place | January | February | March | mean of three |
|---|---|---|---|---|---|
| A | R1 | 4999.99 | 5000.00 | 5000.00 | 4999.9967, just below 5000 |
| B | R1 | 4999.99 | 5000.00 | 5000.01 | 5000.0000, at 5000 |
| C | R2 | 3000.01 | 2999.98 | 3000.00 | 2999.9967, below 3000; 3000.01 in January |
| D | R3 | 1000.00 | 1000.00 | 3000.01 | 1666.6700 |
| E | R3 | 1999.99 | 1999.99 | 1999.99 | 1999.9900, just below 2000 |
| F | R1 | 300000 yen | | 300000 yen | (14400 + 0 + 14400) / 3 = 9600 |
| G | R1 | 299999 yen | | 299999 yen | 2 x 14399.952 / 3 = 9599.9680 |
| H | R1 | | | 96000.00 | 32000.0000 |
| I | R1 | | | 95999.99 | 31999.9967 |
| J | NOWHERE | 5000.00 | 5000.00 | 5000.00 | 5000.0000 |
| K | R1 | | | 10.00 | 3.3333 |
| L, M | R2 | | | 40000.00 | 13333.3333 |
| N | R1 | | | | 0 |
| O | R1 | 50.00 | | 50.00 | left in February |
| P | R1 | | | 4999.99 | 1666.6633 |
"""

from __future__ import annotations

import csv
from pathlib import Path

from orchestration.warehouse.project import REFERENCE_DEFAULTS
from tests.support.landing import FIRST_MONTH, month_at, write_feed

CNY_PER_YEN = "0.048"
YEN = ("F", "G")
REGIONS = {"C": "R2", "L": "R2", "M": "R2", "D": "R3", "E": "R3", "J": "NOWHERE"}
NAME = "Zhang Unmasked"
BILLS: dict[str, tuple[str, str, str]] = {
    "A": ("4999.99", "5000.00", "5000.00"),
    "B": ("4999.99", "5000.00", "5000.01"),
    "C": ("3000.01", "2999.98", "3000.00"),
    "D": ("1000.00", "1000.00", "3000.01"),
    "E": ("1999.99", "1999.99", "1999.99"),
    "F": ("300000", "", "300000"),
    "G": ("299999", "", "299999"),
    "H": ("", "", "96000.00"),
    "I": ("", "", "95999.99"),
    "J": ("5000.00", "5000.00", "5000.00"),
    "K": ("", "", "10.00"),
    "L": ("", "", "40000.00"),
    "M": ("", "", "40000.00"),
    "N": ("", "", ""),
    "O": ("50.00", "", "50.00"),
    "P": ("", "", "4999.99"),
}
RANKED = "ABCDEFGHIJKLMNP"

# Per policy and tier, the customers of March; everybody else who is ranked is standard.
TIERS: dict[str, dict[str, str]] = {
    # Diamond from 20000 in class 1 and 12000 in class 2. The rule gives F and G gold, C
    # silver: January, the first month of three, lends them platinum and gold.
    "house": {"diamond": "HILM", "platinum": "FG", "gold": "BC", "silver": "ADEP"},
    # Above 3000: C is at it.
    "cn_telecom_high_value": {"key": "ABDFGHIJLMP"},
    # From 5000, 3000, 2000 by class: A, C and D reach it, E and P lack a cent, J has no class.
    "guangdong_telecom": {"key": "ABCDFGHILM"},
    # From 300 000 yen, 14 400 CNY: F is at it, G a yen below.
    "ntt": {"key": "FHILM"},
    # From 2 000 000 yen, 96 000 CNY: H is at it.
    "kdd": {"key": "H"},
    # Fewer than the bound: all who were billed.
    "france_telecom": {"key": "ABCDEFGHIJKLMP"},
    "top_1000": {"key": "ABCDEFGHIJKLMP"},
    # Fourteen with revenue: a fifth is 2.8, so rank 3 is in, which L and M share.
    "pareto_20": {"key": "HILM"},
    # Of 328809.942, core ends at 65761.99 and key at 98642.98. H starts at 0, I at 96000,
    # L at 191999.99.
    "revenue_pyramid": {"core": "H", "key": "I"},
}

# What the hours of a class cost for a customer and month, spread over its severities.
SERVICE_COSTS = {"diamond": 100, "platinum": 80, "gold": 50, "silver": 20, "standard": 0}


def expected_tiers(policy_id: str) -> dict[str, str]:
    """The tier of every ranked customer in March."""
    by_tier = TIERS[policy_id]
    named = {customer: tier for tier, members in by_tier.items() for customer in members}
    return {customer: named.get(customer, "standard") for customer in RANKED}


def write_policy_landing(folder: Path) -> tuple[Path, Path]:
    """The landing and reference folders."""
    landing = folder / "landing"
    _write_masters(landing)
    write_feed(landing, "invoices", "invoices.csv", _invoices())
    return landing, _write_reference(folder / "reference")


def _write_masters(landing: Path) -> None:
    known = f"{FIRST_MONTH} 00:00:00"
    feeds: dict[str, list[dict[str, object]]] = {
        "customers": [
            {
                "customer_id": name,
                "customer_name": NAME,
                "legal_form": "individual",
                "region_code": REGIONS.get(name, "R1"),
                "registered_on": FIRST_MONTH,
                "updated_at": known,
            }
            for name in BILLS
        ],
        "accounts": [
            {
                "account_id": f"A-{name}",
                "customer_id": name,
                "currency": "JPY" if name in YEN else "CNY",
                "payment_mode": "postpaid",
                "opened_on": FIRST_MONTH,
                "updated_at": known,
            }
            for name in BILLS
        ],
        "subscriptions": [
            {
                "subscription_id": f"S-{name}",
                "account_id": f"A-{name}",
                "product_code": "MOB_4G",
                "activated_on": FIRST_MONTH,
                "deactivated_on": "2025-02-15" if name == "O" else "",
                "updated_at": known,
            }
            for name in BILLS
        ],
    }
    for feed, rows in feeds.items():
        write_feed(landing, feed, f"{feed}.csv", rows)


def _invoices() -> list[dict[str, object]]:
    return [
        {
            "invoice_id": f"I-{name}-{index}",
            "account_id": f"A-{name}",
            "billing_month": month_at(index),
            "category": "normal",
            "issued_on": month_at(index),
            "due_on": month_at(index).replace(day=25),
            "currency": "JPY" if name in YEN else "CNY",
            "total_amount": amount,
            "tax_amount": "0.00",
        }
        for name, amounts in BILLS.items()
        for index, amount in enumerate(amounts)
        if amount
    ]


def _write_reference(reference: Path) -> Path:
    reference.mkdir(parents=True)
    (reference / "regions.csv").write_text(
        "region_code,region_name,region_level,parent_code,region_class\n"
        "CN,Group,group,,\n"
        "P,Province,province,CN,\n"
        "R1,First,local,P,1\n"
        "R2,Second,local,P,2\n"
        "R3,Third,local,P,3\n"
    )
    rates = [f"{month_at(index)},JPY,{CNY_PER_YEN}\n" for index in (0, 2)]
    (reference / "fx_rates.csv").write_text("month,currency,cny_per_unit\n" + "".join(rates))
    _write_service_levels(reference / "service_levels.csv")
    return reference


def _write_service_levels(path: Path) -> None:
    """The hours that ship, and a cost: half for critical cases, the rest in two quarters."""
    shares = {"critical": 0.5, "major": 0.25, "minor": 0.25}
    with (REFERENCE_DEFAULTS / path.name).open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=[*rows[0], "monthly_cost"])
        writer.writeheader()
        for row in rows:
            cost = SERVICE_COSTS[row["service_class"]] * shares[row["severity"]]
            writer.writerow({**row, "monthly_cost": f"{cost:.2f}"})
