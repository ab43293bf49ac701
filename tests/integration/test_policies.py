"""Policies on a landing area at all their bounds: published, simulated, explained."""

from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.support.command import published, run_job, tierwise
from tests.support.landing import month_at
from tests.support.policy_landing import (
    NAME,
    TIERS,
    expected_tiers,
    write_policy_landing,
)

MARCH = month_at(2)
POLICY_COLUMNS = (
    "policy_id,policy_version,name,operator,currency,metric,method,window_months,"
    "grace_months,valid_from,valid_to,source\n"
)
BAND_COLUMNS = (
    "policy_id,policy_version,tier_code,tier_rank,region_class,legal_form,comparator,bound,"
    "service_class,is_high_value\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("policies")
    landing, reference = write_policy_landing(folder)
    outcome = run_job(folder / "home", landing, reference)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return folder / "home"


def rows_of(home: Path, query: str) -> list[dict[str, object]]:
    return [dict(row) for row in published(home, query).to_dict("records")]


def contents(home: Path) -> dict[str, str]:
    """Every file of a home with the hash of its bytes."""
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def read_moves(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as stream:
        return {row["customer_id"]: row for row in csv.DictReader(stream)}


@pytest.mark.parametrize("policy_id", TIERS)
def test_tiers_are_those_worked_out_by_hand(home: Path, policy_id: str) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        found = dict(
            connection.execute(
                """
                select tiers.customer_id, tiers.tier_code
                from intermediate.int_customer_tiers_replayed as tiers
                inner join intermediate.int_months_numbered as months using (month_number)
                where tiers.policy_id = ? and months.month = ?
                """,
                [policy_id, MARCH],
            ).fetchall()
        )
    assert found == expected_tiers(policy_id)


def test_published_tiers_are_those_of_the_policy_in_force(home: Path) -> None:
    rows = rows_of(
        home,
        "select customer_id, tier_code, tier_reason from marts.customer_tier_monthly "
        f"where month = date '{MARCH}'",
    )
    tiers = {row["customer_id"]: row["tier_code"] for row in rows}
    assert tiers == {**expected_tiers("house"), "O": "none"}
    reasons = {row["customer_id"]: row["tier_reason"] for row in rows}
    assert {name for name, reason in reasons.items() if reason == "grace"} == {"C", "F", "G"}


def test_comparison_counts_customers_and_revenue_of_every_tier(home: Path) -> None:
    rows = rows_of(
        home,
        "select policy_id, tier_code, customers, revenue, bound_metric_min, is_in_force "
        f"from marts.policy_comparison where month = date '{MARCH}' "
        "and policy_id in ('house', 'ntt', 'revenue_pyramid') "
        "order by policy_id, tier_rank nulls last",
    )
    money = Decimal
    assert [tuple(row.values()) for row in rows] == [
        # H 96000.00 + I 95999.99 + L and M 80000; the lowest mean is theirs.
        ("house", "diamond", 4, money("271999.9900"), money("13333.3333"), True),
        ("house", "platinum", 2, money("28799.9520"), money("9599.9680"), True),
        # C, kept by grace, is below the bound of 3000.
        ("house", "gold", 2, money("8000.0100"), money("2999.9967"), True),
        # A 5000.00 + D 3000.01 + E 1999.99 + P 4999.99.
        ("house", "silver", 4, money("14999.9900"), money("1666.6633"), True),
        ("house", "standard", 3, money("5010.0000"), money("0.0000"), True),
        ("house", "none", 1, money("50.0000"), None, True),
        # F 14400 + H + I + L and M; the lowest in yen is F's.
        ("ntt", "key", 5, money("286399.9900"), money("300000.0000"), False),
        ("ntt", "standard", 10, money("42409.9520"), money("0.0000"), False),
        ("ntt", "none", 1, money("50.0000"), None, False),
        ("revenue_pyramid", "core", 1, money("96000.0000"), money("96000.0000"), False),
        ("revenue_pyramid", "key", 1, money("95999.9900"), money("95999.9900"), False),
        ("revenue_pyramid", "standard", 13, money("136809.9520"), money("0.0000"), False),
        ("revenue_pyramid", "none", 1, money("50.0000"), None, False),
    ]


def test_policies_without_a_rate_are_left_out_and_listed(home: Path) -> None:
    compared = published(
        home,
        "select month, list_sort(list(distinct policy_id)) as policies "
        "from marts.policy_comparison group by month order by month",
    )
    february = set(TIERS) - {"ntt", "kdd"}
    assert [set(policies) for policies in compared["policies"]] == [
        set(TIERS),
        february,
        set(TIERS),
    ]
    listed = rows_of(
        home,
        "select severity, success, unexpected from audit.validation "
        "where expectation_id = 'marts_policy_comparison.no_policy_is_left_out'",
    )
    assert listed == [{"severity": "warning", "success": False, "unexpected": 2}]


def test_replay_of_the_policy_in_force_moves_nobody(home: Path, tmp_path: Path) -> None:
    before = contents(home)
    outcome = tierwise("simulate", "house", "--home", home, "--out", tmp_path / "moves.csv")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert read_moves(tmp_path / "moves.csv") == {}
    assert "0 moves are listed" in outcome.stdout
    assert contents(home) == before


def test_replay_lists_who_moves_and_what_it_costs(home: Path, tmp_path: Path) -> None:
    before = contents(home)
    outcome = tierwise(
        "simulate",
        "cn_telecom_high_value",
        *("--home", home, "--from", "2025-03", "--out", tmp_path / "moves.csv"),
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    moves = read_moves(tmp_path / "moves.csv")
    # Key has the service of gold: B stays, silver and standard rise to it, better ones fall.
    assert {name for name, row in moves.items() if row["movement"] == "up"} == set("ADJP")
    assert {name for name, row in moves.items() if row["movement"] == "down"} == set("CEFGHILM")
    assert moves["F"] == {
        "month": "2025-03-01",
        "customer_id": "F",
        "movement": "down",
        "tier_in_force": "platinum",
        "tier_simulated": "key",
        "service_class_in_force": "platinum",
        "service_class_simulated": "gold",
        "revenue": "14400.0000",
    }
    line = next(line for line in outcome.stdout.splitlines() if line.split()[:1] == ["2025-03"])
    # Cost: 11 x 50 less 4 x 100 + 2 x 80 + 2 x 50 + 4 x 20.
    assert line.split() == ["2025-03", "15", "4", "8", "18,000.00", "305,799.93", "-190.00"]
    assert contents(home) == before
    assert NAME not in outcome.stdout + (tmp_path / "moves.csv").read_text()


def test_replay_agrees_with_the_published_comparison(home: Path) -> None:
    outcome = tierwise("simulate", "revenue_pyramid", "--home", home)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    shown = [line.split() for line in outcome.stdout.splitlines() if "simulated" in line.split()]
    compared = rows_of(
        home,
        "select tier_code, customers, revenue, revenue_share, bound_metric_min "
        "from marts.policy_comparison where policy_id = 'revenue_pyramid' "
        f"and tier_code <> 'none' and month = date '{MARCH}' order by tier_rank",
    )
    assert shown == [
        [
            "simulated",
            str(row["tier_code"]),
            str(row["customers"]),
            f"{row['revenue']:,.2f}",
            f"{row['revenue_share']:.1%}",
            f"{row['bound_metric_min']:,.2f}",
            "CNY",
        ]
        for row in compared
    ]


def write_candidate(folder: Path, policies: str, bands: str) -> list[str | Path]:
    """Files of a candidate policy, as options."""
    (folder / "new policies.csv").write_text(POLICY_COLUMNS + policies)
    (folder / "new bands.csv").write_text(BAND_COLUMNS + bands)
    return ["--policies", folder / "new policies.csv", "--bands", folder / "new bands.csv"]


def test_a_changed_version_of_the_policy_in_force_is_tried_before_its_time(
    home: Path, tmp_path: Path
) -> None:
    files = write_candidate(
        tmp_path,
        "house,7,Stricter house,,CNY,revenue,threshold,1,0,2026-01-01,,\n",
        "house,7,gold,1,,,ge,5000.01,gold,true\nhouse,7,standard,2,,,ge,0,,\n",
    )
    out = tmp_path / "moves.csv"
    months = ("--from", "2025-03", "--through", "2025-03")
    outcome = tierwise("simulate", "house", *files, *months, "--home", home, "--out", out)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    moves = read_moves(out)
    # Gold are B, at the bound, and F, G, H, I, L, M, who had better; A lacks a cent.
    assert {row["movement"] for row in moves.values()} == {"down"}
    assert {name: row["tier_simulated"] for name, row in moves.items()} == {
        **dict.fromkeys("FGHILM", "gold"),
        **dict.fromkeys("ACDEP", "standard"),
    }


def test_a_month_without_a_rate_is_named(home: Path) -> None:
    outcome = tierwise("simulate", "kdd", "--home", home, "--from", "2025-02")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "Left out for want of a rate of JPY: 2025-02" in outcome.stdout
    alone = tierwise(
        "simulate", "kdd", *("--home", home, "--from", "2025-02"), "--through", "2025-02"
    )
    assert alone.returncode == 2
    assert "fx_rates.csv has no rate of JPY" in alone.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["emerald"], ["'emerald'", "Known are:", "house", "revenue_pyramid"]),
        (["house", "--from", "2024-12"], ["--from 2024-12", "2025-01 to 2025-03"]),
        (["house", "--through", "2025-13"], ["--through '2025-13'", "YYYY-MM"]),
        (
            ["house", "--from", "2025-03", "--through", "2025-01"],
            ["--from 2025-03 is after --through 2025-01"],
        ),
        (["house", "--bands", "bands.csv"], ["--policies and --bands belong together"]),
    ],
)
def test_wrong_use_is_told_in_words(home: Path, arguments: list[str], words: list[str]) -> None:
    outcome = tierwise("simulate", *arguments, "--home", home)
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr
    for word in words:
        assert word in outcome.stderr


