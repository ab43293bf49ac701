"""What holds for each expectation of every suite, raw and marts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import yaml

from expectations.contract import Contract
from expectations.custom import base, keys
from expectations.runner import build_suites
from tests.expectations import raw_data
from tests.expectations.bench import Bench
from tests.expectations.conftest import FEEDS

CONTRACT: Contract = yaml.safe_load(FEEDS.read_text(encoding="utf-8"))
SUITES = {
    suite.name: suite
    for suite in [*build_suites("raw", CONTRACT), *build_suites("marts", CONTRACT)]
}
RULES = {
    (rule.meta or {})["expectation_id"]: rule
    for suite in SUITES.values()
    for rule in suite.expectations
}
BROKEN_ROWS = 10_000


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_asks_who_owns_it_and_why(name: str) -> None:
    rule = RULES[name]
    meta = rule.meta or {}
    assert rule.description and rule.description.endswith(".")
    assert rule.severity.value in ("critical", "warning", "info")
    assert meta["owner"].strip()
    assert meta["rule"].strip()
    # What the page of the suite shows below the description.
    assert rule.notes == f"Rule: {meta['rule']}. Owner: {meta['owner']}."


def test_names_are_used_once() -> None:
    assert len(RULES) == sum(len(suite.expectations) for suite in SUITES.values())


def test_rows_are_named_by_keys_that_are_no_personal_values() -> None:
    personal = {
        column
        for feed in CONTRACT.values()
        for column, rules in feed["columns"].items()
        if "pii" in rules
    }
    for name, rule in RULES.items():
        assert rule.keys, f"{name} names no row"
        assert not personal & set(rule.keys), name


@pytest.fixture(scope="module")
def bench() -> Bench:
    def many_broken(connection: duckdb.DuckDBPyConnection) -> None:
        """Ten thousand more customers of one unknown gender, and invoices delivered twice."""
        raw_data.load_good(connection, CONTRACT)
        connection.execute(
            "insert into raw.customers"
            " select found.* replace ('X' || copies.copy as customer_id, '?' as gender)"
            " from (select * from raw.customers limit 1) as found"
            f" cross join range({BROKEN_ROWS}) as copies (copy)"
        )
        connection.execute(
            "insert into raw.invoices"
            " select found.* replace ('X' || copies.copy as invoice_id, 'HKD' as currency,"
            " cast(1000 + copies.copy as decimal(18, 2)) as total_amount, 0 as tax_amount)"
            " from (select * from raw.invoices where account_id = 'A1' limit 1) as found"
            f" cross join range({BROKEN_ROWS}) as copies (copy)"
        )
        connection.execute(
            f"insert into raw.payments select found.* from (select * from raw.payments limit 1)"
            f" as found cross join range({BROKEN_ROWS}) as copies (copy)"
        )
        raw_data.refresh(connection, CONTRACT)

    return Bench(many_broken)


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows each statement of a rule brought into this process."""
    sizes: list[int] = []
    fetch = base.fetch

    def counted(execution_engine: Any, statement: str) -> list[dict[str, Any]]:
        rows = fetch(execution_engine, statement)
        sizes.append(len(rows))
        return rows

    monkeypatch.setattr(base, "fetch", counted)
    monkeypatch.setattr(keys, "fetch", counted)
    yield sizes


@pytest.mark.parametrize(
    ("suite", "check", "observed"),
    [
        # A rule on rows.
        (
            "raw_customers",
            "raw_customers.gender_is_known",
            "10000 failing, e.g. customer_id X0; customer_id X1; customer_id X10;"
            " customer_id X100; customer_id X1000",
        ),
        # A comparison, the most money first.
        (
            "raw_invoices",
            "raw_invoices.currency_is_the_accounts",
            "10000 failing with 59995000.00 of total_amount, e.g. invoice_id X9999;"
            " invoice_id X9998; invoice_id X9997; invoice_id X9996; invoice_id X9995",
        ),
        # A key.
        ("raw_payments", "raw_payments.key_is_unique", "10000 failing, e.g. payment_id R1"),
    ],
)
def test_of_many_failing_rows_a_few_are_fetched(
    bench: Bench, fetched: list[int], suite: str, check: str, observed: str
) -> None:
    bench.mend()
    raw_data.refresh(bench.connection, CONTRACT)
    assert bench.check(SUITES[suite]).failed[check] == observed
    assert fetched
    assert max(fetched) <= base.SAMPLE_LIMIT
