"""Stars (rulebook 7): measures, points, labels, and how long a star holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from functools import cached_property

from tests.independent.complaints import CLOCKED, Complaints
from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import EXACT, SIX_DECIMALS, ZERO, quotient
from tests.independent.months import first_day, number_of
from tests.independent.operator import Operator
from tests.independent.receivables import Receivables
from tests.independent.relationship import Activity
from tests.independent.revenue import Revenue

DIMENSIONS = ("consumption", "credit", "satisfaction", "loyalty")
MEAN_MONTHS = 3
WINDOW_MONTHS = 12
VALID_MONTHS = 12
POINTS = [f"{dimension}_points" for dimension in DIMENSIONS]
LABELS = [f"{dimension}_label" for dimension in DIMENSIONS]
RATING = [*POINTS, *LABELS, "star_points", "star_coverage"]

Measures = dict[str, Decimal | int | None]


class Stars:
    """customer_star_monthly: ranked customers are rated, all others have empty rows."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        customers: Customers,
        revenue: Revenue,
        receivables: Receivables,
        complaints: Complaints,
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._customers = customers
        self._revenue = revenue
        self._receivables = receivables
        self._complaints = complaints

    @cached_property
    def rows(self) -> list[Row]:
        rated = self._rated
        return [
            {
                "customer_id": customer,
                "month": first_day(month),
                **rated.get((customer, month), dict.fromkeys(RATING)),
                "stars": self.held(customer, month),
                "star_valid_to": self._valid_to(customer, month),
            }
            for customer, month in self._customers.published
        ]

    def held(self, customer: str, month: int) -> int | None:
        """Stars in force."""
        return self._held.get((customer, month), (None, None))[0]

    def _valid_to(self, customer: str, month: int) -> object:
        valid_to = self._held.get((customer, month), (None, None))[1]
        return None if valid_to is None else first_day(valid_to)

    @cached_property
    def _held(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Stars and the month in which they lapse, followed month by month."""
        held: dict[tuple[str, int], tuple[int, int]] = {}
        for customer, month in sorted(self._rated, key=lambda place: place[1]):
            earned = self._level(self._rated[customer, month]["star_points"])
            before = held.get((customer, month - 1))
            if before and month < before[1] and earned <= before[0]:
                held[customer, month] = before
            else:
                held[customer, month] = earned, month + VALID_MONTHS
        return held

    def _level(self, points: Decimal) -> int:
        levels = self._operator.table("star_levels")
        return max(int(row["stars"]) for row in levels if Decimal(row["lower_bound"]) <= points)

    @cached_property
    def _rated(self) -> dict[tuple[str, int], Row]:
        """What the month alone earns."""
        return {
            place: self._rating(self._measures(*place))
            for place in self._customers.published
            if self._customers.is_ranked(*place)
        }

    def _rating(self, measures: Measures) -> Row:
        points = {dimension: self._points(dimension, measures) for dimension in DIMENSIONS}
        measured = {name: value for name, value in points.items() if value is not None}
        weights = {
            row["dimension"]: Decimal(row["weight"]) for row in self._operator.table("star_weights")
        }
        weighted = sum((value * weights[name] for name, value in measured.items()), ZERO)
        missing = [name for name, value in points.items() if value is None]
        return {
            **dict(zip(POINTS, points.values(), strict=True)),
            **{f"{name}_label": self._label(name, value) for name, value in points.items()},
            "star_points": quotient(weighted, sum((weights[name] for name in measured), ZERO)),
            "star_coverage": ",".join(missing) or None,
        }

    @cached_property
    def _bands(self) -> dict[str, dict[str, list[Row]]]:
        """Bands by dimension and metric, lowest first."""
        bands: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        ordered = sorted(
            self._operator.table("star_bands"), key=lambda row: Decimal(row["lower_bound"])
        )
        for row in ordered:
            bands[row["dimension"]][row["metric"]].append(
                {
                    "bound": Decimal(row["lower_bound"]),
                    "points": Decimal(row["points"] or 0),
                    "label": row["label"],
                }
            )
        return bands

    def _points(self, dimension: str, measures: Measures) -> Decimal | None:
        """Earned / maximum of the measured metrics x 100; below every band nothing."""
        earned, highest = ZERO, ZERO
        for metric, bands in self._bands[dimension].items():
            measure = None if metric == "total" else measures[metric]
            if measure is not None:
                reached = [band["points"] for band in bands if band["bound"] <= measure]
                earned += reached[-1] if reached else ZERO
                highest += max(band["points"] for band in bands)
        return quotient(earned * 100, highest) if highest else None

    def _label(self, dimension: str, points: Decimal | None) -> str | None:
        if points is None:
            return None
        bands = self._bands[dimension]["total"]
        return [str(band["label"]) for band in bands if band["bound"] <= points][-1]

    def _measures(self, customer: str, month: int) -> Measures:
        owed = self._receivables.owed.get((customer, month))
        has_base = owed is not None and bool(owed.due)
        return {
            "avg_revenue_3m": self._revenue.average(customer, month, MEAN_MONTHS),
            "voice_minutes": self._mean_use(customer, month, "voice_minutes"),
            "data_mb": self._mean_use(customer, month, "data_mb"),
            "active_days": self._mean_use(customer, month, "active_days"),
            "top_up_amount": self._mean_top_ups(customer, month),
            "on_time_ratio_12m": _cut(EXACT.divide(owed.in_time, owed.due))
            if owed and has_base
            else None,
            "longest_delay_days": owed.longest_delay if owed and has_base else None,
            "complaints_12m": self._complaints.opened_12m(customer, month),
            "open_complaints": self._complaints.open_at_end(customer, month),
            "mean_satisfaction": self.mean_satisfaction(customer, month),
            "tenure_months": self._tenure(customer, month),
            "plan_changes_12m": self._plan_changes_12m(customer, month),
        }

    def _tenure(self, customer: str, month: int) -> int | None:
        first = self._activity.first_active_month(customer)
        return None if first is None else month - first

    def _mean(
        self, values: dict[tuple[str, int], Decimal], customer: str, month: int, covered_from: int
    ) -> Decimal | None:
        """Mean over the months of the window that exist and that the feed covers."""
        window = [
            each
            for each in self._revenue.months_existing(customer, month, MEAN_MONTHS)
            if each >= covered_from
        ]
        if month < covered_from:
            return None
        return quotient(
            sum((values.get((customer, each), ZERO) for each in window), ZERO), len(window)
        )

    def _mean_use(self, customer: str, month: int, measure: str) -> Decimal | None:
        first, last = self._usage_months
        return self._mean(self._use[measure], customer, month, first) if month <= last else None

    @cached_property
    def _usage_months(self) -> tuple[int, int]:
        months = [number_of(row["usage_month"]) for row in self._operator.feed("usage")]
        return min(months), max(months)

    @cached_property
    def _use(self) -> dict[str, dict[tuple[str, int], Decimal]]:
        """Minutes and data of all subscriptions, days of the most used one."""
        use = {
            measure: {place: row[measure] for place, row in self._customers.usage.items()}
            for measure in ("voice_minutes", "data_mb")
        }
        days: dict[tuple[str, int], Decimal] = defaultdict(lambda: ZERO)
        for row in self._operator.feed("usage"):
            if row["subscription_id"] in self._operator.subscriptions:
                month = number_of(row["usage_month"])
                account = self._operator.subscriptions.latest(row["subscription_id"])["account_id"]
                place = self._operator.owner(account, month), month
                days[place] = max(days[place], Decimal(row["active_days"] or 0))
        return {**use, "active_days": days}

    def _mean_top_ups(self, customer: str, month: int) -> Decimal | None:
        """Null without a prepaid subscription."""
        active = self._activity.active.get((customer, month), [])
        if not any(self._is_prepaid(subscription["account_id"]) for subscription in active):
            return None
        first = self._operator.first_payment_month
        return self._mean(self._top_ups, customer, month, first)

    def _is_prepaid(self, account: str) -> bool:
        return bool(self._operator.accounts.latest(account)["payment_mode"] == "prepaid")

    @cached_property
    def _top_ups(self) -> dict[tuple[str, int], Decimal]:
        """Payments on prepaid accounts that name no bill."""
        top_ups: dict[tuple[str, int], Decimal] = defaultdict(lambda: ZERO)
        for row in self._operator.payments:
            account = row["account_id"]
            if self._is_prepaid(account) and not self._names_a_bill(row):
                month = number_of(row["paid_on"])
                currency = self._operator.accounts.latest(account)["currency"]
                money = self._operator.convert(row["amount"], currency, month)
                top_ups[self._operator.owner(account, month), month] += money
        return top_ups

    def _names_a_bill(self, payment: Row) -> bool:
        named = self._operator.bills.get(payment["invoice_id"])
        return named is not None and named["account_id"] == payment["account_id"]

    @cached_property
    def _answers(self) -> dict[str, list[tuple[int, int]]]:
        """Month of opening and satisfaction of complaints and faults, by customer."""
        answers: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for row in self._complaints.of_kind(*CLOCKED):
            if row["satisfaction"] is not None:
                opened = number_of(row["opened_at"])
                answers[row["customer_id"]].append((opened, row["satisfaction"]))
        return answers

    def mean_satisfaction(self, customer: str, month: int) -> Decimal | None:
        """With complaints and faults opened in the window; null where nobody answered."""
        answers = [
            answer
            for opened, answer in self._answers.get(customer, [])
            if month - WINDOW_MONTHS < opened <= month
        ]
        return quotient(Decimal(sum(answers)), len(answers)) if answers else None

    def _plan_changes_12m(self, customer: str, month: int) -> int:
        window = range(month - WINDOW_MONTHS + 1, month + 1)
        return sum(changed in window for changed in self._plan_changes.get(customer, []))

    @cached_property
    def _plan_changes(self) -> dict[str, list[int]]:
        """Months of every change of plan, for the owner at the month's end."""
        changes: dict[str, list[int]] = defaultdict(list)
        for subscription in self._operator.subscriptions:
            versions = self._operator.subscriptions.versions(subscription)
            for month in plan_changes(versions):
                account = versions[-1]["account_id"]
                changes[self._operator.owner(account, month)].append(month)
        return changes


def plan_changes(versions: Iterable[Row]) -> list[int]:
    """Months in which another plan than the last one known came into force."""
    months, known = [], None
    for version in versions:
        plan = version["plan_code"]
        if plan and known and plan != known:
            months.append(number_of(version["updated_at"]))
        known = plan or known
    return months


def _cut(ratio: Decimal) -> Decimal:
    """To 6 decimals, downwards, so that 1 means all of it."""
    return ratio.quantize(SIX_DECIMALS, rounding=ROUND_DOWN)
