"""The settlement of one account against a naive reading of rulebook 4, day by day."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings

from tests.dbt.settlement_cases import (
    Bill,
    Case,
    Payment,
    any_account,
    day,
    in_order,
    load_sequencer,
)

sequencer = load_sequencer()


@dataclass
class Deposit:
    """Money on the account; one that waits for a bill is nobody else's until it comes."""

    source: str
    waits_for: str | None
    left: int


@dataclass
class Settled:
    bill_id: str
    on: int
    left: int


class Reference:
    """Rulebook 4 word for word. Balances are never kept, always summed from the rows."""

    def __init__(self) -> None:
        self.rows: list[tuple[str | None, str, int, int | None, int]] = []
        self.issued: dict[str, Bill] = {}
        self.deposits: list[Deposit] = []
        self.settled: list[Settled] = []

    def outstanding(self, bill: Bill) -> int:
        return max(bill.cents, 0) - sum(row[4] for row in self.rows if row[0] == bill.bill_id)

    def credit(self) -> int:
        return sum(row[4] for row in self.rows if row[0] is None)

    def overdraft(self) -> int:
        return sum(deposit.left for deposit in self.deposits) - self.credit()

    def play(self, event: Bill | Payment) -> None:
        if isinstance(event, Payment) and event.cents < 0:
            self.take_back(event)
        elif isinstance(event, Payment):
            self.take_in(event.payment_id, event.cents, event.names, event.paid)
        elif event.cents < 0:
            self.issued[event.bill_id] = event
            self.take_in(event.bill_id, -event.cents, None, event.issued)
            self.release(event)
        else:
            self.issued[event.bill_id] = event
            self.release(event)
            for deposit in self.deposits:
                if deposit.waits_for is None:
                    self.spend(deposit, event, event.issued)
                    self.spend_on_oldest(deposit, event.issued)

    def release(self, bill: Bill) -> None:
        for deposit in self.deposits:
            if deposit.waits_for == bill.bill_id:
                self.spend(deposit, bill, bill.issued)
                self.cover_overdraft(deposit)
                self.spend_on_oldest(deposit, bill.issued)
                deposit.waits_for = None

    def take_in(self, source: str, cents: int, names: str | None, on: int) -> None:
        deposit = Deposit(source, None, cents)
        self.rows.append((None, source, on, None, cents))
        self.deposits.append(deposit)
        if names is not None and names not in self.issued:
            deposit.waits_for = names
            return
        if names is not None:
            self.spend(deposit, self.issued[names], on)
        self.cover_overdraft(deposit)
        self.spend_on_oldest(deposit, on)

    def cover_overdraft(self, deposit: Deposit) -> None:
        deposit.left -= min(deposit.left, self.overdraft())

    def spend(self, deposit: Deposit, bill: Bill, on: int) -> None:
        cents = min(deposit.left, self.outstanding(bill))
        deposit.left -= cents
        self.rows.append((None, deposit.source, on, None, -cents))
        self.rows.append((bill.bill_id, deposit.source, on, None, cents))
        self.settled.append(Settled(bill.bill_id, on, cents))

    def spend_on_oldest(self, deposit: Deposit, on: int) -> None:
        for bill in sorted(self.issued.values(), key=lambda bill: (bill.due, bill.bill_id)):
            self.spend(deposit, bill, on)

    def take_back(self, payment: Payment) -> None:
        rest = -payment.cents
        if payment.names in self.issued:
            rest = self.undo(payment, rest, payment.names)
        elif payment.names is not None:
            rest = self.withdraw(payment, rest, payment.names)
        rest = self.withdraw(payment, rest, None)
        rest = self.undo(payment, rest, None)
        for deposit in reversed(self.deposits):
            if deposit.waits_for is not None:
                rest = self.withdraw(payment, rest, deposit.waits_for, deposit)
        self.rows.append((None, payment.payment_id, payment.paid, None, -rest))

    def undo(self, payment: Payment, rest: int, of_bill: str | None) -> int:
        for settled in reversed(self.settled):
            if of_bill in (None, settled.bill_id):
                cents = min(rest, settled.left)
                settled.left -= cents
                rest -= cents
                row = settled.bill_id, payment.payment_id, payment.paid, settled.on, -cents
                self.rows.append(row)
        return rest

    def withdraw(
        self, payment: Payment, rest: int, waits_for: str | None, only: Deposit | None = None
    ) -> int:
        for deposit in reversed(self.deposits):
            if deposit.waits_for == waits_for and only in (None, deposit):
                cents = min(rest, deposit.left)
                deposit.left -= cents
                rest -= cents
                self.rows.append((None, payment.payment_id, payment.paid, None, -cents))
        return rest


