"""What campaigns cost and brought, by difference-in-differences (rulebook 10)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import lru_cache

from tests.independent.acting.contacts import Contacts
from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO, quotient, rounded
from tests.independent.months import number_of
from tests.independent.operator import Operator

UPLIFT_MONTHS = 3
UPLIFT_MINIMUM = 20
REACHED = ("reached", "accepted", "declined")

Cell = tuple[int, str, str]  # contact month; tier and local network of the month before


class Campaigns:
    """campaign_result; margins are given, by customer and month."""

    def __init__(
        self,
        operator: Operator,
        customers: Customers,
        contacts: Contacts,
        values: dict[tuple[str, int], Row],
    ) -> None:
        self._operator = operator
        self._customers = customers
        self._contacts = contacts
        self._values = values
        self._residents = lru_cache(maxsize=None)(self._find_residents)

    def rows(self) -> list[Row]:
        return [
            self._row(self._contacts.campaigns.latest(each)) for each in self._contacts.campaigns
        ]

    def _row(self, campaign: Row) -> Row:
        contacts = [
            row for row in self._contacts.made if row["campaign_id"] == campaign["campaign_id"]
        ]
        fixed_cost = campaign["fixed_cost"] or ZERO
        contact_cost = sum((row["cost"] or ZERO for row in contacts), ZERO)
        cost = fixed_cost + contact_cost
        uplift = self._uplift(contacts)
        margin = uplift["uplift_margin"]
        counts: Row = {
            "contacts": len(contacts),
            "contacted": len({row["customer_id"] for row in contacts}),
            "reached": _customers(contacts, *REACHED),
            "accepted": _customers(contacts, "accepted"),
        }
        is_unheard = number_of(campaign["ends_on"]) < self._contacts.first_month
        if is_unheard and not contacts:
            counts = dict.fromkeys(counts, None)
            uplift = dict.fromkeys(uplift, None)
        return {
            **{
                name: campaign[name]
                for name in ("campaign_id", "campaign_name", "objective", "starts_on", "ends_on")
            },
            **counts,
            **uplift,
            "fixed_cost": fixed_cost,
            "contact_cost": contact_cost,
            "cost": cost,
            "roi": None if margin is None or not cost else float((margin - cost) / cost),
        }

    def _uplift(self, contacts: list[Row]) -> Row:
        first_contacts: dict[str, int] = {}
        for row in contacts:
            month = min(row["month"], first_contacts.get(row["customer_id"], row["month"]))
            first_contacts[row["customer_id"]] = month
        cells: dict[Cell, list[str]] = defaultdict(list)
        unmeasured = unplaced = 0
        for customer, month in first_contacts.items():
            if not self._is_measured(month):
                unmeasured += 1
            elif (customer, month - 1) not in self._customers.published:
                unplaced += 1
            else:
                cells[self._cell(customer, month)].append(customer)
        counted: list[tuple[Decimal, int, int]] = []
        for cell, treated in cells.items():
            untreated = [each for each in self._residents(cell) if each not in first_contacts]
            if min(len(treated), len(untreated)) >= UPLIFT_MINIMUM:
                money = self._gain(treated, untreated, cell[0])
                counted.append((money, len(treated), len(untreated)))
        placed = len(first_contacts) - unmeasured - unplaced
        uplift_customers = sum(treated for _, treated, _ in counted)
        return {
            "uplift_margin": sum((money for money, _, _ in counted), ZERO) if counted else None,
            "uplift_customers": uplift_customers,
            "control_customers": sum(untreated for _, _, untreated in counted),
            "customers_left_out": placed - uplift_customers,
            "customers_unplaced": unplaced,
            "customers_unmeasured": unmeasured,
            "cells_counted": len(counted),
            "cells_left_out": len(cells) - len(counted),
        }

    def _is_measured(self, month: int) -> bool:
        months = self._operator.months
        return month - UPLIFT_MONTHS in months and month + UPLIFT_MONTHS in months

    def _cell(self, customer: str, month: int) -> Cell:
        return (
            month,
            self._contacts.tier(customer, month - 1),
            self._operator.local_network(customer, month - 1),
        )

    def _find_residents(self, cell: Cell) -> list[str]:
        """Every customer that stood in a cell's tier and network before its month."""
        before = cell[0] - 1
        return [
            customer
            for customer, month in self._customers.published
            if month == before and self._cell(customer, cell[0]) == cell
        ]

    def _gain(self, treated: list[str], untreated: list[str], month: int) -> Decimal:
        """Margin gained by the treated beyond what as many untreated gained."""
        changes = sum((self._change(customer, month) for customer in treated), ZERO)
        elsewhere = sum((self._change(customer, month) for customer in untreated), ZERO)
        expected = EXACT.divide(EXACT.multiply(elsewhere, Decimal(len(treated))), len(untreated))
        return rounded(EXACT.multiply(EXACT.subtract(changes, expected), UPLIFT_MONTHS))

    def _change(self, customer: str, month: int) -> Decimal:
        after = range(month + 1, month + UPLIFT_MONTHS + 1)
        before = range(month - UPLIFT_MONTHS, month)
        return self._mean_margin(customer, after) - self._mean_margin(customer, before)

    def _mean_margin(self, customer: str, months: range) -> Decimal:
        rows = [self._values.get((customer, month)) for month in months]
        margins = [row["margin"] for row in rows if row]
        return quotient(sum(margins, ZERO), len(margins)) if margins else ZERO


def _customers(contacts: list[Row], *outcomes: str) -> int:
    return len({row["customer_id"] for row in contacts if row["outcome"] in outcomes})
