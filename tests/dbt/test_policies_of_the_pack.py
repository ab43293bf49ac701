"""Every policy of the shipped pack on customers below, at and above each of its bounds.

The policies are put in force one after the other, a month each, as versions of one
policy: so one build tries them all, on the tables that ship.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from orchestration.warehouse.project import REFERENCE_DEFAULTS
from tests.support.landing import month_at, write_feed
from tests.support.scratch_home import ScratchHome

Cases = Mapping[str, list[tuple[str, str]]]
"""Per place of a customer: the bill of the month and the tier worked out by hand."""

CNY_PER_YEN = "0.048"
PLACES = {"1": "R1", "2": "R2", "3": "R3", "unknown": "NOWHERE", "yen": "R1"}

POLICIES: dict[str, Cases] = {
    "house": {
        "1": [
            ("999.99", "standard"),
            ("1000.00", "silver"),
            ("1000.01", "silver"),
            ("4999.99", "silver"),
            ("5000.00", "gold"),
            ("5000.01", "gold"),
            ("9999.99", "gold"),
            ("10000.00", "platinum"),
            ("10000.01", "platinum"),
            ("19999.99", "platinum"),
            ("20000.00", "diamond"),
            ("20000.01", "diamond"),
        ],
        "2": [
            ("599.99", "standard"),
            ("600.00", "silver"),
            ("600.01", "silver"),
            ("2999.99", "silver"),
            ("3000.00", "gold"),
            ("3000.01", "gold"),
            ("5999.99", "gold"),
            ("6000.00", "platinum"),
            ("6000.01", "platinum"),
            ("11999.99", "platinum"),
            ("12000.00", "diamond"),
            ("12000.01", "diamond"),
        ],
        "3": [
            ("399.99", "standard"),
            ("400.00", "silver"),
            ("400.01", "silver"),
            ("1999.99", "silver"),
            ("2000.00", "gold"),
            ("2000.01", "gold"),
            ("3999.99", "gold"),
            ("4000.00", "platinum"),
            ("4000.01", "platinum"),
            ("7999.99", "platinum"),
            ("8000.00", "diamond"),
            ("8000.01", "diamond"),
        ],
        # A region without a class has no bound to reach; a negative bill meets no band.
        "unknown": [("20000.00", "standard"), ("-5.00", "standard")],
        "yen": [("104166", "silver"), ("104167", "gold")],
    },
    "cn_telecom_high_value": {
        "1": [("2999.99", "standard"), ("3000.00", "standard"), ("3000.01", "key")],
        "unknown": [("3000.00", "standard"), ("3000.01", "key")],
        "yen": [("62500", "standard"), ("62501", "key")],
    },
    "guangdong_telecom": {
        "1": [("4999.99", "standard"), ("5000.00", "key"), ("5000.01", "key")],
        "2": [("2999.99", "standard"), ("3000.00", "key"), ("3000.01", "key")],
        "3": [("1999.99", "standard"), ("2000.00", "key"), ("2000.01", "key")],
        "unknown": [("5000.01", "standard")],
    },
    "ntt": {
        "1": [("14399.99", "standard"), ("14400.00", "key"), ("14400.01", "key")],
        "unknown": [("14400.00", "key")],
        "yen": [("299999", "standard"), ("300000", "key"), ("300001", "key")],
    },
    "kdd": {
        "1": [("95999.99", "standard"), ("96000.00", "key"), ("96000.01", "key")],
        "yen": [("1999999", "standard"), ("2000000", "key"), ("2000001", "key")],
    },
    # Two share rank 3000, so the next is 3002nd.
    "france_telecom": {
        "1": [
            *((f"{10000 - place}.00", "key") for place in range(2999)),
            ("7000.00", "key"),
            ("7000.00", "key"),
            ("6999.99", "standard"),
        ]
    },
    # Rank 999 is below the bound, three share rank 1000.
    "top_1000": {
        "1": [
            *((f"{10000 - place}.00", "key") for place in range(999)),
            ("9000.00", "key"),
            ("9000.00", "key"),
            ("9000.00", "key"),
            ("8999.99", "standard"),
        ]
    },
    # Eleven with revenue: a fifth of them is 2.2, so rank 3 is in, and both who share it.
    "pareto_20": {
        "1": [
            *((f"{amount}.00", "key") for amount in (100, 90, 80, 80)),
            *((f"{amount}.00", "standard") for amount in (70, 60, 50, 40, 30, 20, 10)),
        ]
    },
    # Of 100: who starts at 20 is not core, who starts at 30 is not key; ties go by id.
    "revenue_pyramid": {
        "1": [("20.00", "core"), ("10.00", "key"), *[("10.00", "standard")] * 7],
    },
}


def customer_id(place: str, index: int) -> str:
    return f"{place}-{index:04}"


def billed(cases: Cases) -> Iterator[tuple[str, str, str]]:
    """Customer, bill and expected tier."""
    for place, customers in cases.items():
        for index, (amount, tier) in enumerate(customers):
            yield customer_id(place, index), amount, tier


def read(table: str) -> list[dict[str, str]]:
    with (REFERENCE_DEFAULTS / table).open(newline="") as stream:
        return list(csv.DictReader(stream))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def version_of(policy_id: str) -> str:
    return str(list(POLICIES).index(policy_id) + 1)


def write_reference(reference: Path) -> None:
    """The pack as versions of the policy `pack`, each in force for one month."""
    policies = []
    for policy in read("tier_policies.csv"):
        place = list(POLICIES).index(policy["policy_id"])
        renamed = {
            "policy_id": "pack",
            "policy_version": version_of(policy["policy_id"]),
            "valid_from": str(month_at(place)),
            "valid_to": str(month_at(place + 1)),
        }
        policies.append({**policy, **renamed})
    write(reference / "tier_policies.csv", policies)
    bands = [
        {**band, "policy_id": "pack", "policy_version": version_of(band["policy_id"])}
        for band in read("tier_bands.csv")
    ]
    write(reference / "tier_bands.csv", bands)
    (reference / "regions.csv").write_text(
        "region_code,region_name,region_level,parent_code,region_class\n"
        "CN,Group,group,,\n"
        "P,Province,province,CN,\n"
        "R1,First,local,P,1\n"
        "R2,Second,local,P,2\n"
        "R3,Third,local,P,3\n"
    )
    rates = [f"{month_at(index)},JPY,{CNY_PER_YEN}\n" for index in range(len(POLICIES))]
    (reference / "fx_rates.csv").write_text("month,currency,cny_per_unit\n" + "".join(rates))


def write_landing(landing: Path) -> None:
    """Every customer is active from the first month on and billed where a case says so."""
    most = {
        place: max(len(cases.get(place, [])) for cases in POLICIES.values()) for place in PLACES
    }
    customers = [
        (customer_id(place, index), place) for place in PLACES for index in range(most[place])
    ]
    currencies = {name: "JPY" if place == "yen" else "CNY" for name, place in customers}
    first = month_at(0)
    known = f"{first} 00:00:00"
    write_feed(
        landing,
        "customers",
        "customers.csv",
        [
            {
                "customer_id": name,
                "customer_name": "Somebody",
                "legal_form": "individual",
                "region_code": PLACES[place],
                "registered_on": first,
                "updated_at": known,
            }
            for name, place in customers
        ],
    )
    write_feed(
        landing,
        "accounts",
        "accounts.csv",
        [
            {
                "account_id": name,
                "customer_id": name,
                "currency": currencies[name],
                "payment_mode": "postpaid",
                "opened_on": first,
                "updated_at": known,
            }
            for name, _ in customers
        ],
    )
    write_feed(
        landing,
        "subscriptions",
        "subscriptions.csv",
        [
            {
                "subscription_id": name,
                "account_id": name,
                "product_code": "MOB_4G",
                "activated_on": first,
                "updated_at": known,
            }
            for name, _ in customers
        ],
    )
    write_feed(
        landing,
        "invoices",
        "invoices.csv",
        [
            {
                "invoice_id": f"{policy_id}-{name}",
                "account_id": name,
                "billing_month": month_at(index),
                "category": "normal",
                "issued_on": month_at(index),
                "due_on": month_at(index),
                "currency": currencies[name],
                "total_amount": amount,
                "tax_amount": "0.00",
            }
            for index, (policy_id, cases) in enumerate(POLICIES.items())
            for name, amount, _ in billed(cases)
        ],
    )


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> ScratchHome:
    scratch = ScratchHome(
        tmp_path_factory.mktemp("pack"), tier_policy="pack", through=month_at(len(POLICIES) - 1)
    )
    write_reference(scratch.reference)
    write_landing(scratch.landing)
    scratch.load("run-1")
    scratch.build("+customer_tier_monthly")
    return scratch


def test_every_policy_of_the_pack_is_tried() -> None:
    shipped = [policy["policy_id"] for policy in read("tier_policies.csv")]
    assert sorted(shipped) == sorted(POLICIES)


@pytest.mark.parametrize("policy_id", POLICIES)
def test_tiers_are_those_worked_out_by_hand(pack: ScratchHome, policy_id: str) -> None:
    month = month_at(list(POLICIES).index(policy_id))
    tiers = pack.rows(
        "select customer_id, tier_code, tier_reason, policy_version "
        f"from marts.customer_tier_monthly where month = date '{month}'"
    )
    assert {(reason, version) for _, _, reason, version in tiers} == {
        ("rule", int(version_of(policy_id)))
    }
    found = {customer: tier for customer, tier, *_ in tiers}
    expected = dict.fromkeys(found, "standard")
    expected |= {customer: tier for customer, _, tier in billed(POLICIES[policy_id])}
    wrong = {
        customer: (tier, expected[customer])
        for customer, tier in found.items()
        if tier != expected[customer]
    }
    assert not wrong
    assert len(found) == len(expected)
