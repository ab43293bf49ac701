"""Accounts to settle, drawn by Hypothesis, and the settlement models loaded by path."""

import datetime
import importlib.util
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

MODELS = Path(__file__).parents[2] / "dbt_project/models/intermediate/receivables"
FIRST_DAY = datetime.date(2024, 1, 1)


def load_sequencer() -> Any:
    """The module of the Python model; dbt's model folders are no packages."""
    path = MODELS / "int_settlements_sequenced.py"
    spec = importlib.util.spec_from_file_location("int_settlements_sequenced", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Bill:
    bill_id: str
    issued: int  # days after FIRST_DAY, as all days here
    due: int
    cents: int


@dataclass(frozen=True)
class Payment:
    payment_id: str
    paid: int
    cents: int
    names: str | None = None


@dataclass(frozen=True)
class Case:
    bills: list[Bill] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)


def in_order(case: Case) -> list[Bill | Payment]:
    """Rulebook 4: by date, on one day bills first, positive before negative, then id."""

    def place(event: Bill | Payment) -> tuple[int, bool, bool, str]:
        if isinstance(event, Bill):
            return event.issued, False, event.cents < 0, event.bill_id
        return event.paid, True, event.cents < 0, event.payment_id

    return sorted([*case.bills, *case.payments], key=place)


def day(number: int) -> datetime.date:
    return FIRST_DAY + datetime.timedelta(days=number)


days = st.integers(0, 12)
positive = st.integers(1, 20)


@st.composite
def any_account(draw: st.DrawFn) -> Case:
    """Everything at once: credit notes, reversals, money for bills that never come."""
    bills = [
        Bill(f"b{number}", draw(days), draw(days), draw(st.integers(-10, 20)))
        for number in range(draw(st.integers(0, 5)))
    ]
    names = st.sampled_from([None, "later", *(bill.bill_id for bill in bills)])
    cents = st.integers(-20, 20).filter(bool)
    payments = [
        Payment(f"p{number}", draw(days), draw(cents), draw(names))
        for number in range(draw(st.integers(0, 8)))
    ]
    return Case(bills, payments)


@st.composite
def named_payer(draw: st.DrawFn, *, exact: bool) -> Case:
    """Every payment names a bill; if exact, no bill is paid more than its total."""
    bills, payments = [], []
    for number in range(draw(st.integers(0, 5))):
        bill = Bill(f"b{number}", draw(days), draw(days), draw(positive))
        bills.append(bill)
        rest = bill.cents
        for part in range(draw(st.integers(0, 3))):
            if rest > 0:
                cents = draw(st.integers(1, rest) if exact else positive)
                rest -= cents
                name = f"p{number}{part}"
                payments.append(Payment(name, draw(days), cents, bill.bill_id))
    if draw(st.booleans()):
        payments.append(Payment("p-later", draw(days), draw(positive), "later"))
    return Case(bills, payments)


@st.composite
def topped_up(draw: st.DrawFn) -> Case:
    """Prepaid: bills due as they are issued, money without a name, credit notes."""
    bills = []
    for number in range(draw(st.integers(0, 6))):
        issued = draw(days)
        bills.append(Bill(f"b{number}", issued, issued, draw(st.integers(-10, 20))))
    payments = [
        Payment(f"p{number}", draw(days), draw(positive))
        for number in range(draw(st.integers(0, 6)))
    ]
    return Case(bills, payments)


@st.composite
def known_before(draw: st.DrawFn, case: Case, cut: int) -> Case:
    """The account as an earlier run saw it: what is of the cut's day or later may be new."""
    seen = st.booleans()
    return Case(
        [bill for bill in case.bills if bill.issued < cut or draw(seen)],
        [payment for payment in case.payments if payment.paid < cut or draw(seen)],
    )