def test_a_wrong_file_is_named_with_row_column_and_value(home: Path, tmp_path: Path) -> None:
    files = write_candidate(
        tmp_path,
        "new,1,New,,CNY,revenue,threshold,1,0,2025-01-01,,\n"
        "new,2,New,,CNY,revenue,threshold,one,0,2026-01-01,,\n",
        "new,1,gold,1,,,ge,100,gold,true\nnew,1,silver,2,,,least,50,,\n",
    )
    outcome = tierwise("simulate", "new", *files, "--home", home)
    assert outcome.returncode == 2
    assert (
        f"{tmp_path}/new policies.csv, row 2 (policy_id=new, policy_version=2), "
        "column window_months, value 'one'" in outcome.stderr
    )
    assert "new bands.csv, row 2" in outcome.stderr
    assert "column comparator, value 'least'" in outcome.stderr
    assert "the policy version has no bands" in outcome.stderr


def explain(home: Path, *arguments: str) -> dict[str, object]:
    outcome = tierwise("explain", *arguments, "--json", "--home", home)
    assert outcome.returncode == 0, outcome.stderr
    assert NAME not in outcome.stdout
    receipt: dict[str, object] = json.loads(outcome.stdout)
    return receipt


def test_a_receipt_says_what_the_marts_say(home: Path) -> None:
    receipt = explain(home, "B")
    assert receipt["month"] == "2025-03-01"
    tier = receipt["tier"]
    assert isinstance(tier, dict)
    stored = rows_of(
        home,
        "select * exclude (customer_id, month) from marts.customer_tier_monthly "
        f"where customer_id = 'B' and month = date '{MARCH}'",
    )[0]
    for column, value in stored.items():
        assert tier[column] == (str(value) if isinstance(value, Decimal) else value)
    assert (tier["tier_code"], tier["metric_value"], tier["bound_met"]) == (
        "gold",
        "5000.0000",
        "5000.000000",
    )
    bills = receipt["bills"]
    assert isinstance(bills, dict)
    assert (bills["revenue"], bills["months_counted"]) == ("15000.0000", 3)
    assert [bill["total_amount"] for bill in bills["invoices"]] == [
        "4999.9900",
        "5000.0000",
        "5000.0100",
    ]
    value = receipt["value"]
    assert isinstance(value, dict)
    margin = rows_of(
        home,
        "select margin from marts.customer_value_monthly "
        f"where customer_id = 'B' and month = date '{MARCH}'",
    )
    assert value["margin"] == str(margin[0]["margin"])


