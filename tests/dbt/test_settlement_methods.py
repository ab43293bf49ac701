"""The set-based settlement models against the one that goes event by event.

The models' own SQL runs in an in-memory DuckDB over drawn accounts; dbt is not started. A
settlement that begins with what an earlier one left is held against one of everything.
"""

from collections import Counter
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
    Payment,
    any_account,
    day,
    in_order,
    known_before,
    load_sequencer,
    named_payer,
    topped_up,
)

sequencer = load_sequencer()
Movements = Counter[tuple[Any, ...]]


class Lake:
    """The two models the settlement reads, and everything it builds on them.

    From the day `begin` on it is settled anew, on what the settlement `before` left.
    """

    def __init__(
        self, cases: list[Case], begin: str | None = None, before: "Lake | None" = None
    ) -> None:
        self.connection = duckdb.connect()
        self.begin = begin
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
        for name in ("int_settlements_allocated", "int_invoices_settled"):
            if before:
                rows = before.ref(name).to_arrow_table()
                self.connection.register(f"rows_of_{name}", rows)
                self.connection.execute(f"create table before_{name} as from rows_of_{name}")
        self._build("int_settlement_items_carried")
        self._build("int_invoices_unsettled")
        self._build("int_payments_unsettled")
        self._build("int_receivable_accounts_classified")
        self._build("int_settlement_events_ordered")
        self._build("int_named_settlements_matched")
        self._build("int_queued_settlements_matched")
        sequenced = sequencer.model(self, None).read_all()
        self.connection.register("int_settlements_sequenced", sequenced)
        self._build("int_settlements_allocated")
        if begin:
            self.connection.execute(
                f"delete from int_settlements_allocated where settled_on < {begin}"
            )
            self.connection.execute(
                "insert into int_settlements_allocated by name"
                f" from before_int_settlements_allocated where settled_on < {begin}"
            )
        self.connection.execute(
            "create table int_invoices_settled as select invoices.*,"
            " total_amount - coalesce(settled_amount, 0) as outstanding_amount, last_moved_on"
            " from int_invoices_receivable as invoices left join (select invoice_id,"
            " sum(amount) as settled_amount, max(settled_on) as last_moved_on"
            " from int_settlements_allocated group by invoice_id) using (invoice_id)"
        )

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
        body = template.render(
            ref=lambda table: table,
            config=lambda **_: "",
            settlement_begin=lambda: self.begin,
            built_before=lambda table: f"before_{table}",
        )
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
    return Counter((account, *movement) for movement in sequencer.settle_account(events))


def allocated(lake: Lake) -> Movements:
    return Counter(
        lake.query(
            "select account_id, invoice_id, source_kind, source_id,"
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
        assert allocated(lake) == sum(expected, Counter())
        classified = "select settlement_method from int_receivable_accounts_classified"
        seen.update(method for (method,) in lake.query(classified))

    check()
    assert certain <= seen <= possible


@pytest.mark.parametrize(
    "accounts", [named_payer(exact=True), named_payer(exact=False), topped_up(), any_account()]
)
def test_a_settlement_begun_later_moves_what_one_of_everything_moves(
    accounts: st.SearchStrategy[Case],
) -> None:
    carried = Counter[str]()

    @settings(max_examples=40, deadline=None)
    @given(st.lists(accounts, min_size=1, max_size=12), st.integers(0, 12), st.data())
    def check(cases: list[Case], cut: int, data: st.DataObject) -> None:
        before = Lake([data.draw(known_before(case, cut)) for case in cases])
        lake = Lake(cases, f"date '{day(cut)}'", before)
        expected = [event_by_event(f"a{number}", case) for number, case in enumerate(cases)]
        assert allocated(lake) == sum(expected, Counter())
        items = "select event_kind, count(*) from int_settlement_items_carried group by all"
        carried.update(dict(lake.query(items)))

    check()
    assert {"invoice", "payment"} <= carried.keys()


def test_open_items_alone_are_carried() -> None:
    case = Case(
        [Bill("paid", 0, 3, 10), Bill("open", 1, 4, 10)],
        [Payment("p", 2, 10, "paid"), Payment("q", 2, 4, "open"), Payment("r", 2, 5, "later")],
    )
    lake = Lake([case], f"date '{day(5)}'", Lake([case]))
    items = "select event_id, named_invoice_id, amount from int_settlement_items_carried"
    assert {(name, named, int(amount * 100)) for name, named, amount in lake.query(items)} == {
        ("a0-open", None, 6),
        ("a0-r", "a0-later", 5),
    }


@pytest.mark.parametrize(
    "payment",
    [Payment("late", 6, -3), Payment("late", 6, 3, "paid")],
    ids=["takes money back", "names a closed bill"],
)
def test_an_account_that_looks_back_is_settled_whole(payment: Payment) -> None:
    bills = [Bill("paid", 0, 3, 10)]
    known = Case(bills, [Payment("p", 2, 10, "paid")])
    case = Case(bills, [*known.payments, payment])
    lake = Lake([case], f"date '{day(5)}'", Lake([known]))
    carried = lake.query("select event_id from int_settlement_items_carried")
    assert set(carried) == {("a0-paid",), ("a0-p",)}
    assert allocated(lake) == event_by_event("a0", case)
