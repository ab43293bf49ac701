"""Policies of margin and of score, on customers whose value is worked out by hand.

Bills without charges keep the share 0.4 as margin. The policies are put in force one
after the other, a month each, as versions of one policy. A scorecard that knows no feature
gives everybody the same risk, so potential value ranks as the margin does.

| customer | bills | margin of January | value of both months | place | score of February |
|---|---|---|---|---|---|
| above | 1000.01, 1000.01 | 400.004 | 800.008 | 4 of 4 | 100 × (0.5 + 0.3) = 80 |
| soldier | 500.00, 1500.01 | 200.000 | 800.004 | 3 of 4 | 75 × 0.8 + 40 × 0.2 = 68 |
| at | 1000.00, 1000.00 | 400.000 | 800.000 | 2 of 4 | 50 × 0.8 = 40 |
| contacted | 1000.01, 1000.01 | 399.994 | 799.998 | 1 of 4 | 25 × 0.8 = 20 |
| below | 999.99, 999.99 | 399.996 | 799.992 | 0 of 4 | 0 |

The contact cost 0.01; a military designation is worth 40 points of social value.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.landing import FIRST_MONTH, month_at, write_feed
from tests.support.scratch_home import ScratchHome

DEFAULTS = Path(__file__).parents[2] / "seeds/reference"

BILLS = {
    "above": ("1000.01", "1000.01"),
    "soldier": ("500.00", "1500.01"),
    "at": ("1000.00", "1000.00"),
    "contacted": ("1000.01", "1000.01"),
    "below": ("999.99", "999.99"),
}

TABLES = {
    "regions": (
        "region_code,region_name,region_level,parent_code,region_class\n"
        "CN,Group,group,,\n"
        "P,Province,province,CN,\n"
        "R1,First,local,P,1\n"
    ),
    "tier_policies": (
        "policy_id,policy_version,name,operator,currency,metric,method,window_months,"
        "grace_months,valid_from,valid_to,source\n"
        f"value,1,Margin,,CNY,margin,threshold,1,0,{month_at(0)},{month_at(1)},\n"
        f"value,2,Score,,CNY,value_score,score,1,0,{month_at(1)},,\n"
    ),
    "tier_bands": (
        "policy_id,policy_version,tier_code,tier_rank,region_class,legal_form,comparator,"
        "bound,service_class,is_high_value\n"
        "value,1,gold,1,,,ge,400,gold,true\n"
        "value,2,diamond,1,,,ge,80.0001,diamond,true\n"
        "value,2,gold,2,,,ge,68,gold,true\n"
        "value,2,silver,3,,,ge,40,silver,\n"
    ),
}


def write_reference(scratch: ScratchHome) -> None:
    scratch.reference.mkdir(parents=True)
    for table, text in TABLES.items():
        (scratch.reference / f"{table}.csv").write_text(text)
    with (DEFAULTS / "churn_prior.csv").open(encoding="utf-8") as prior:
        features = [row["feature"] for row in csv.DictReader(prior)]
    rows = "".join(f"{name},{-3 if name == 'intercept' else 0},test\n" for name in features)
    (scratch.reference / "churn_prior.csv").write_text(f"feature,coefficient,source\n{rows}")


def write_landing(scratch: ScratchHome) -> None:
    known = f"{FIRST_MONTH} 00:00:00"
    feeds: dict[str, list[dict[str, object]]] = {
        "customers": [
            {
                "customer_id": name,
                "customer_name": "Somebody",
                "legal_form": "individual",
                "region_code": "R1",
                "designation": "military" if name == "soldier" else "none",
                "registered_on": FIRST_MONTH,
                "updated_at": known,
            }
            for name in BILLS
        ],
        "accounts": [
            {
                "account_id": name,
                "customer_id": name,
                "currency": "CNY",
                "payment_mode": "postpaid",
                "opened_on": FIRST_MONTH,
                "updated_at": known,
            }
            for name in BILLS
        ],
        "subscriptions": [
            {
                "subscription_id": name,
                "account_id": name,
                "product_code": "MOB_4G",
                "activated_on": FIRST_MONTH,
                "updated_at": known,
            }
            for name in BILLS
        ],
        "invoices": [
            {
                "invoice_id": f"{name}-{index}",
                "account_id": name,
                "billing_month": month_at(index),
                "category": "normal",
                "issued_on": month_at(index),
                "due_on": month_at(index),
                "currency": "CNY",
                "total_amount": amount,
                "tax_amount": "0.00",
            }
            for name, amounts in BILLS.items()
            for index, amount in enumerate(amounts)
        ],
        "contacts": [
            {
                "contact_id": "K1",
                "customer_id": "contacted",
                "channel": "sms",
                "purpose": "care",
                "contacted_at": f"{FIRST_MONTH} 09:00:00",
                "cost": "0.01",
            }
        ],
    }
    for feed, rows in feeds.items():
        write_feed(scratch.landing, feed, f"{feed}.csv", rows)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> ScratchHome:
    scratch = ScratchHome(
        tmp_path_factory.mktemp("value"), tier_policy="value", through=month_at(1)
    )
    write_reference(scratch)
    write_landing(scratch)
    scratch.load("run-1")
    scratch.build("+customer_tier_monthly", "+customer_value_monthly")
    return scratch


def tiers(scratch: ScratchHome, index: int) -> dict[str, tuple[Decimal, str]]:
    """Metric and tier of each customer in a month."""
    return {
        customer: (metric, tier)
        for customer, metric, tier in scratch.rows(
            "select customer_id, metric_value, tier_code from marts.customer_tier_monthly"
            f" where month = date '{month_at(index)}'"
        )
    }


def test_margin_gives_the_tier(built: ScratchHome) -> None:
    assert tiers(built, 0) == {
        "above": (Decimal("400.0040"), "gold"),
        "at": (Decimal("400.0000"), "gold"),
        "below": (Decimal("399.9960"), "standard"),
        "contacted": (Decimal("399.9940"), "standard"),
        "soldier": (Decimal("200.0000"), "standard"),
    }


def test_score_gives_the_tier(built: ScratchHome) -> None:
    assert tiers(built, 1) == {
        "above": (Decimal("80.0000"), "gold"),
        "soldier": (Decimal("68.0000"), "gold"),
        "at": (Decimal("40.0000"), "silver"),
        "contacted": (Decimal("20.0000"), "standard"),
        "below": (Decimal("0.0000"), "standard"),
    }


def test_value_names_what_was_not_measured(built: ScratchHome) -> None:
    coverage = "select distinct value_coverage from marts.customer_value_monthly"
    assert built.rows(coverage) == [("costs,campaigns,complaints,payments,headroom",)]
