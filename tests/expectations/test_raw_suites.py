"""Each rule on the raw feeds passes on good data and fails on its own fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from expectations.contract import Contract
from expectations.runner import build_suites
from tests.expectations.bench import Bench, reads
from tests.expectations.conftest import FEEDS
from tests.expectations.faults import Fault, boundaries_of, expectation_id, faults_of
from tests.expectations.raw_data import load_good, load_nothing, refresh

CONTRACT: Contract = yaml.safe_load(FEEDS.read_text(encoding="utf-8"))
SUITES = {suite.name.removeprefix("raw_"): suite for suite in build_suites("raw", CONTRACT)}
RULES = {expectation_id(rule): rule for suite in SUITES.values() for rule in suite.expectations}

EXTRA_INVOICES = """
insert into raw.invoices
select invoices.* replace (
    invoices.invoice_id || '-' || copies.copy as invoice_id,
    0.01 * (copies.copy + 1) as total_amount,
    0 as tax_amount
)
from raw.invoices
cross join range(2) as copies (copy)
where billing_month < date '2024-03-01'
"""

MONTHLY_FEEDS = {
    "usage": "usage_month",
    "service_quality": "quality_month",
    "service_costs": "cost_month",
}
DATED_FEEDS = {
    "payments": "paid_on",
    "complaints": "opened_at",
    "contacts": "contacted_at",
}


PARENTS = {"usage": "subscription", "service_quality": "subscription", "service_costs": "region"}


def fewer_rows(feed: str, column: str) -> str:
    """Five more rows of January, so that the months after it have far fewer."""
    parent = PARENTS.get(feed)
    key = f"{parent}_{'code' if parent == 'region' else 'id'}" if parent else f"{feed[:-1]}_id"
    copies = "cross join range(5) as copies (copy)"
    first = "date '2024-01-01'" if parent else "date '2024-01-15'"
    rows = (
        f"insert into raw.{feed} select found.* replace (found.{key} || copies.copy as {key},"
        f" {first} as {column}) from (select * from raw.{feed} limit 1) as found {copies}"
    )
    if not parent:
        return rows
    schema = "reference" if parent == "region" else "raw"
    return (
        f"insert into {schema}.{parent}s select found.* replace (found.{key} || copies.copy as"
        f" {key}) from (select * from {schema}.{parent}s limit 1) as found {copies};{rows}"
    )


# Rules with SQL of their own, each with the fault it is there to find.
OWN_FAULTS = {
    "raw_customers.industry_is_a_section": "update raw.customers set industry = 'A'",
    "raw_customers.region_is_a_local_network": "update raw.customers set region_code = 'GD'",
    "raw_customers.group_has_a_root": "update raw.customers set parent_customer_id = 'C2'",
    "raw_accounts.currency_is_a_code": "update raw.accounts set currency = 'yuan'",
    "raw_contracts.discount_is_within_limit": "update raw.contracts set discount_rate = 0.11",
    "raw_subscriptions.reason_belongs_to_a_deactivation": (
        "update raw.subscriptions set deactivated_on = null"
    ),
    "raw_contacts.score_belongs_to_a_survey": "update raw.contacts set purpose = 'care'",
    "raw_proposals.decision_fits_status": "update raw.proposals set decided_on = null",
    "raw_charges.discount_is_not_positive": "update raw.charges set charge_type = 'discount'",
    "raw_payments.amount_is_not_zero": "update raw.payments set amount = 0",
    "raw_payments.invoice_is_counted_and_of_the_account": (
        "update raw.payments set account_id = 'A2'"
    ),
    "raw_complaints.status_fits_clocks": "update raw.complaints set closed_at = null",
    "raw_invoices.currency_is_a_code": (
        "update raw.invoices set currency = 'yuan' where account_id = 'A1';"
        "update raw.accounts set currency = 'yuan' where account_id = 'A1'"
    ),
    "raw_invoices.tax_is_part_of_total": (
        "update raw.invoices set tax_amount = total_amount + 1 where invoice_id = 'A1-01';"
        "update raw.charges set amount = -1 where invoice_id = 'A1-01'"
    ),
    "raw_invoices.credit_note_is_not_positive": (
        "update raw.invoices set category = 'credit_note' where invoice_id = 'A1-01'"
    ),
    "raw_invoices.currency_is_the_accounts": (
        "update raw.invoices set currency = 'HKD' where invoice_id = 'A1-01'"
    ),
    "raw_invoices.charges_add_up_to_the_header": (
        "update raw.charges set amount = 1000.02 where invoice_id = 'A1-01'"
    ),
    "raw_invoices.revenue_is_itemised": ("delete from raw.charges where invoice_id = 'A2-02'"),
    "raw_invoices.volume_holds": EXTRA_INVOICES,
    "raw_usage.usage_month_is_unbroken": "delete from raw.usage where month(usage_month) = 2",
    "raw_service_quality.quality_month_is_unbroken": (
        "delete from raw.service_quality where month(quality_month) = 2"
    ),
    "raw_service_costs.cost_month_is_unbroken": (
        "delete from raw.service_costs where month(cost_month) = 2"
    ),
    "raw_invoices.bill_is_delivered_once": (
        "insert into raw.invoices select * replace ('A1-01-again' as invoice_id)"
        " from raw.invoices where invoice_id = 'A1-01';"
        "insert into raw.charges select * replace ("
        "charge_id || '-again' as charge_id, 'A1-01-again' as invoice_id)"
        " from raw.charges where invoice_id = 'A1-01'"
    ),
    "raw_invoices.amount_is_of_the_usual_size": (
        "update raw.invoices set total_amount = 8480, tax_amount = 480 where invoice_id = 'A1-03';"
        "update raw.charges set amount = 8000 where invoice_id = 'A1-03'"
    ),
    "raw_payments.reaches_closing_month": "update raw.payments set paid_on = date '2024-02-29'",
    "raw_complaints.reaches_closing_month": (
        "update raw.complaints set opened_at = timestamp '2024-02-29 23:59:59'"
    ),
    "raw_contacts.reaches_closing_month": (
        "update raw.contacts set contacted_at = timestamp '2024-02-29 23:59:59'"
    ),
    **{
        f"raw_{feed}.reaches_closing_month": f"delete from raw.{feed} where month({month}) = 3"
        for feed, month in MONTHLY_FEEDS.items()
    },
    **{
        f"raw_{feed}.volume_holds": fewer_rows(feed, month)
        for feed, month in {**MONTHLY_FEEDS, **DATED_FEEDS}.items()
    },
    "raw_invoices.billing_month_is_unbroken": (
        "delete from raw.invoices where month(billing_month) = 2"
    ),
}

# One lost bill breaks both: see the tests at the end.
LOST_BILL_RULES = {"raw_invoices.usual_bill_has_arrived", "raw_invoices.lost_bills_are_few"}


def structured_faults() -> Iterator[tuple[str, Fault]]:
    for identifier, rule in RULES.items():
        for fault in faults_of(rule):
            yield identifier, fault


STRUCTURED = list(structured_faults())


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(lambda connection: load_good(connection, CONTRACT))


def break_with(bench: Bench, *statements: str) -> None:
    bench.mend()
    for statement in statements:
        bench.connection.execute(statement)
    refresh(bench.connection, CONTRACT)


@pytest.mark.parametrize("feed", SUITES)
def test_good_data_passes(bench: Bench, feed: str) -> None:
    bench.mend()
    outcome = bench.check(SUITES[feed])
    assert not outcome.errors
    assert not outcome.failed


@pytest.mark.parametrize("feed", [name for name in SUITES if not CONTRACT[name].get("required")])
def test_an_optional_feed_may_be_absent(bench: Bench, feed: str) -> None:
    bench.mend()
    load_nothing(bench.connection, CONTRACT, feed)
    assert not bench.check(SUITES[feed]).failed


def test_every_rule_has_a_fault_it_must_find() -> None:
    covered = {identifier for identifier, _ in STRUCTURED} | set(OWN_FAULTS) | LOST_BILL_RULES
    assert covered == set(RULES)


@pytest.mark.parametrize(
    ("identifier", "fault"),
    STRUCTURED,
    ids=[f"{identifier}-{fault.name}" for identifier, fault in STRUCTURED],
)
def test_a_fault_against_the_contract_is_found(bench: Bench, identifier: str, fault: Fault) -> None:
    break_with(bench, *fault.statements)
    outcome = bench.check(SUITES[RULES[identifier].dataset.removeprefix("raw.")])
    assert identifier in outcome.failed
    if fault.column:
        for also in outcome.failed:
            assert reads(RULES[also], fault.column), f"{also} reads nothing that was broken"


@pytest.mark.parametrize("identifier", OWN_FAULTS)
def test_a_fault_is_found_and_no_other(bench: Bench, identifier: str) -> None:
    break_with(bench, *OWN_FAULTS[identifier].split(";"))
    outcome = bench.check(SUITES[RULES[identifier].dataset.removeprefix("raw.")])
    assert set(outcome.failed) == {identifier}


@pytest.mark.parametrize(
    "statement", [text for rule in RULES.values() for text in boundaries_of(rule)]
)
def test_a_bound_itself_is_allowed(bench: Bench, statement: str) -> None:
    break_with(bench, statement)
    feed = statement.split()[1].removeprefix("raw.")
    failed = bench.check(SUITES[feed]).failed
    assert not [name for name in failed if name.endswith(("_in_range", "_negative", "_share"))]


def test_a_corrected_row_replaces_the_one_before(bench: Bench) -> None:
    """The header that counts is the one delivered last, so the sums tie again."""
    wrong = "update raw.invoices set total_amount = 999 where invoice_id = 'A1-01'"
    break_with(bench, wrong)
    assert set(bench.check(SUITES["invoices"]).failed) == {
        "raw_invoices.charges_add_up_to_the_header"
    }
    corrected = """
        insert into raw.invoices
        select * replace (1060 as total_amount, 'second' as _load_id, 1 as _delivery_rank)
        from raw.invoices where invoice_id = 'A1-01'
    """
    break_with(bench, wrong, corrected)
    assert not bench.check(SUITES["invoices"]).failed


def test_unitemised_revenue_may_reach_the_limit_and_not_pass_it(bench: Bench) -> None:
    """10 of 1000 in the month is 1 %; a cent more is above it."""
    at_the_limit = (
        "delete from raw.charges where invoice_id = 'A2-02'",
        "update raw.charges set amount = 990 where invoice_id = 'A1-02'",
        "update raw.invoices set total_amount = 1050 where invoice_id = 'A1-02'",
        "update raw.invoices set currency = 'CNY', total_amount = 16 where invoice_id = 'A2-02'",
    )
    itemised = "raw_invoices.revenue_is_itemised"
    break_with(bench, *at_the_limit)
    assert itemised not in bench.check(SUITES["invoices"]).failed
    break_with(
        bench,
        *at_the_limit,
        "update raw.invoices set total_amount = 16.02 where invoice_id = 'A2-02'",
    )
    assert itemised in bench.check(SUITES["invoices"]).failed


def test_orphans_are_reported_with_count_and_money(bench: Bench) -> None:
    break_with(bench, "update raw.charges set invoice_id = 'lost' where invoice_id = 'A1-01'")
    observed = bench.check(SUITES["charges"]).failed["raw_charges.invoice_id_is_known"]
    assert observed == "1 failing with 1000.0000 of amount, e.g. charge_id A1-01-1"


def test_a_cycle_names_its_customers(bench: Bench) -> None:
    break_with(bench, "update raw.customers set parent_customer_id = 'C2' where customer_id = 'C1'")
    observed = bench.check(SUITES["customers"]).failed["raw_customers.group_has_a_root"]
    assert observed == "2 failing, e.g. customer_id C1; customer_id C2"


def test_no_personal_value_is_shown(bench: Bench) -> None:
    """Rows are named by keys alone, and no key is a personal column."""
    for feed, suite in SUITES.items():
        personal = {name for name, rules in CONTRACT[feed]["columns"].items() if "pii" in rules}
        for rule in suite.expectations:
            assert not personal & set(rule.keys)
    break_with(bench, "update raw.customers set gender = 'Wang Fang 13900000000'")
    outcome = bench.check(SUITES["customers"])
    assert "raw_customers.gender_is_known" in outcome.failed
    assert "139" not in str(outcome)


ONE_ACCOUNT_IS_ENOUGH = (
    "update reference.parameters set value = '1' where name = 'volume_minimum_rows'"
)
LOST_BILL = "delete from raw.invoices where invoice_id = 'A1-03'"


def test_a_lost_bill_is_missed_with_its_usual_revenue(bench: Bench) -> None:
    """A1 is billed 1000 net every month and still served; it is all that is awaited."""
    break_with(bench, LOST_BILL, ONE_ACCOUNT_IS_ENOUGH)
    failed = bench.check(SUITES["invoices"]).failed
    assert set(failed) == {"raw_invoices.usual_bill_has_arrived", "raw_invoices.lost_bills_are_few"}
    assert failed["raw_invoices.usual_bill_has_arrived"] == (
        "1 failing with 1000.0000 of usual revenue, e.g. account_id A1"
    )


def test_few_regular_accounts_are_no_habit(bench: Bench) -> None:
    break_with(bench, LOST_BILL)
    assert set(bench.check(SUITES["invoices"]).failed) == {"raw_invoices.usual_bill_has_arrived"}


def test_no_bill_is_awaited_of_an_account_that_left(bench: Bench) -> None:
    """S2, the only subscription of A2, ends within the closing month."""
    break_with(bench, "delete from raw.invoices where invoice_id = 'A2-03'")
    assert not bench.check(SUITES["invoices"]).failed


def test_lost_bills_may_reach_the_limit_and_not_pass_it(bench: Bench) -> None:
    """A2, billed 100 in CNY and served again, is a share of 100 / 1100 of the usual revenue."""
    lost = (
        "update raw.subscriptions set deactivated_on = null where subscription_id = 'S2'",
        "update raw.invoices set currency = 'CNY' where account_id = 'A2'",
        "update raw.accounts set currency = 'CNY' where account_id = 'A2'",
        "delete from raw.invoices where invoice_id = 'A2-03'",
    )
    limit = "update reference.parameters set value = '{}' where name = 'lost_bills_share_limit'"
    for share, is_blocking in (("0.090910", False), ("0.090909", True)):
        break_with(bench, *lost, limit.format(share))
        failed = bench.check(SUITES["invoices"]).failed
        assert "raw_invoices.usual_bill_has_arrived" in failed
        assert ("raw_invoices.lost_bills_are_few" in failed) is is_blocking


def test_a_bill_just_below_the_factor_is_usual(bench: Bench) -> None:
    break_with(
        bench,
        "update raw.invoices set total_amount = 8059.99 where invoice_id = 'A1-03'",
        "update raw.charges set amount = 7999.99 where invoice_id = 'A1-03'",
    )
    assert not bench.check(SUITES["invoices"]).failed
