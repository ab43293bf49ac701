"""Settlement, what is owed, and the credit grade (rulebook 4)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO
from tests.independent.months import first_day, last_day, number_of
from tests.independent.operator import Operator

GRADE_WINDOW_MONTHS = 12


@dataclass(frozen=True)
class Movement:
    """Money that settled a bill (or left it again: below 0) on a day.

    A reversal bears the day of the settlement that it undoes, so that what was paid in
    time can be netted.
    """

    day: dt.date
    amount: Decimal
    settled_on: dt.date


@dataclass
class Bill:
    """A bill with a positive total, and what moved on it."""

    invoice_id: str
    customer_id: str
    month: int
    currency: str
    issued_on: dt.date
    due_on: dt.date
    total: Decimal
    is_postpaid: bool
    open_amount: Decimal = ZERO
    movements: list[Movement] = field(default_factory=list)

    def state(self, day: dt.date) -> State:
        """What is known of the bill at the end of a day."""
        settled, in_time, settled_on = ZERO, ZERO, None
        for movement in self.movements:
            if movement.day <= day:
                settled += movement.amount
                if movement.settled_on <= self.due_on:
                    in_time += movement.amount
                if settled == self.total:
                    settled_on = movement.day
        open_amount = self.total - settled
        until = settled_on if settled_on and not open_amount else day
        days_past_due = max((until - self.due_on).days, 0)
        return State(open_amount, in_time, until if not open_amount else None, days_past_due)


@dataclass(frozen=True)
class State:
    open_amount: Decimal
    in_time: Decimal
    settled_on: dt.date | None
    days_past_due: int


@dataclass
class Settlement:
    """One of the settlements still standing, for reversals to undo."""

    bill: Bill
    day: dt.date
    amount: Decimal


@dataclass(eq=False)
class Deposit:
    """Money that waits for the bill it names."""

    invoice_id: str
    amount: Decimal


class Ledger:
    """The settlement of one account in one currency, event by event.

    Credit is a balance; it goes below 0 only where more is taken back than was ever paid.
    """

    def __init__(self) -> None:
        self._issued: dict[str, Bill] = {}
        self._standing: list[Settlement] = []
        self._credit = ZERO
        self._held: list[Deposit] = []

    def issue(self, bill: Bill) -> None:
        """A new bill takes what is held for it, then free credit."""
        bill.open_amount = bill.total
        self._issued[bill.invoice_id] = bill
        self.release(bill.invoice_id, bill.issued_on)
        if self._credit > 0:
            free, self._credit = self._credit, ZERO
            self.pay(bill.issued_on, free, bill.invoice_id)

    def release(self, invoice_id: str, day: dt.date) -> None:
        """The bill has come: what waited for it is a payment naming it."""
        waiting = [deposit for deposit in self._held if deposit.invoice_id == invoice_id]
        self._held = [deposit for deposit in self._held if deposit not in waiting]
        for deposit in waiting:
            self.pay(day, deposit.amount, invoice_id)

    def hold(self, invoice_id: str, amount: Decimal) -> None:
        self._held.append(Deposit(invoice_id, amount))

    def pay(self, day: dt.date, amount: Decimal, named: str | None = None) -> None:
        """The named bill first, then credit below 0, the oldest due; the rest is credit."""
        if named in self._issued:
            amount = self._settle(self._issued[named], day, amount)
        covered = min(amount, max(-self._credit, ZERO))
        self._credit += covered
        amount -= covered
        for bill in sorted(self._issued.values(), key=lambda bill: (bill.due_on, bill.invoice_id)):
            amount = self._settle(bill, day, amount)
        self._credit += amount

    def _settle(self, bill: Bill, day: dt.date, amount: Decimal) -> Decimal:
        """Settle what is open; what is left of the amount."""
        part = min(amount, bill.open_amount)
        if part:
            bill.open_amount -= part
            bill.movements.append(Movement(day, part, day))
            self._standing.append(Settlement(bill, day, part))
        return amount - part

    def reverse(self, day: dt.date, amount: Decimal, named: str | None) -> None:
        """Take back from the named bill, free credit, the latest settlements, in this order.

        Then from what is held for other bills; credit bears what is still missing.
        """
        if named:
            amount = self._undo(day, amount, named)
            amount = self._take_from_held(amount, named)
        from_credit = min(amount, max(self._credit, ZERO))
        self._credit -= from_credit
        amount = self._undo(day, amount - from_credit)
        self._credit -= self._take_from_held(amount)

    def _undo(self, day: dt.date, amount: Decimal, of_bill: str | None = None) -> Decimal:
        for settlement in reversed(self._standing):
            part = min(amount, settlement.amount)
            if part and of_bill in (None, settlement.bill.invoice_id):
                settlement.amount -= part
                settlement.bill.open_amount += part
                settlement.bill.movements.append(Movement(day, -part, settlement.day))
                amount -= part
        return amount

    def _take_from_held(self, amount: Decimal, for_bill: str | None = None) -> Decimal:
        for deposit in reversed(self._held):
            if for_bill in (None, deposit.invoice_id):
                part = min(amount, deposit.amount)
                deposit.amount -= part
                amount -= part
        return amount


class Receivables:
    """Every account settled; what each bill and customer owes at a month's end."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.bills: dict[str, Bill] = {}
        self._issued: set[str] = set()
        self.ledgers: dict[tuple[str, str], Ledger] = defaultdict(Ledger)
        for _, _, _, event in sorted(self._events(), key=lambda event: event[:3]):
            event()

    def takes_part(self, bill: Row) -> bool:
        """Due once payments are known, issued by the end of the closing month."""
        begin = first_day(self._operator.first_payment_month)
        end = last_day(self._operator.closing_month)
        return bool(bill["due_on"] >= begin and bill["issued_on"] <= end)

    def _events(self) -> Iterator[tuple[dt.date, int, str, Any]]:
        """Order: by date, on one day bills, negative bills, payments, reversals; then by id."""
        for row in self._operator.bills.values():
            if self.takes_part(row):
                rank = 0 if row["total_amount"] >= 0 else 1
                yield row["issued_on"], rank, row["invoice_id"], self._issuing(row)
        for row in self._operator.payments:
            rank = 2 if row["amount"] > 0 else 3
            if row["amount"] and not self._settles_the_unknown(row):
                yield row["paid_on"], rank, row["payment_id"], self._paying(row)

    def _settles_the_unknown(self, row: Row) -> bool:
        """Whether a payment names a bill that was due before payments are known."""
        named = self._named(row)
        begin = first_day(self._operator.first_payment_month)
        return named is not None and bool(named["due_on"] < begin)

    def _named(self, row: Row) -> Row | None:
        """The counted bill that a payment names, of its own account and currency."""
        named = self._operator.bills.get(row["invoice_id"])
        account = row["account_id"]
        currency = self._operator.accounts.latest(account)["currency"]
        is_own = named and (named["account_id"], named["currency"]) == (account, currency)
        return named if is_own else None

    def _issuing(self, row: Row) -> Any:
        ledger = self.ledgers[row["account_id"], row["currency"]]

        def issue() -> None:
            self._issued.add(row["invoice_id"])
            if row["total_amount"] < 0:
                ledger.pay(row["issued_on"], -row["total_amount"])
                ledger.release(row["invoice_id"], row["issued_on"])
                return
            mode = self._operator.accounts.latest(row["account_id"])["payment_mode"]
            bill = Bill(
                row["invoice_id"],
                row["customer_id"],
                row["month"],
                row["currency"],
                row["issued_on"],
                row["due_on"],
                row["total_amount"],
                mode == "postpaid",
            )
            self.bills[bill.invoice_id] = bill
            ledger.issue(bill)

        return issue

    def _paying(self, row: Row) -> Any:
        account = row["account_id"]
        currency = self._operator.accounts.latest(account)["currency"]
        named = self._named(row)
        ledger = self.ledgers[account, currency]

        def pay() -> None:
            name = named["invoice_id"] if named else None
            if row["amount"] < 0:
                ledger.reverse(row["paid_on"], -row["amount"], name)
            elif name and name not in self._issued:
                ledger.hold(name, row["amount"])
            else:
                ledger.pay(row["paid_on"], row["amount"], name)

        return pay

    @cached_property
    def invoices(self) -> list[Row]:
        """fct_invoice."""
        operator = self._operator
        closing = operator.closing_month
        buckets = operator.table("aging_buckets")
        rows = []
        for row in operator.bills.values():
            invoice = {
                name: row[name]
                for name in (
                    "invoice_id",
                    "account_id",
                    "customer_id",
                    "billing_month",
                    "category",
                    "currency",
                    "issued_on",
                    "due_on",
                    "total_amount",
                )
            }
            account = operator.accounts.latest(row["account_id"])
            invoice["payment_mode"] = account["payment_mode"]
            bill = self.bills.get(row["invoice_id"])
            state = bill.state(last_day(closing)) if bill and bill.total else None
            if state is None:
                nothing = ZERO if self.takes_part(row) else None
                state = State(nothing, nothing, None, 0 if self.takes_part(row) else None)  # type: ignore[arg-type]
            open_amount = state.open_amount
            is_open = bool(open_amount)
            invoice["outstanding_amount"] = open_amount
            invoice["paid_amount"] = bill.total - open_amount if bill else open_amount
            invoice["outstanding_reporting"] = (
                None
                if open_amount is None
                else operator.convert(open_amount, row["currency"], closing)
            )
            invoice["settled_on"] = state.settled_on
            invoice["days_past_due"] = state.days_past_due
            invoice["aging_bucket"] = (
                _bucket(buckets, state.days_past_due) if is_open and state.days_past_due else None
            )
            rows.append(invoice)
        return rows

    @cached_property
    def paid(self) -> dict[tuple[str, int], Decimal]:
        """Payments by the account's owner at the end of the month of payment."""
        paid: dict[tuple[str, int], Decimal] = defaultdict(lambda: ZERO)
        for row in self._operator.payments:
            month = number_of(row["paid_on"])
            currency = self._operator.accounts.latest(row["account_id"])["currency"]
            money = self._operator.convert(row["amount"], currency, month)
            paid[self._operator.owner(row["account_id"], month), month] += money
        return paid

    @cached_property
    def owed(self) -> dict[tuple[str, int], Owed]:
        """What customers owe and how they paid, by month; nothing where nothing stands out."""
        owed: dict[tuple[str, int], Owed] = defaultdict(Owed)
        for month in self._operator.months:
            end = last_day(month)
            oldest = first_day(month - GRADE_WINDOW_MONTHS + 1)
            for bill in self.bills.values():
                if bill.issued_on <= end and bill.total:
                    state = bill.state(end)
                    place = bill.customer_id, month
                    if state.open_amount:
                        money = self._operator.convert(state.open_amount, bill.currency, month)
                        owed[place].outstanding += money
                        if bill.is_postpaid and state.days_past_due:
                            owed[place].overdue += money
                    in_base = oldest <= bill.due_on <= end
                    in_base = in_base or (bill.due_on < oldest and bool(state.open_amount))
                    if in_base and bill.is_postpaid:
                        weigh = self._operator.convert
                        owed[place].due += weigh(bill.total, bill.currency, bill.month)
                        owed[place].in_time += weigh(state.in_time, bill.currency, bill.month)
                        owed[place].longest_delay = max(
                            owed[place].longest_delay, state.days_past_due
                        )
        return owed

    def grade(self, customer: str, month: int) -> str:
        owed = self.owed.get((customer, month))
        if owed is None or not owed.due:
            return "unknown"
        limits = {row["grade"]: row for row in self._operator.table("credit_grades")}
        ratio = EXACT.divide(owed.in_time, owed.due)
        for grade in ("good", "average"):
            if ratio >= Decimal(limits[grade]["min_on_time_ratio"]) and (
                owed.longest_delay <= int(limits[grade]["max_days_past_due"])
            ):
                return grade
        return "poor"


@dataclass
class Owed:
    outstanding: Decimal = ZERO
    overdue: Decimal = ZERO
    due: Decimal = ZERO
    in_time: Decimal = ZERO
    longest_delay: int = 0


def _bucket(buckets: list[dict[str, str]], days: int) -> str:
    for bucket in buckets:
        until = bucket["to_days"]
        if int(bucket["from_days"]) <= days and (not until or days <= int(until)):
            return bucket["bucket"]
    raise ValueError(f"no aging bucket holds {days} days")
