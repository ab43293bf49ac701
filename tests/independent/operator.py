"""The operator as delivered: masters as of a month, counted bills, coverage, the run's months."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path

from tests.independent.loading import ROOT, History, Row, read_feed, read_reference
from tests.independent.money import Convert, converter
from tests.independent.months import number_of

COUNTED = ("normal", "interim", "last", "credit_note")
UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Region:
    code: str
    level: str
    parent: str | None
    region_class: str | None


class Operator:
    """One landing area under the settings of the bundled sample."""

    reporting_currency = "CNY"
    tier_policy = "house"

    def __init__(self, landing: Path, reference: Path) -> None:
        self._landing = landing
        self._folders = (reference, ROOT / "seeds/reference")
        customers = self.feed("customers")
        known = {row["customer_id"] for row in customers}
        accounts = [row for row in self.feed("accounts") if row["customer_id"] in known]
        self.customers = History(customers, "customer_id")
        self.accounts = History(accounts, "account_id")
        self.managers = History(self.feed("managers"), "manager_id")
        self.subscriptions = History(
            (row for row in self.feed("subscriptions") if row["account_id"] in self.accounts),
            "subscription_id",
        )
        self.owner = lru_cache(maxsize=None)(self._owner)
        self.table = lru_cache(maxsize=None)(self._table)

    def feed(self, name: str) -> list[Row]:
        return read_feed(self._landing, name)

    def _table(self, name: str) -> list[dict[str, str]]:
        return read_reference(name, *self._folders)

    def _owner(self, account: str, month: int) -> str:
        """Owner of an account at the end of a month."""
        owner: str = self.accounts.as_of(account, month)["customer_id"]
        return owner

    @cached_property
    def convert(self) -> Convert:
        rates = {
            (number_of(dt.date.fromisoformat(row["month"])), row["currency"]): Decimal(
                row["cny_per_unit"]
            )
            for row in self.table("fx_rates")
        }
        return converter(rates, self.reporting_currency)

    @cached_property
    def regions(self) -> dict[str, Region]:
        """Regions by code, the built-in local network UNKNOWN directly below the group."""
        regions = {
            row["region_code"]: Region(
                row["region_code"],
                row["region_level"],
                row["parent_code"] or None,
                row["region_class"] or None,
            )
            for row in self.table("regions")
        }
        group = next(region.code for region in regions.values() if region.level == "group")
        return {**regions, UNKNOWN: Region(UNKNOWN, "local", group, None)}

    def regions_above(self, code: str) -> list[str]:
        """A region, and every region it lies in."""
        codes: list[str] = []
        place: str | None = code
        while place:
            codes.append(place)
            place = self.regions[place].parent
        return codes

    def local_network(self, customer: str, month: int) -> str:
        code: str = self.customers.as_of(customer, month)["region_code"]
        region = self.regions.get(code)
        return code if region and region.level == "local" else UNKNOWN

    def manager(self, customer: str, month: int) -> str | None:
        manager: str | None = self.customers.as_of(customer, month)["manager_id"]
        return manager if manager and manager in self.managers else None

    @cached_property
    def product_families(self) -> dict[str, str]:
        families = {row["product_code"]: row["product_family"] for row in self.table("products")}
        return {**families, UNKNOWN: "unknown", "UNITEMISED": "unitemised"}

    def product(self, code: str) -> str:
        return code if code in self.product_families else UNKNOWN

    @cached_property
    def bills(self) -> dict[str, Row]:
        """Counted bills of the run by id, each with its month's number and its owner."""
        bills = {}
        for row in self._loaded_bills:
            month = number_of(row["billing_month"])
            if month <= self.closing_month:
                owner = self.owner(row["account_id"], month)
                bills[row["invoice_id"]] = {**row, "month": month, "customer_id": owner}
        return bills

    @cached_property
    def _loaded_bills(self) -> list[Row]:
        return [
            row
            for row in self.feed("invoices")
            if row["category"] in COUNTED and row["account_id"] in self.accounts
        ]

    @cached_property
    def first_month(self) -> int:
        return min(number_of(row["billing_month"]) for row in self._loaded_bills)

    @cached_property
    def closing_month(self) -> int:
        """The latest month with at least half the mean bills of the three months before."""
        bills = Counter(number_of(row["billing_month"]) for row in self._loaded_bills)
        closing = self.first_month
        for month in range(self.first_month + 1, max(bills) + 1):
            before = range(max(self.first_month, month - 3), month)
            if 2 * bills[month] * len(before) >= sum(bills[earlier] for earlier in before):
                closing = month
        return closing

    @property
    def months(self) -> range:
        """The months of the run."""
        return range(self.first_month, self.closing_month + 1)

    @cached_property
    def payments(self) -> list[Row]:
        """Payments on known accounts, up to the end of the closing month."""
        return [
            row
            for row in self.feed("payments")
            if row["account_id"] in self.accounts
            and number_of(row["paid_on"]) <= self.closing_month
        ]

    @cached_property
    def first_payment_month(self) -> int:
        return min(number_of(row["paid_on"]) for row in self.payments)
