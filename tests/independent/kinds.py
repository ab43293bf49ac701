"""The four kinds of key customer, and the segment (rulebook 6)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import ZERO
from tests.independent.operator import UNKNOWN, Operator
from tests.independent.tiers import Tiers

PREMIER_MINIMUM = 2
GROUP_MINIMUM = 2
HIGH_SCORE = 90
TOP_POTENTIAL_SHARE = Decimal("0.01")


@dataclass(frozen=True)
class Kinds:
    is_important: bool
    is_high_value: bool
    is_group: bool
    is_strategic: bool

    @property
    def names(self) -> list[str]:
        return [
            name
            for name in ("important", "high_value", "group", "strategic")
            if getattr(self, f"is_{name}")
        ]

    @property
    def is_premier(self) -> bool:
        return len(self.names) >= PREMIER_MINIMUM


class KeyCustomers:
    """Kinds by customer and month; scores and potentials are given, not figured out."""

    def __init__(
        self,
        operator: Operator,
        customers: Customers,
        tiers: Tiers,
        values: dict[tuple[str, int], Row],
    ) -> None:
        self._operator = operator
        self._customers = customers
        self._tiers = tiers
        self._values = values
        self.kinds = lru_cache(maxsize=None)(self._kinds)
        self._is_big_group = lru_cache(maxsize=None)(self._sums_to_high_value)
        self._least_top_potential = lru_cache(maxsize=None)(self._find_least_top_potential)

    def _kinds(self, customer: str, month: int) -> Kinds:
        attributes = self._operator.customers.as_of(customer, month)
        band = self._tiers.band(customer, month)
        is_high_value = band is not None and band.is_high_value
        score = self._values.get((customer, month), {}).get("value_score")
        contested = attributes["competitor"] is not None and (
            score is not None and score >= HIGH_SCORE
        )
        promising = not is_high_value and self._has_top_potential(customer, month)
        return Kinds(
            is_important=attributes["designation"] != "none",
            is_high_value=is_high_value,
            is_group=attributes["group_agreement"]
            or self._is_big_group(self._customers.group(customer), month),
            is_strategic=attributes["strategic_flag"] or contested or promising,
        )

    def _potential(self, customer: str, month: int) -> Decimal | None:
        """Potential value of a ranked organisation; null for everybody else."""
        if self._operator.customers.latest(customer)["legal_form"] != "organisation":
            return None
        if not self._customers.is_ranked(customer, month):
            return None
        potential: Decimal | None = self._values.get((customer, month), {}).get("potential_value")
        return potential

    def _has_top_potential(self, customer: str, month: int) -> bool:
        potential, least = self._potential(customer, month), self._least_top_potential(month)
        return potential is not None and least is not None and potential >= least

    def _find_least_top_potential(self, month: int) -> Decimal | None:
        """The potential of the last of the first hundredth of ranked organisations."""
        organisations = [
            customer
            for customer in self._operator.customers
            if self._operator.customers.latest(customer)["legal_form"] == "organisation"
            and self._customers.is_ranked(customer, month)
        ]
        potentials = (self._potential(customer, month) for customer in organisations)
        measured = sorted((each for each in potentials if each is not None), reverse=True)
        last = math.ceil(TOP_POTENTIAL_SHARE * len(organisations))
        return measured[min(last, len(measured)) - 1] if measured else None

    def _sums_to_high_value(self, root: str, month: int) -> bool:
        members = [
            member
            for member in self._customers.members[root]
            if self._customers.is_ranked(member, month)
        ]
        networks = {self._operator.local_network(member, month) for member in members}
        networks.discard(UNKNOWN)
        if len(members) < GROUP_MINIMUM or len(networks) < GROUP_MINIMUM:
            return False
        metric = sum((self._tiers.metric(member, month) for member in members), ZERO)
        high_value = [band for band in self._tiers.bands_of(root, month) if band.is_high_value]
        return bool(high_value) and min(high_value, key=lambda band: band.bound).is_met(metric)

    def segment(self, customer: str, month: int) -> str:
        if self.kinds(customer, month).names:
            return "key"
        form = self._operator.customers.latest(customer)["legal_form"]
        return "commercial" if form == "organisation" else "public"