def settle(case: Case) -> list:
    """The movements of the model's own state machine."""
    events = []
    for event in in_order(case):
        if isinstance(event, Bill):
            kind = "credit_note" if event.cents < 0 else "invoice"
            fields = (kind, event.bill_id, event.issued, event.due, None, event.cents)
        else:
            fields = ("payment", event.payment_id, event.paid, None, event.names, event.cents)
        events.append(sequencer.Event(*fields))
    return sequencer.settle_account(events)


def summed(rows: list[tuple[str | None, str, int, int | None, int]]) -> dict:
    """Money per invoice, source, day and day undone, wherever it is not zero."""
    totals: Counter = Counter()
    for *key, cents in rows:
        totals[tuple(key)] += cents
    return {key: cents for key, cents in totals.items() if cents}


@settings(max_examples=200, deadline=None)
@given(any_account())
def test_machine_moves_what_the_rulebook_says(case: Case) -> None:
    reference = Reference()
    for event in in_order(case):
        reference.play(event)

    movements = settle(case)

    moved = [(m.invoice_id, m.source_id, m.on, m.undoes_on, m.cents) for m in movements]
    assert summed(moved) == summed(reference.rows)


@settings(max_examples=200, deadline=None)
@given(any_account())
def test_billed_less_paid_is_outstanding_less_credit_on_every_day(case: Case) -> None:
    movements = settle(case)
    for today in range(14):
        so_far = [movement for movement in movements if movement.on <= today]
        bills = [bill for bill in case.bills if bill.issued <= today]
        paid = sum(payment.cents for payment in case.payments if payment.paid <= today)
        credit = sum(m.cents for m in so_far if m.invoice_id is None)
        outstanding = {
            bill.bill_id: max(bill.cents, 0)
            - sum(m.cents for m in so_far if m.invoice_id == bill.bill_id)
            for bill in bills
        }

        assert sum(b.cents for b in bills) - paid == sum(outstanding.values()) - credit
        for bill in bills:
            assert 0 <= outstanding[bill.bill_id] <= max(bill.cents, 0)


@settings(deadline=None)
@given(any_account())
def test_the_movements_of_a_source_sum_to_its_amount(case: Case) -> None:
    movements = settle(case)
    amounts = {payment.payment_id: payment.cents for payment in case.payments}
    amounts |= {bill.bill_id: -bill.cents for bill in case.bills if bill.cents < 0}
    for source_id, cents in amounts.items():
        own = [movement for movement in movements if movement.source_id == source_id]
        assert sum(movement.cents for movement in own) == cents


def test_events_may_carry_dates() -> None:
    bill = sequencer.Event("invoice", "b", day(0), day(9), None, 5)
    payment = sequencer.Event("payment", "p", day(1), None, "b", 5)
    (movement,) = sequencer.settle_account([bill, payment])
    assert (movement.invoice_id, movement.on, movement.cents) == ("b", day(1), 5)


