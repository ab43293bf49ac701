"""Every policy of the pack on every month: policy_comparison (rulebook 6)."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import ZERO, quotient
from tests.independent.months import first_day, number_of
from tests.independent.operator import Operator
from tests.independent.revenue import Revenue
from tests.independent.tiers import NONE, Tiers

Metrics = dict[str, Decimal]


class Comparison:
    """The shipped policies, under the settings of the sample: amounts are in CNY."""

    def __init__(
        self, operator: Operator, customers: Customers, revenue: Revenue, tiers: Tiers
    ) -> None:
        self._operator = operator
        self._customers = customers
        self._revenue = revenue
        self._tiers = tiers

    def rows(self) -> list[Row]:
        return [
            row
            for policy in self._operator.table("tier_policies")
            for month in self._operator.months
            if dt.date.fromisoformat(policy["valid_from"]) <= first_day(month)
            and not policy["valid_to"]
            for row in self._rows(policy, month)
        ]

    @cached_property
    def _published(self) -> dict[int, list[str]]:
        by_month: dict[int, list[str]] = defaultdict(list)
        for customer, month in self._customers.published:
            by_month[month].append(customer)
        return by_month

    def _rows(self, policy: dict[str, str], month: int) -> list[Row]:
        everybody = self._published[month]
        ranked = [each for each in everybody if self._customers.is_ranked(each, month)]
        metrics = {customer: self._metric(policy, customer, month) for customer in ranked}
        tiers = self._replay(policy, month, metrics)
        members: dict[str, list[str]] = defaultdict(list)
        for customer in everybody:
            members[tiers.get(customer, NONE)].append(customer)
        revenue = {each: self._revenue.of(each, month) for each in everybody}
        total = sum(revenue.values(), ZERO)
        ranks = self._ranks(policy)
        return [
            {
                "month": first_day(month),
                "policy_id": policy["policy_id"],
                "tier_code": tier,
                "policy_version": int(policy["policy_version"]),
                "tier_rank": ranks.get(tier),
                "customers": len(those),
                "revenue": sum((revenue[each] for each in those), ZERO),
                "revenue_share": float(sum((revenue[each] for each in those), ZERO) / total),
                "bound_metric_min": min((metrics[each] for each in those), default=None)
                if tier != NONE
                else None,
                "metric_currency": policy["currency"],
                "is_in_force": policy["policy_id"] == self._operator.tier_policy,
            }
            for tier, those in members.items()
        ]

    def _ranks(self, policy: dict[str, str]) -> dict[str, int]:
        ranks = {row["tier_code"]: int(row["tier_rank"]) for row in self._bands(policy)}
        return {"standard": max(ranks.values()) + 1, **ranks}

    def _bands(self, policy: dict[str, str]) -> list[dict[str, str]]:
        """The bands of a policy, best first."""
        bands = [
            row
            for row in self._operator.table("tier_bands")
            if row["policy_id"] == policy["policy_id"]
        ]
        return sorted(bands, key=lambda row: int(row["tier_rank"]))

    def _metric(self, policy: dict[str, str], customer: str, month: int) -> Decimal:
        if policy["metric"] == "avg_revenue":
            amount = self._revenue.average(customer, month, int(policy["window_months"]))
        elif policy["metric"] == "revenue":
            amount = self._revenue.of(customer, month)
        else:
            assert policy["metric"] == "billed_amount"
            amount = self._revenue.billed.get((customer, month), ZERO)
        if policy["currency"] == self._operator.reporting_currency:
            return amount
        return quotient(amount, self._rates[month, policy["currency"]])

    @cached_property
    def _rates(self) -> dict[tuple[int, str], Decimal]:
        return {
            (number_of(dt.date.fromisoformat(row["month"])), row["currency"]): Decimal(
                row["cny_per_unit"]
            )
            for row in self._operator.table("fx_rates")
        }

    def _replay(self, policy: dict[str, str], month: int, metrics: Metrics) -> dict[str, str]:
        """The tier of every ranked customer, by the rule and its grace."""
        if policy["policy_id"] == self._operator.tier_policy:
            return {customer: self._tiers.replayed(customer, month) for customer in metrics}
        assert policy["grace_months"] == "0"
        tiers = dict.fromkeys(metrics, "standard")
        for band in reversed(self._bands(policy)):
            for customer in self._in_band(policy["method"], band, month, metrics):
                tiers[customer] = band["tier_code"]
        return tiers

    def _in_band(
        self, method: str, band: dict[str, str], month: int, metrics: Metrics
    ) -> list[str]:
        bound = Decimal(band["bound"])
        if method == "threshold":
            return [
                customer
                for customer, metric in metrics.items()
                if self._is_of(band, customer, month)
                and (metric > bound or (metric == bound and band["comparator"] == "ge"))
            ]
        population = {customer: metric for customer, metric in metrics.items() if metric > 0}
        if method == "cumulative_share_of_metric":
            return _up_to_share(population, bound)
        places = bound if method == "top_n" else math.ceil(bound * len(population))
        return _up_to_rank(population, int(places))

    def _is_of(self, band: dict[str, str], customer: str, month: int) -> bool:
        """Whether a band of the pack, which names classes but no form, is for a customer."""
        assert not band["legal_form"]
        region = self._operator.regions[self._operator.local_network(customer, month)]
        return band["region_class"] in ("", region.region_class)


def _up_to_rank(population: Metrics, places: int) -> list[str]:
    """Who is among the first, with all who share the last place."""
    amounts = sorted(population.values(), reverse=True)
    if not amounts:
        return []
    last = amounts[min(places, len(amounts)) - 1]
    return [customer for customer, metric in population.items() if metric >= last]


def _up_to_share(population: Metrics, share: Decimal) -> list[str]:
    """Who starts below the line, the one who crosses it included."""
    line = share * sum(population.values(), ZERO)
    members, before = [], ZERO
    for customer, metric in sorted(population.items(), key=lambda item: (-item[1], item[0])):
        if before < line:
            members.append(customer)
        before += metric
    return members