def test_a_receipt_names_the_month_that_lent_the_tier(home: Path) -> None:
    tier = explain(home, "F")["tier"]
    assert isinstance(tier, dict)
    assert (tier["tier_code"], tier["rule_tier"], tier["tier_reason"]) == (
        "platinum",
        "gold",
        "grace",
    )
    assert (tier["kept_from"], tier["held_since"]) == ("2025-01-01", "2025-01-01")


def test_every_receipt_has_the_same_keys(home: Path) -> None:
    ranked, left = explain(home, "B", "--month", "2025-01"), explain(home, "O")
    assert ranked["month"] == "2025-01-01"
    for section, content in ranked.items():
        other = left[section]
        assert type(content) is type(other)
        if isinstance(content, dict) and isinstance(other, dict):
            assert list(content) == list(other)


def test_a_receipt_reads_well_in_a_terminal(home: Path) -> None:
    outcome = tierwise("explain", "F", "--home", home, COLUMNS="80")
    assert outcome.returncode == 0, outcome.stderr
    for words in (
        "F Z*** U***",
        "platinum (service class platinum), held since 2025-01",
        "grace: kept by the rule of 2025-01; this month's rule says gold",
        "avg_revenue 9,600.00 CNY",
        "not measured",
        "none on record",
        "28,800.00 CNY over 3 months",
    ):
        assert words in outcome.stdout
    assert "300,000.00" in outcome.stdout


def test_a_customer_without_service_has_no_tier_to_explain(home: Path) -> None:
    outcome = tierwise("explain", "O", "--home", home)
    assert outcome.returncode == 0, outcome.stderr
    assert "the customer has no active service, so no tier" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Z"], "knows no customer 'Z'"),
        (["B", "--month", "2024-12"], "has no figures in 2024-12. It has some from 2025-01"),
        (["B", "--month", "March"], "--month 'March': wants a month as YYYY-MM"),
    ],
)
def test_an_unknown_customer_or_month_is_told(home: Path, arguments: list[str], words: str) -> None:
    outcome = tierwise("explain", *arguments, "--home", home)
    assert outcome.returncode == 2
    assert words in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("command", [["explain", "B"], ["simulate", "house"]])
def test_an_empty_home_has_nothing_to_show(tmp_path: Path, command: list[str]) -> None:
    outcome = tierwise(*command, "--home", tmp_path / "empty")
    assert outcome.returncode == 2
    assert "Nothing is published" in outcome.stderr
    assert not (tmp_path / "empty").exists()
