"""What a customer receives and what it costs it: eight indices (rulebook 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from statistics import median

from tests.independent.complaint_service import ComplaintService
from tests.independent.complaints import Clocks, Complaints, resolved_at, seconds_until
from tests.independent.customers import Customers
from tests.independent.loading import Row
from tests.independent.money import EXACT, ZERO, quotient, rounded, six_decimals
from tests.independent.months import first_day, number_of
from tests.independent.operator import Operator
from tests.independent.relationship import Activity
from tests.independent.revenue import Revenue
from tests.independent.stars import Stars

BENEFITS = ("product", "service", "personnel", "image")
COSTS = ("monetary", "time", "effort", "psychic")
SHORT_MONTHS, LONG_MONTHS = 3, 12

Moment = tuple[str, int]
Measures = dict[str, Decimal | int | None]


class DeliveredValue:
    """customer_delivered_value_monthly."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        customers: Customers,
        revenue: Revenue,
        complaints: Complaints,
        clocks: Clocks,
        service: ComplaintService,
        stars: Stars,
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._customers = customers
        self._revenue = revenue
        self._complaints = complaints
        self._clocks = clocks
        self._service = service
        self._stars = stars

    def rows(self) -> list[Row]:
        return [
            {"customer_id": customer, "month": first_day(month), **self._ledger(customer, month)}
            for customer, month in self._customers.published
        ]

    def _ledger(self, customer: str, month: int) -> Row:
        measures = {
            **self._quality_of(customer, month),
            **self._service_of(customer, month),
            **self._contacts_of(customer, month),
            "mean_satisfaction": self._stars.mean_satisfaction(customer, month),
            "price_to_family_median": self._price_ratios.get((customer, month)),
        }
        indices = {component: self._index(component, measures) for component in BENEFITS + COSTS}
        benefits, costs = (
            [index for name in side if (index := indices[name]) is not None]
            for side in (BENEFITS, COSTS)
        )
        value = None
        if benefits and costs:
            value = quotient(sum(benefits, ZERO), len(benefits))
            value -= quotient(sum(costs, ZERO), len(costs))
        missing = [name for name, index in indices.items() if index is None]
        return {
            **{f"{name}_index": index for name, index in indices.items()},
            "delivered_value": value,
            "coverage": ",".join(missing) or None,
        }

    def _index(self, component: str, measures: Measures) -> Decimal | None:
        """Mean of the measured metrics, each linear between its ends."""
        indices = [
            _linear(Decimal(measure), row["value_at_0"], row["value_at_100"])
            for row in self._operator.table("delivered_value_indices")
            if row["component"] == component and (measure := measures[row["metric"]]) is not None
        ]
        return quotient(sum(indices, ZERO), len(indices)) if indices else None

    def _quality_of(self, customer: str, month: int) -> Measures:
        """Means over subscriptions and months."""
        reports = [
            report
            for each in _window(month, SHORT_MONTHS)
            for report in self._reports.get((customer, each), [])
        ]
        return {
            "access_rate": _mean_share(row["access_rate"] for row in reports),
            "drop_rate": _mean_share(row["drop_rate"] for row in reports),
            "outage_minutes": _mean(row["outage_minutes"] for row in reports),
        }

    @cached_property
    def _reports(self) -> dict[Moment, list[Row]]:
        return quality_reports(self._operator)

    def _service_of(self, customer: str, month: int) -> Measures:
        window = _window(month, LONG_MONTHS)
        own = self._clocked.get(customer, [])
        opened = [row for row in own if number_of(row["opened_at"]) in window]
        outcomes = [kept for row in opened if (kept := self._is_kept(row, month)) is not None]
        seconds = [
            seconds_until(row, resolved, month)
            for row in own
            if (resolved := resolved_at(row, month)) and number_of(resolved) in window
        ]
        hears = month >= self._complaints.first_month
        return {
            "service_level_kept_share": _mean_share(map(Decimal, outcomes)),
            "mean_resolve_hours": _mean(quotient(Decimal(each), 3600) for each in seconds),
            "handed_off_12m": sum(row["owner_changes"] > 0 for row in opened) if hears else None,
            "reopened_12m": sum(row["reopened_count"] > 0 for row in opened) if hears else None,
            "repeated_12m": sum(map(self._service.is_repeat, opened)) if hears else None,
        }

    def _is_kept(self, complaint: Row, month: int) -> bool | None:
        """Whether both clocks were kept; none while neither broken nor both over."""
        breaches = (
            self._clocks.respond_breached(complaint, month),
            self._clocks.resolve_breached(complaint, month),
        )
        if True in breaches:
            return False
        return None if None in breaches else True

    @cached_property
    def _clocked(self) -> dict[str, list[Row]]:
        return _by_customer(self._clocks.rows)

    def _contacts_of(self, customer: str, month: int) -> Measures:
        if month < self._first_contact_month:
            return dict.fromkeys(("manager_contacts_3m", "survey_score", "counter_contacts_3m"))
        own = self._contacts.get(customer, [])
        recent, year = (
            [row for row in own if number_of(row["contacted_at"]) in _window(month, length)]
            for length in (SHORT_MONTHS, LONG_MONTHS)
        )
        return {
            "manager_contacts_3m": sum(
                row["manager_id"] in self._operator.managers and row["outcome"] != "no_answer"
                for row in recent
            ),
            "counter_contacts_3m": sum(row["channel"] == "counter" for row in recent),
            "survey_score": _mean(row["score"] for row in year if row["purpose"] == "survey"),
        }

    @cached_property
    def _contacts(self) -> dict[str, list[Row]]:
        return _by_customer(self._operator.feed("contacts"))

    @cached_property
    def _first_contact_month(self) -> int:
        return min(number_of(row["contacted_at"]) for row in self._operator.feed("contacts"))

    @cached_property
    def _price_ratios(self) -> dict[Moment, Decimal]:
        """Own mean price over what the same subscriptions cost at the families' medians."""
        charged = self._charged_families
        prices: dict[tuple[int, str], list[Decimal]] = defaultdict(list)
        for (_, month), families in charged.items():
            for family, (charge, served) in families.items():
                prices[month, family].append(quotient(charge, served))
        medians = {place: rounded(median(values)) for place, values in prices.items()}
        ratios = {}
        for (customer, month), families in charged.items():
            lines = sum(served for _, served in families.values())
            own = quotient(sum((charge for charge, _ in families.values()), ZERO), lines)
            usual = sum(
                (medians[month, family] * served for family, (_, served) in families.items()), ZERO
            )
            if usual:
                ratios[customer, month] = quotient(own, quotient(usual, lines))
        return ratios

    @cached_property
    def _charged_families(self) -> dict[Moment, dict[str, tuple[Decimal, int]]]:
        """Recurring charges with discounts, and subscriptions served, of charged families."""
        charges: dict[tuple[str, int, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        for row in self._revenue.monthly:
            family = self._operator.product_families[row["product_code"]]
            place = row["customer_id"], number_of(row["month"]), family
            charges[place][0] += row["recurring_revenue"]
            charges[place][1] += row["discount"]
        served: dict[tuple[str, int, str], int] = defaultdict(int)
        for (customer, month, product), count in self._activity.served.items():
            served[customer, month, self._operator.product_families[product]] += count
        found: dict[Moment, dict[str, tuple[Decimal, int]]] = defaultdict(dict)
        for (customer, month, family), (recurring, discount) in charges.items():
            count = served.get((customer, month, family), 0)
            if recurring and count:
                found[customer, month][family] = recurring + discount, count
        return found


def quality_reports(operator: Operator) -> dict[Moment, list[Row]]:
    """Service quality of known subscriptions, for the account's owner at the month's end."""
    reports: dict[Moment, list[Row]] = defaultdict(list)
    for row in operator.feed("service_quality"):
        if row["subscription_id"] in operator.subscriptions:
            month = number_of(row["quality_month"])
            account = operator.subscriptions.latest(row["subscription_id"])["account_id"]
            reports[operator.owner(account, month), month].append(row)
    return reports


def _by_customer(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["customer_id"]].append(row)
    return found


def _window(month: int, length: int) -> range:
    return range(month - length + 1, month + 1)


def _linear(measure: Decimal, at_0: str, at_100: str) -> Decimal:
    """From 0 to 100 between the two ends, and no further."""
    index = EXACT.divide((measure - Decimal(at_0)) * 100, Decimal(at_100) - Decimal(at_0))
    return rounded(min(max(index, ZERO), Decimal(100)))


def _mean(values: Iterable[Decimal | int | None]) -> Decimal | None:
    known = [Decimal(value) for value in values if value is not None]
    return quotient(sum(known, ZERO), len(known)) if known else None


def _mean_share(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    return six_decimals(EXACT.divide(sum(known, ZERO), Decimal(len(known))))
