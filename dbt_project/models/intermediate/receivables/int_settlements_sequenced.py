"""The settlement of accounts that no set-based rule can settle, one event at a time.

Rulebook 4. `settle_account` is the whole rule, a pure function over one account and
currency; `model` feeds it from the ordered events and returns its movements. Amounts are
whole cents; dates are passed through and never computed with. Events come and movements
go in batches, so that memory does not follow the number of accounts.
"""

import heapq
from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

BATCH_ROWS = 100_000


class Event(NamedTuple):
    """A bill issued or money moved; an account's events come in order of settlement."""

    kind: str  # invoice, credit_note (a negative bill) or payment
    event_id: str
    on: Any
    due_on: Any  # null for a payment
    named_invoice_id: str | None
    cents: int


class Movement(NamedTuple):
    """Money put on (+) or taken off (-) an invoice, or the account when it names none."""

    invoice_id: str | None
    source_kind: str
    source_id: str
    on: Any
    undoes_on: Any
    cents: int


@dataclass(order=True)
class Lot:
    """Money waiting on the account, ordered by its arrival."""

    arrival: int
    source: Event = field(compare=False)
    cents: int = field(compare=False)


@dataclass
class Settlement:
    """What one movement put on an invoice, less what was undone since."""

    invoice_id: str
    on: Any
    cents: int


class Account:
    """The state of one account in one currency between two events."""

    def __init__(self) -> None:
        self.movements: list[Movement] = []
        self._due: dict[str, Any] = {}
        self._open: dict[str, int] = {}
        self._queue: list[tuple[Any, str]] = []
        self._free: list[Lot] = []
        self._held: dict[str, list[Lot]] = {}
        self._overdrawn = 0
        self._settlements: list[Settlement] = []
        self._settlements_of: dict[str, list[Settlement]] = {}

    def issue(self, bill: Event, arrival: int) -> None:
        """Open a bill; money held for it settles it first, then free credit.

        A negative bill is money without a name. Held money that its bill does not need
        settles the oldest due; so does free credit that the new bill leaves over.
        """
        self._due[bill.event_id] = bill.due_on
        held = self._held.pop(bill.event_id, [])
        if bill.kind == "credit_note":
            self._open[bill.event_id] = 0
            self.receive(bill, arrival)
        else:
            self._open[bill.event_id] = bill.cents
            heapq.heappush(self._queue, (bill.due_on, bill.event_id))
        for lot in held:
            self._use(lot, bill.event_id, bill.on)
            lot.cents -= self._cover_overdraft(lot.cents)
            self._use_on_oldest(lot, bill.on)
            if lot.cents:
                insort(self._free, lot)
        if bill.kind == "invoice":
            for lot in self._free:
                self._use(lot, bill.event_id, bill.on)
                self._use_on_oldest(lot, bill.on)
            self._free = [lot for lot in self._free if lot.cents]

    def receive(self, money: Event, arrival: int) -> None:
        """Take in positive money: its invoice, overdrawn credit, the oldest due, credit."""
        rest = abs(money.cents)
        named = money.named_invoice_id
        if named is not None and named not in self._due:
            self._held.setdefault(named, []).append(Lot(arrival, money, rest))
            self._move(None, money, money.on, rest)
            return
        if named is not None:
            rest -= self._settle(named, money, money.on, rest)
        covered = self._cover_overdraft(rest)
        self._move(None, money, money.on, covered)
        rest -= covered
        while rest and (oldest := self._oldest_due()) is not None:
            rest -= self._settle(oldest, money, money.on, rest)
        if rest:
            self._free.append(Lot(arrival, money, rest))
        self._move(None, money, money.on, rest)

    def reverse(self, money: Event) -> None:
        """Take back money, in this order, and overdraw the credit by what is still missing.

        From the bill it names (or what is held for it), free credit, the latest
        settlements, what is held for other bills.
        """
        rest = -money.cents
        named = money.named_invoice_id
        if named is not None and named in self._due:
            rest = self._undo(self._settlements_of.get(named, []), money, rest)
        elif named is not None:
            rest = self._take_back(self._held.get(named, []), money, rest)
        rest = self._take_back(self._free, money, rest)
        rest = self._undo(self._settlements, money, rest)
        held = sorted(lot for lots in self._held.values() for lot in lots)
        rest = self._take_back(held, money, rest)
        self._held = {
            invoice_id: kept
            for invoice_id, lots in self._held.items()
            if (kept := [lot for lot in lots if lot.cents])
        }
        self._overdrawn += rest
        self._move(None, money, money.on, -rest)

    def _cover_overdraft(self, cents: int) -> int:
        covered = min(cents, self._overdrawn)
        self._overdrawn -= covered
        return covered

    def _oldest_due(self) -> str | None:
        while self._queue:
            _, invoice_id = self._queue[0]
            if self._open[invoice_id]:
                return invoice_id
            heapq.heappop(self._queue)
        return None

    def _settle(self, invoice_id: str, source: Event, on: Any, cents: int) -> int:
        used = min(cents, self._open[invoice_id])
        if used:
            self._open[invoice_id] -= used
            settlement = Settlement(invoice_id, on, used)
            self._settlements.append(settlement)
            self._settlements_of.setdefault(invoice_id, []).append(settlement)
            self._move(invoice_id, source, on, used)
        return used

    def _use(self, lot: Lot, invoice_id: str, on: Any) -> None:
        used = min(lot.cents, self._open[invoice_id])
        self._move(None, lot.source, on, -used)
        lot.cents -= self._settle(invoice_id, lot.source, on, used)

    def _use_on_oldest(self, lot: Lot, on: Any) -> None:
        while lot.cents and (oldest := self._oldest_due()) is not None:
            self._use(lot, oldest, on)

    def _undo(self, settlements: list[Settlement], money: Event, rest: int) -> int:
        """Undo settlements from the latest on; returns what is still to be taken back."""
        while rest and settlements:
            latest = settlements[-1]
            undone = min(rest, latest.cents)
            if undone:
                if not self._open[latest.invoice_id]:
                    due_on = self._due[latest.invoice_id]
                    heapq.heappush(self._queue, (due_on, latest.invoice_id))
                self._open[latest.invoice_id] += undone
                latest.cents -= undone
                rest -= undone
                self._move(latest.invoice_id, money, money.on, -undone, latest.on)
            # The account's list and the invoice's share it; the other drops it empty.
            if not latest.cents:
                settlements.pop()
        return rest

    def _take_back(self, lots: list[Lot], money: Event, rest: int) -> int:
        taken = 0
        while taken < rest and lots:
            used = min(rest - taken, lots[-1].cents)
            lots[-1].cents -= used
            taken += used
            if not lots[-1].cents:
                lots.pop()
        self._move(None, money, money.on, -taken)
        return rest - taken

    def _move(
        self,
        invoice_id: str | None,
        source: Event,
        on: Any,
        cents: int,
        undoes_on: Any = None,
    ) -> None:
        if cents:
            self.movements.append(
                Movement(invoice_id, source.kind, source.event_id, on, undoes_on, cents)
            )