OLD = Bill("old", 0, 5, 10)
NEW = Bill("new", 3, 9, 10)
NOTE = Bill("note", 2, 2, -4)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(
            Case([OLD, NEW], [Payment("p", 4, 14, "new")]),
            {("new", "p", 4, None): 10, ("old", "p", 4, None): 4},
            id="named first, the excess to the oldest due",
        ),
        pytest.param(
            Case([OLD, NEW], [Payment("p", 1, 14)]),
            {
                ("old", "p", 1, None): 10,
                (None, "p", 1, None): 4,
                (None, "p", 3, None): -4,
                ("new", "p", 3, None): 4,
            },
            id="an overpayment waits for the next bill",
        ),
        pytest.param(
            Case([OLD, NEW], [Payment("p", 1, 12, "new")]),
            {
                (None, "p", 1, None): 12,
                (None, "p", 3, None): -12,
                ("new", "p", 3, None): 10,
                ("old", "p", 3, None): 2,
            },
            id="held for its bill although another is open; the excess is set free",
        ),
        pytest.param(
            Case([OLD], [Payment("p", 1, 10, "later")]),
            {(None, "p", 1, None): 10},
            id="held for a bill that this run does not see",
        ),
        pytest.param(
            Case([OLD, NOTE], []),
            {("old", "note", 2, None): 4},
            id="a credit note pays the oldest due",
        ),
        pytest.param(
            Case([OLD, NEW], [Payment("p", 3, 20), Payment("q", 4, -3, "old")]),
            {
                ("old", "p", 3, None): 10,
                ("new", "p", 3, None): 10,
                ("old", "q", 4, 3): -3,
            },
            id="a reversal undoes the bill it names",
        ),
        pytest.param(
            Case([OLD, NEW], [Payment("p", 3, 20), Payment("q", 4, -13)]),
            {
                ("old", "p", 3, None): 10,
                ("new", "p", 3, None): 10,
                ("new", "q", 4, 3): -10,
                ("old", "q", 4, 3): -3,
            },
            id="a reversal without a name undoes the latest",
        ),
        pytest.param(
            Case([OLD], [Payment("p", 1, 15), Payment("q", 2, -7)]),
            {
                ("old", "p", 1, None): 10,
                (None, "p", 1, None): 5,
                (None, "q", 2, None): -5,
                ("old", "q", 2, 1): -2,
            },
            id="a reversal without a name takes the credit first",
        ),
        pytest.param(
            Case([OLD], [Payment("q", 0, -3), Payment("p", 1, 10, "old")]),
            {(None, "q", 0, None): -3, ("old", "p", 1, None): 10},
            id="a payment settles its bill before overdrawn credit",
        ),
        pytest.param(
            Case([OLD, NEW], [Payment("q", 0, -3), Payment("p", 4, 12, "old")]),
            {
                (None, "q", 0, None): -3,
                ("old", "p", 4, None): 10,
                (None, "p", 4, None): 2,
            },
            id="what is left of a payment covers overdrawn credit before the oldest due",
        ),
        pytest.param(
            Case([NEW], [Payment("q", 0, -3), Payment("p", 1, 25, "new")]),
            {
                (None, "q", 0, None): -3,
                (None, "p", 1, None): 25,
                (None, "p", 3, None): -10,
                ("new", "p", 3, None): 10,
            },
            id="money held for a bill settles it before it covers overdrawn credit",
        ),
        pytest.param(
            Case([Bill("old", 0, 5, 0)], [Payment("p", 1, 2, "old")]),
            {(None, "p", 1, None): 2},
            id="a bill of nothing takes nothing",
        ),
        pytest.param(
            Case(
                [OLD, Bill("nothing", 4, 9, 0)],
                [
                    Payment("p", 1, 15, "old"),
                    Payment("q", 2, -3, "old"),
                ],
            ),
            {
                ("old", "p", 1, None): 10,
                (None, "p", 1, None): 5,
                ("old", "q", 2, 1): -3,
                (None, "p", 4, None): -3,
                ("old", "p", 4, None): 3,
            },
            id="free credit is used when the next bill is issued, be it of nothing",
        ),
    ],
)
def test_settlement_by_example(case: Case, expected: dict) -> None:
    moved = [(m.invoice_id, m.source_id, m.on, m.undoes_on, m.cents) for m in settle(case)]
    assert summed(moved) == expected
