"""Tiers under a threshold policy: rule, grace, overrides, receipt, history (rulebook 6)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import ZERO
from tests.independent.months import first_day, last_day
from tests.independent.operator import Operator
from tests.independent.revenue import Revenue

NONE = "none"


@dataclass(frozen=True)
class Band:
    tier: str
    rank: int
    bound: Decimal
    is_inclusive: bool
    service_class: str
    is_high_value: bool
    specificity: int

    def is_met(self, metric: Decimal) -> bool:
        return metric >= self.bound if self.is_inclusive else metric > self.bound


@dataclass(frozen=True)
class Decision:
    """A customer-month's tier: by the rule, after grace and overrides, and why."""

    rule_tier: str
    tier: str
    reason: str


class Tiers:
    """The policy of the sample: thresholds on avg_revenue, in the reporting currency."""

    def __init__(self, operator: Operator, customers: Customers, revenue: Revenue) -> None:
        self._operator = operator
        self._customers = customers
        self._revenue = revenue
        (self._policy,) = [
            row for row in operator.table("tier_policies") if row["policy_id"] == "house"
        ]
        assert (self._policy["method"], self._policy["metric"]) == ("threshold", "avg_revenue")
        assert self._policy["currency"] == operator.reporting_currency
        self._bands = [
            row
            for row in operator.table("tier_bands")
            if row["policy_id"] == self._policy["policy_id"]
        ]
        self._known: dict[tuple[str | None, str], list[Band]] = {}
        self._decided: dict[tuple[str, int], Decision] = {}

    def bands(self, region_class: str | None, legal_form: str) -> list[Band]:
        """The bands of a class and form, best first; the most specific of each tier."""
        place = region_class, legal_form
        if place not in self._known:
            best: dict[str, Band] = {}
            for row in self._bands:
                if row["region_class"] in ("", region_class or "") and (
                    row["legal_form"] in ("", legal_form)
                ):
                    band = _band(row)
                    if row["tier_code"] not in best or (
                        band.specificity > best[row["tier_code"]].specificity
                    ):
                        best[row["tier_code"]] = band
            self._known[place] = sorted(best.values(), key=lambda band: band.rank)
        return self._known[place]

    def bands_of(self, customer: str, month: int) -> list[Band]:
        region = self._operator.local_network(customer, month)
        form = self._operator.customers.latest(customer)["legal_form"]
        return self.bands(self._operator.regions[region].region_class, form)

    def metric(self, customer: str, month: int) -> Decimal:
        return self._revenue.average(customer, month, int(self._policy["window_months"]))

    def _rule(self, customer: str, month: int) -> str:
        metric = self.metric(customer, month)
        bands = self.bands_of(customer, month)
        return next((band.tier for band in bands if band.is_met(metric)), "standard")

    def decision(self, customer: str, month: int) -> Decision:
        place = customer, month
        if place not in self._decided:
            self._decided[place] = self._decide(customer, month)
        return self._decided[place]

    def _decide(self, customer: str, month: int) -> Decision:
        if not self._customers.is_ranked(customer, month):
            return Decision(NONE, NONE, "inactive")
        rule = self._rule(customer, month)
        override = self._override(customer, month)
        if override:
            return Decision(rule, override, "override")
        best = self.replayed(customer, month)
        return Decision(rule, best, "rule" if best == rule else "grace")

    def replayed(self, customer: str, month: int) -> str:
        """The tier of a ranked customer by the rule and its grace, whatever overrides say."""
        best = self._rule(customer, month)
        ranks = {row["tier_code"]: int(row["tier_rank"]) for row in self._bands}
        for earlier in range(month - 1, month - 1 - int(self._policy["grace_months"]), -1):
            in_run = earlier >= self._operator.first_month
            if not in_run or not self._customers.is_ranked(customer, earlier):
                break
            best = min(best, self._rule(customer, earlier), key=lambda tier: ranks[tier])
        return best

    def _override(self, customer: str, month: int) -> str | None:
        end = last_day(month)
        for row in self._operator.table("tier_overrides"):
            begin, until = (dt.date.fromisoformat(row[name]) for name in ("valid_from", "valid_to"))
            if row["customer_id"] == customer and begin <= end < until:
                return row["tier_code"]
        return None

    def band(self, customer: str, month: int) -> Band | None:
        """The band of the final tier; another class's if the customer's has none of the tier."""
        tier = self.decision(customer, month).tier
        every = [*self.bands_of(customer, month), *map(_band, self._bands)]
        return next((band for band in every if band.tier == tier), None)

    def service_class(self, customer: str, month: int) -> str:
        band = self.band(customer, month) if month in self._operator.months else None
        return band.service_class if band else "standard"

    def receipt(self, customer: str, month: int) -> Row:
        """A row of customer_tier_monthly."""
        decision = self.decision(customer, month)
        band = self.band(customer, month)
        receipt = {
            "customer_id": customer,
            "month": first_day(month),
            "policy_id": self._policy["policy_id"],
            "policy_version": int(self._policy["policy_version"]),
            "metric": self._policy["metric"],
            "metric_value": None,
            "metric_currency": None,
            "rule_tier": decision.rule_tier,
            "tier_code": decision.tier,
            "tier_rank": band.rank if band else None,
            "tier_reason": decision.reason,
            "service_class": band.service_class if band else "standard",
            "bound_met": None,
            "next_bound": None,
            "gap_to_next": None,
        }
        if decision.reason != "inactive":
            receipt |= self._explanation(customer, month, decision.rule_tier)
        return receipt

    def _explanation(self, customer: str, month: int, rule_tier: str) -> Row:
        metric = self.metric(customer, month)
        bands = self.bands_of(customer, month)
        place = [band.tier for band in bands].index(rule_tier)
        bound = bands[place].bound
        following = bands[place - 1].bound if place else None
        return {
            "metric_value": metric,
            "metric_currency": self._policy["currency"],
            "bound_met": bound if bands[place].is_met(metric) else None,
            "next_bound": following,
            "gap_to_next": None if following is None else max(following - metric, ZERO),
        }

    def rows(self) -> list[Row]:
        return [self.receipt(customer, month) for customer, month in self._customers.published]

    def history(self) -> list[Row]:
        """customer_tier_history: stretches of one tier from the customer's first month on."""
        rows: list[Row] = []
        for customer, begin in self._customers.beginnings.items():
            stretches: list[Row] = []
            for month in range(begin, self._operator.closing_month + 1):
                tier = self.decision(customer, month).tier
                if not stretches or stretches[-1]["tier_code"] != tier:
                    if stretches:
                        stretches[-1]["valid_to"] = first_day(month)
                    stretches.append(_stretch(customer, month, tier))
                band = self.band(customer, month)
                stretches[-1]["tier_rank"] = band.rank if band else None
                stretches[-1]["months"] += 1
            rows += stretches
        return rows

    def migration(self) -> list[Row]:
        """tier_migration_monthly."""
        cells: dict[tuple[int, str, str], Row] = defaultdict(
            lambda: {"customers": 0, "revenue": ZERO}
        )
        published = self._customers.published
        for customer, month in {(c, m + step) for c, m in published for step in (0, 1)}:
            if month in self._operator.months:
                tiers = [
                    self.decision(customer, each).tier if (customer, each) in published else NONE
                    for each in (month - 1, month)
                ]
                cell = cells[month, tiers[0], tiers[1]]
                cell["customers"] += 1
                cell["revenue"] += self._revenue.of(customer, month)
        return [
            {"month": first_day(month), "tier_from": before, "tier_to": now, **cell}
            for (month, before, now), cell in cells.items()
        ]


def _stretch(customer: str, month: int, tier: str) -> Row:
    return {
        "customer_id": customer,
        "valid_from": first_day(month),
        "valid_to": None,
        "tier_code": tier,
        "tier_rank": None,
        "months": 0,
    }


def _band(row: dict[str, str]) -> Band:
    return Band(
        row["tier_code"],
        int(row["tier_rank"]),
        Decimal(row["bound"]),
        row["comparator"] == "ge",
        row["service_class"] or "standard",
        row["is_high_value"] == "true",
        2 * bool(row["region_class"]) + bool(row["legal_form"]),
    )