def settle_account(events: Iterable[Event]) -> list[Movement]:
    """The movements of one account in one currency, its events given in order."""
    account = Account()
    for arrival, event in enumerate(events):
        if event.kind != "payment":
            account.issue(event, arrival)
        elif event.cents > 0:
            account.receive(event, arrival)
        else:
            account.reverse(event)
    return account.movements


def event_rows(reader: Any) -> Iterator[tuple[Any, ...]]:
    """Rows of Arrow batches, one batch in memory at a time."""
    for batch in reader:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def movement_rows(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Movements with account and currency, from events in the order of both."""
    for account, account_rows in groupby(rows, key=itemgetter(0, 1)):
        for movement in settle_account(Event(*row[2:]) for row in account_rows):
            yield (*account, *movement)


def model(dbt: Any, session: Any) -> Any:
    """Movements of the accounts settled one event at a time, as a stream of Arrow batches."""
    import pyarrow

    dbt.config(materialized="table")
    events = (
        dbt.ref("int_settlement_events_ordered")
        .filter("settlement_method = 'sequential'")
        .order("account_id, currency, event_number")
        .project(
            "account_id, currency, event_kind, event_id, event_on, due_on,"
            " named_invoice_id, cast(amount * 100 as bigint)"
        )
    )
    schema = pyarrow.schema(
        [
            ("account_id", pyarrow.string()),
            ("currency", pyarrow.string()),
            ("invoice_id", pyarrow.string()),
            ("source_kind", pyarrow.string()),
            ("source_id", pyarrow.string()),
            ("settled_on", pyarrow.date32()),
            ("undoes_settled_on", pyarrow.date32()),
            ("amount_cents", pyarrow.int64()),
        ]
    )
    movements = movement_rows(event_rows(events.to_arrow_reader(BATCH_ROWS)))

    def batches() -> Iterator[Any]:
        while rows := list(islice(movements, BATCH_ROWS)):
            yield pyarrow.record_batch(list(zip(*rows, strict=True)), schema=schema)

    return pyarrow.RecordBatchReader.from_batches(schema, batches())
