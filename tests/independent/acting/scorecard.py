"""Managers measured by their customers, and ranked (rulebook 10)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cached_property

from tests.independent.acting.contacts import Contacts
from tests.independent.acting.contracts import Contracts
from tests.independent.complaints import Clocks
from tests.independent.customers import Customers
from tests.independent.kinds import KeyCustomers
from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO
from tests.independent.months import first_day, number_of
from tests.independent.operator import Operator
from tests.independent.receivables import Receivables
from tests.independent.relationship import Activity
from tests.independent.revenue import Revenue

VISIT_MONTHS = 3
SENIOR_VISIT_MONTHS = 12
RANKED_DECIMALS = Decimal("0.000000001")
LOW_IS_GOOD = "overdue_share"


class Scorecard:
    """manager_scorecard_monthly."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        revenue: Revenue,
        receivables: Receivables,
        customers: Customers,
        key_customers: KeyCustomers,
        contacts: Contacts,
        contracts: Contracts,
        clocks: Clocks,
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._revenue = revenue
        self._receivables = receivables
        self._customers = customers
        self._key_customers = key_customers
        self._contacts = contacts
        self._contracts = contracts
        self._clocks = clocks
        self._weights = {
            row["measure"]: Decimal(row["weight"]) for row in operator.table("manager_kpi_weights")
        }

    def rows(self) -> list[Row]:
        rows = []
        for month in self._operator.months:
            assigned: dict[str, list[str]] = defaultdict(list)
            for customer, each in self._customers.published:
                manager = self._operator.manager(customer, month)
                if each == month and manager:
                    assigned[manager].append(customer)
            measured = [self._row(manager, month, assigned[manager]) for manager in assigned]
            rows += self._scored(measured)
        return rows

    def _row(self, manager: str, month: int, customers: list[str]) -> Row:
        portfolio = [each for each in customers if self._customers.is_ranked(each, month)]
        return {
            "manager_id": manager,
            "month": first_day(month),
            "customers": len(portfolio),
            **self._growth(customers, month),
            **self._retention(manager, month),
            **self._renewals(customers, month),
            **self._visits(portfolio, month),
            **self._service(customers, month),
            **self._debts(customers, month),
        }

    def _growth(self, customers: list[str], month: int) -> Row:
        now = sum((self._revenue.of(each, month) for each in customers), ZERO)
        before = sum((self._revenue.of(each, month - 1) for each in customers), ZERO)
        is_first = month == self._operator.first_month
        has_growth = not is_first and before > ZERO
        return {
            "revenue": now,
            "revenue_before": None if is_first else before,
            "revenue_growth": EXACT.divide(now, before) - 1 if has_growth else None,
        }

    def _retention(self, manager: str, month: int) -> Row:
        """Of its ranked customers of the month before, whoever has them now."""
        before = self._portfolios_before[manager, month]
        left = sum(not self._activity.is_active(each, month) for each in before)
        return {
            "customers_before": len(before),
            "customers_left": left,
            "retention_rate": _share(len(before) - left, len(before)),
        }

    @cached_property
    def _portfolios_before(self) -> dict[tuple[str, int], list[str]]:
        """Ranked customers of a manager at the end of the month before a month."""
        portfolios: dict[tuple[str, int], list[str]] = defaultdict(list)
        for customer, before in list(self._activity.active):
            manager = self._operator.manager(customer, before)
            if manager and self._customers.is_ranked(customer, before):
                portfolios[manager, before + 1].append(customer)
        return portfolios

    def _renewals(self, customers: list[str], month: int) -> Row:
        statuses = [
            row["status"]
            for row in self._contracts.rows
            if row["customer_id"] in customers and number_of(row["ends_on"]) == month
        ]
        renewed = statuses.count("renewed")
        decided = renewed + statuses.count("lapsed")
        return {
            "contracts_decided": decided,
            "contracts_renewed": renewed,
            "renewal_rate": _share(renewed, decided),
        }

    def _visits(self, customers: list[str], month: int) -> Row:
        keys = [each for each in customers if self._key_customers.segment(each, month) == "key"]
        recent = range(month - VISIT_MONTHS + 1, month + 1)
        year = range(month - SENIOR_VISIT_MONTHS + 1, month + 1)
        visited = senior = None
        if month >= self._contacts.first_month:
            visited = sum(
                any(row["month"] in recent for row in self._contacts.visits(each)) for each in keys
            )
            senior = sum(
                any(
                    row["month"] in year and self._is_senior(row["manager_id"])
                    for row in self._contacts.visits(each)
                )
                for each in keys
            )
        return {
            "key_customers": len(keys),
            "key_customers_visited": visited,
            "key_visited_share": _share(visited, len(keys)),
            "key_customers_visited_by_senior": senior,
            "senior_visit_share": _share(senior, len(keys)),
        }

    def _is_senior(self, manager: str | None) -> bool:
        return manager is not None and self._operator.managers.latest(manager)["grade"] == "senior"

    def _service(self, customers: list[str], month: int) -> Row:
        breaches = [
            self._clocks.resolve_breached(row)
            for row in self._clocks.rows
            if row["customer_id"] in customers and number_of(row["opened_at"]) == month
        ]
        outcomes = [breached for breached in breaches if breached is not None]
        kept = outcomes.count(False)
        return {
            "service_outcomes": len(outcomes),
            "service_kept": kept,
            "service_level_kept_share": _share(kept, len(outcomes)),
        }

    def _debts(self, customers: list[str], month: int) -> Row:
        if month < self._operator.first_payment_month:
            return dict.fromkeys(("outstanding_amount", "overdue_amount", "overdue_share"))
        owed = [self._receivables.owed.get((each, month)) for each in customers]
        outstanding = sum((each.outstanding for each in owed if each), ZERO)
        overdue = sum((each.overdue for each in owed if each), ZERO)
        return {
            "outstanding_amount": outstanding,
            "overdue_amount": overdue,
            "overdue_share": _share(overdue, outstanding),
        }

    def _scored(self, rows: list[Row]) -> list[Row]:
        """The rows of a month with their score."""
        ranks: dict[str, dict[str, Decimal]] = defaultdict(dict)
        for measure in self._weights:
            for manager, rank in _percentile_ranks(rows, measure).items():
                ranks[manager][measure] = rank
        scored = []
        for row in rows:
            own = ranks[row["manager_id"]]
            weight = sum((self._weights[measure] for measure in own), ZERO)
            points = sum((self._weights[measure] * rank for measure, rank in own.items()), ZERO)
            score = float(points / weight) if weight else None
            scored.append({**row, **_as_published(row), "score": score})
        return scored


def _as_published(row: Row) -> Row:
    """The quotients of a row, which are published as floats."""
    return {
        name: float(value)
        for name, value in row.items()
        if name.endswith(("_share", "_rate", "_growth")) and value is not None
    }


def _percentile_ranks(rows: list[Row], measure: str) -> dict[str, Decimal]:
    """Rank by manager from 0, the worst, to 1, the best; equal ones share the lower rank."""
    sign = -1 if measure == LOW_IS_GOOD else 1
    values = {
        row["manager_id"]: sign * row[measure].quantize(RANKED_DECIMALS, context=EXACT)
        for row in rows
        if row[measure] is not None
    }
    if len(values) == 1:
        return dict.fromkeys(values, Decimal(1))
    return {
        manager: Decimal(sum(other < value for other in values.values())) / (len(values) - 1)
        for manager, value in values.items()
    }


def _share(part: Decimal | int | None, whole: Decimal | int) -> Decimal | None:
    return EXACT.divide(Decimal(part), Decimal(whole)) if part is not None and whole else None
