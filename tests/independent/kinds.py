"""The four kinds of key customer, and the segment (rulebook 6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from tests.independent.customers import Customers
from tests.independent.money import ZERO
from tests.independent.operator import Operator
from tests.independent.tiers import Tiers

PREMIER_MINIMUM = 2
GROUP_MINIMUM = 2
HIGH_SCORE = 90


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
    """Kinds by customer and month; value scores, where there are any, are given."""

    def __init__(
        self,
        operator: Operator,
        customers: Customers,
        tiers: Tiers,
        value_scores: dict[tuple[str, int], Decimal],
    ) -> None:
        self._operator = operator
        self._customers = customers
        self._tiers = tiers
        self._value_scores = value_scores
        self.kinds = lru_cache(maxsize=None)(self._kinds)
        self._is_big_group = lru_cache(maxsize=None)(self._sums_to_high_value)

    def _kinds(self, customer: str, month: int) -> Kinds:
        attributes = self._operator.customers.as_of(customer, month)
        band = self._tiers.band(customer, month)
        score = self._value_scores.get((customer, month))
        contested = attributes["competitor"] is not None and (
            score is not None and score >= HIGH_SCORE
        )
        return Kinds(
            is_important=attributes["designation"] != "none",
            is_high_value=band is not None and band.is_high_value,
            is_group=attributes["group_agreement"]
            or self._is_big_group(self._customers.group(customer), month),
            is_strategic=attributes["strategic_flag"] or contested,
        )

    def _sums_to_high_value(self, root: str, month: int) -> bool:
        members = [
            member
            for member in self._customers.members[root]
            if self._customers.is_ranked(member, month)
        ]
        networks = {self._operator.local_network(member, month) for member in members}
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
