"""The set-based settlement models against the one that goes event by event.

The models' own SQL runs in an in-memory DuckDB over drawn accounts; dbt is not started.
"""

from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbt.settlement_cases import (
    MODELS,
    Bill,
    Case,
    any_account,
    day,
    in_order,
    load_sequencer,
    named_payer,
    topped_up,
)

sequencer = load_sequencer()
Movements = set[tuple[Any, ...]]


class Lake:
    """The two models the settlement reads, and everything it builds on them."""

    def __init__(self, cases: list[Case]) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(
            "create table int_invoices_receivable (account_id varchar, currency varchar,"
            " invoice_id varchar, issued_on date, due_on date, total_amount decimal(18, 2))"
        )
        self.connection.execute(
            "create table int_payments_directed (account_id varchar, currency varchar,"
            " payment_id varchar, invoice_id varchar, paid_on date, amount decimal(18, 2))"
        )
        for number, case in enumerate(cases):
            self._deliver(f"a{number}", case)
        self._build("int_receivable_accounts_classified")
        self._build("int_settlement_events_ordered")
        self._build("int_named_settlements_matched")
        self._build("int_queued_settlements_matched")
        sequenced = sequencer.model(self, None).read_all()
        self.connection.register("int_settlements_sequenced", sequenced)
        self._build("int_settlements_allocated")

    def config(self, **settings: Any) -> None:
        """What dbt would note about the Python model."""
        assert settings == {"materialized": "table"}

    def ref(self, name: str) -> duckdb.DuckDBPyRelation:
        return self.connection.table(name)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def _deliver(self, account: str, case: Case) -> None:
        for bill in case.bills:
            self.connection.execute(
                "insert into int_invoices_receivable values (?, 'CNY', ?, ?, ?, ? * 0.01)",
                [
                    account,
                    f"{account}-{bill.bill_id}",
                    day(bill.issued),
                    day(bill.due),
                    bill.cents,
                ],
            )
        for payment in case.payments:
            self.connection.execute(
                "insert into int_payments_directed values (?, 'CNY', ?, ?, ?, ? * 0.01)",
                [
                    account,
                    f"{account}-{payment.payment_id}",
                    payment.names and f"{account}-{payment.names}",
                    day(payment.paid),
                    payment.cents,
                ],
            )

    def _build(self, name: str) -> None:
        template = jinja2.Template((MODELS / f"{name}.sql").read_text(encoding="utf-8"))
        body = template.render(ref=lambda table: table, config=lambda **_: "")
        self.connection.execute(f"create table {name} as {body}")


def event_by_event(account: str, case: Case) -> Movements:
    """The movements of the state machine, as rows of int_settlements_allocated."""
    events = []
    for event in in_order(case):
        if isinstance(event, Bill):
            kind = "credit_note" if event.cents < 0 else "invoice"
            name = f"{account}-{event.bill_id}"
            fields = (kind, name, day(event.issued), day(event.due), None, event.cents)
        else:
            named = event.names and f"{account}-{event.names}"
            name = f"{account}-{event.payment_id}"
            fields = ("payment", name, day(event.paid), None, named, event.cents)
        events.append(sequencer.Event(*fields))
    return {(account, *movement) for movement in sequencer.settle_account(events)}


def allocated(lake: Lake) -> Movements:
    return set(
        lake.query(
            "select account_id, invoice_id, source_kind, source_id, movement_number,"
            " settled_on, undoes_settled_on, cast(amount * 100 as bigint)"
            " from int_settlements_allocated"
        )
    )


@pytest.mark.parametrize(
    ("accounts", "certain", "possible"),
    [
        (named_payer(exact=True), {"named"}, {"named"}),
        (named_payer(exact=False), {"named", "sequential"}, {"named", "sequential"}),
        (topped_up(), {"named", "queued"}, {"named", "queued"}),
        # A few drawn accounts need not hold one that may be queued.
        (any_account(), {"named", "sequential"}, {"named", "queued", "sequential"}),
    ],
)
def test_every_method_moves_what_the_machine_moves(
    accounts: st.SearchStrategy[Case], certain: set[str], possible: set[str]
) -> None:
    seen: set[str] = set()

    @settings(max_examples=20, deadline=None)
    @given(st.lists(accounts, min_size=1, max_size=12))
    def check(cases: list[Case]) -> None:
        lake = Lake(cases)
        expected = [event_by_event(f"a{number}", case) for number, case in enumerate(cases)]
        assert allocated(lake) == set().union(*expected)
        classified = "select settlement_method from int_receivable_accounts_classified"
        seen.update(method for (method,) in lake.query(classified))

    check()
    assert certain <= seen <= possible
