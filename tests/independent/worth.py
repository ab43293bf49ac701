"""Costs, margin, headroom, social value and the score (rulebook 5)."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cached_property
from statistics import median

from tests.independent.complaints import Complaints
from tests.independent.customers import Customers
from tests.independent.loading import History, Row
from tests.independent.money import EXACT, ZERO, rounded
from tests.independent.months import first_day, last_day, number_of
from tests.independent.operator import UNKNOWN, Operator
from tests.independent.receivables import Bill, Receivables
from tests.independent.relationship import Activity
from tests.independent.revenue import Revenue

CURRENT_MONTHS = 12
BAD_DEBT_DAYS = 180
UNITEMISED_MARGIN_SHARE = Decimal("0.40")
PEER_MINIMUM = 30
PEER_REVENUE_GROUPS = 5
HEADROOM_MONTHS = 12
HIGHEST_SOCIAL_SCORE = Decimal(100)
BUILT_IN_FAMILIES = ("unknown", "unitemised")

Moment = tuple[str, int]
Line = tuple[str, int, str]  # customer, month and product


class Worth:
    """customer_value_monthly; the potential value alone is given."""

    def __init__(
        self,
        operator: Operator,
        activity: Activity,
        customers: Customers,
        revenue: Revenue,
        receivables: Receivables,
        complaints: Complaints,
        potentials: dict[Moment, Decimal],
    ) -> None:
        self._operator = operator
        self._activity = activity
        self._customers = customers
        self._revenue = revenue
        self._receivables = receivables
        self._complaints = complaints
        self._potentials = potentials
        self._contacts = [
            row
            for row in operator.feed("contacts")
            if row["customer_id"] in operator.customers
            and number_of(row["contacted_at"]) <= operator.closing_month
        ]

    def rows(self) -> list[Row]:
        scores = self._value_scores()
        return [
            {
                "customer_id": customer,
                "month": first_day(month),
                "revenue": self._revenue.of(customer, month),
                "cost_to_serve": self._costs_to_serve.get((customer, month), ZERO),
                "relationship_cost": self._relationship_cost(customer, month),
                "bad_debt": self._bad_debt(customer, month),
                "margin": self._margin(customer, month),
                "current_value": self._current_value(customer, month),
                "headroom_value": self._headrooms.get((customer, month)),
                "social_score": self._social_score(customer, month),
                "value_score": scores.get((customer, month)),
                "value_coverage": self._coverage(customer, month),
            }
            for customer, month in self._customers.published
        ]

    @cached_property
    def _product_revenue(self) -> dict[Line, Decimal]:
        revenue: dict[Line, Decimal] = defaultdict(lambda: ZERO)
        for row in self._revenue.monthly:
            line = row["customer_id"], number_of(row["month"]), row["product_code"]
            revenue[line] += row["revenue"]
        return revenue

    @cached_property
    def _line_costs(self) -> dict[Line, Decimal]:
        """Cost to serve by customer, month and product."""
        lines = {line for line in self._activity.served if line[1] in self._operator.months}
        return {line: self._line_cost(line) for line in lines | set(self._product_revenue)}

    def _line_cost(self, line: Line) -> Decimal:
        earned = max(self._product_revenue.get(line, ZERO), ZERO)
        cost = self._cost_row(line)
        if cost is None:
            return rounded(EXACT.multiply(earned, 1 - self._margin_shares[line[2]]))
        per_subscription, share = cost["cost_per_subscription"], cost["cost_share_of_revenue"]
        served = self._activity.served.get(line, 0)
        return rounded(served * per_subscription + EXACT.multiply(earned, share))

    def _cost_row(self, line: Line) -> Row | None:
        customer, month, product = line
        region = self._operator.local_network(customer, month)
        return self._cost_rows.get((first_day(month), product, region))

    @cached_property
    def _cost_rows(self) -> dict[tuple[object, str, str], Row]:
        return {
            (row["cost_month"], row["product_code"], row["region_code"]): row
            for row in self._operator.feed("service_costs")
        }

    @cached_property
    def _margin_shares(self) -> dict[str, Decimal]:
        shares = {
            row["product_code"]: Decimal(row["default_margin_share"])
            for row in self._operator.table("products")
        }
        return {
            **shares,
            UNKNOWN: UNITEMISED_MARGIN_SHARE,
            "UNITEMISED": UNITEMISED_MARGIN_SHARE,
        }

    @cached_property
    def _costs_to_serve(self) -> dict[Moment, Decimal]:
        costs: dict[Moment, Decimal] = defaultdict(lambda: ZERO)
        for (customer, month, _), cost in self._line_costs.items():
            costs[customer, month] += cost
        return costs

    def _relationship_cost(self, customer: str, month: int) -> Decimal | None:
        if not self._has_contacts(month) and month < self._complaints.first_month:
            return None
        return self._relationship_costs.get((customer, month), ZERO)

    def _has_contacts(self, month: int) -> bool:
        return month >= self._first_contact_month

    @cached_property
    def _first_contact_month(self) -> int:
        return min(number_of(row["contacted_at"]) for row in self._contacts)

    @cached_property
    def _relationship_costs(self) -> dict[Moment, Decimal]:
        """Contacts, their share of campaigns, compensation of every kind of complaint."""
        costs: dict[Moment, Decimal] = defaultdict(lambda: ZERO)
        made: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in self._contacts:
            customer, month = row["customer_id"], number_of(row["contacted_at"])
            costs[customer, month] += row["cost"] or ZERO
            if row["campaign_id"]:
                made[row["campaign_id"], month][customer] += 1
        for (campaign, month), contacts in made.items():
            for customer, count in contacts.items():
                share = EXACT.divide(Decimal(count), Decimal(sum(contacts.values())))
                costs[customer, month] += rounded(
                    EXACT.multiply(self._monthly_cost(campaign, month), share)
                )
        for complaint in self._complaints.rows:
            place = complaint["customer_id"], number_of(complaint["opened_at"])
            costs[place] += complaint["compensation"]
        return costs

    def _monthly_cost(self, campaign: str, month: int) -> Decimal:
        """Fixed cost of a campaign in one of its months."""
        if campaign not in self._campaigns:
            return ZERO
        row = self._campaigns.latest(campaign)
        begin, end = number_of(row["starts_on"]), number_of(row["ends_on"])
        if not begin <= month <= end:
            return ZERO
        return EXACT.divide(row["fixed_cost"] or ZERO, Decimal(end - begin + 1))

    @cached_property
    def _campaigns(self) -> History:
        return History(self._operator.feed("campaigns"), "campaign_id")

    @cached_property
    def _first_campaign_month(self) -> int:
        return min(number_of(self._campaigns.latest(each)["starts_on"]) for each in self._campaigns)

    def _bad_debt(self, customer: str, month: int) -> Decimal | None:
        if month < self._operator.first_payment_month:
            return None
        return self._bad_debts.get((customer, month), ZERO)

    @cached_property
    def _bad_debts(self) -> dict[Moment, Decimal]:
        debts: dict[Moment, Decimal] = defaultdict(lambda: ZERO)
        for bill in self._receivables.bills.values():
            month = self._write_off_month(bill)
            if month is None:
                continue
            written_off = bill.state(last_day(month)).open_amount
            debts[bill.customer_id, month] += self._operator.convert(
                written_off, bill.currency, month
            )
            for later in range(month + 1, self._operator.closing_month + 1):
                before, now = (
                    bill.state(last_day(each)).open_amount for each in (later - 1, later)
                )
                debts[bill.customer_id, later] -= self._operator.convert(
                    before - now, bill.currency, later
                )
        return debts

    def _write_off_month(self, bill: Bill) -> int | None:
        """The month at whose end an open bill is first past the age of bad debt."""
        if not bill.is_postpaid:
            return None
        for month in self._operator.months:
            if last_day(month) >= bill.issued_on:
                state = bill.state(last_day(month))
                if state.open_amount and state.days_past_due > BAD_DEBT_DAYS:
                    return month
        return None

    def _margin(self, customer: str, month: int) -> Decimal:
        """What was not measured counts as 0."""
        margin = self._revenue.of(customer, month)
        margin -= self._costs_to_serve.get((customer, month), ZERO)
        margin -= self._relationship_cost(customer, month) or ZERO
        return margin - (self._bad_debt(customer, month) or ZERO)

    def _current_value(self, customer: str, month: int) -> Decimal:
        window = range(month - CURRENT_MONTHS + 1, month + 1)
        return sum(
            (
                self._margin(customer, each)
                for each in window
                if (customer, each) in self._customers.published
            ),
            ZERO,
        )

    @cached_property
    def _headrooms(self) -> dict[Moment, Decimal | None]:
        """Headroom by ranked customer and month."""
        headrooms: dict[Moment, Decimal | None] = {}
        for month in self._operator.months:
            peers: dict[tuple[object, ...], list[str]] = defaultdict(list)
            for customer, revenue_group in self._revenue_groups(month).items():
                latest = self._operator.customers.latest(customer)
                is_organisation = latest["legal_form"] == "organisation"
                industry = latest["industry"] if is_organisation else None
                peers[latest["legal_form"], industry, revenue_group].append(customer)
            for members in peers.values():
                headrooms |= self._headrooms_among(members, month)
        return headrooms

    def _ranked(self, month: int) -> list[str]:
        return [
            customer
            for customer in self._operator.customers
            if self._customers.is_ranked(customer, month)
        ]

    def _revenue_groups(self, month: int) -> dict[str, int]:
        """Fifth of the ranked customers by avg_revenue_3m; equal revenues stay together."""
        revenue = {each: self._revenue.average(each, month, 3) for each in self._ranked(month)}
        return {
            customer: (rank - 1) * PEER_REVENUE_GROUPS // len(revenue)
            for customer, rank in _smallest_ranks(revenue).items()
        }

    def _headrooms_among(self, peers: list[str], month: int) -> dict[Moment, Decimal | None]:
        held = {customer: self._families_held(customer, month) for customer in peers}
        worth: dict[str, Decimal] = {}
        families = set(self._operator.product_families.values()) - set(BUILT_IN_FAMILIES)
        for family in families:
            holders = [customer for customer in peers if family in held[customer]]
            if len(holders) >= PEER_MINIMUM:
                margins = [self._family_margin(each, month, family) for each in holders]
                share = EXACT.divide(Decimal(len(holders)), Decimal(len(peers)))
                usual = rounded(median(margins))
                worth[family] = rounded(EXACT.multiply(share, usual * HEADROOM_MONTHS))
        headrooms: dict[Moment, Decimal | None] = {}
        for customer in peers:
            lacking = families - held[customer]
            known = [worth[family] for family in lacking if family in worth]
            is_known = bool(known) or not lacking
            headrooms[customer, month] = sum(known, ZERO) if is_known else None
        return headrooms

    def _families_held(self, customer: str, month: int) -> set[str]:
        return {
            self._operator.product_families[self._operator.product(row["product_code"])]
            for row in self._activity.active.get((customer, month), [])
        }

    def _family_margin(self, customer: str, month: int, family: str) -> Decimal:
        return sum(
            (
                self._product_revenue.get((customer, month, product), ZERO)
                - self._line_costs.get((customer, month, product), ZERO)
                for product, its_family in self._operator.product_families.items()
                if its_family == family
            ),
            ZERO,
        )

    def _social_score(self, customer: str, month: int) -> Decimal:
        attributes = self._operator.customers.as_of(customer, month)
        members = self._ranked_members[self._customers.group(customer), month]
        networks = {self._operator.local_network(member, month) for member in members}
        sizes = {"group_size": len(members), "regional_span": len(networks - {UNKNOWN})}
        codes = {
            "designation": attributes["designation"],
            "strategic": str(attributes["strategic_flag"]).lower(),
        }
        points: dict[str, Decimal] = {}
        for row in sorted(
            self._operator.table("social_points"), key=lambda row: Decimal(row["lower_bound"] or 0)
        ):
            attribute = row["attribute"]
            if attribute in codes:
                is_met = row["code"] == codes[attribute]
            else:
                is_met = sizes[attribute] >= Decimal(row["lower_bound"])
            if is_met:
                points[attribute] = Decimal(row["points"])
        return min(sum(points.values(), ZERO), HIGHEST_SOCIAL_SCORE)

    @cached_property
    def _ranked_members(self) -> dict[tuple[str, int], list[str]]:
        members: dict[tuple[str, int], list[str]] = defaultdict(list)
        for month in self._operator.months:
            for customer in self._ranked(month):
                members[self._customers.group(customer), month].append(customer)
        return members

    def _value_scores(self) -> dict[Moment, Decimal]:
        weights = {
            row["layer"]: Decimal(row["weight"]) for row in self._operator.table("value_weights")
        }
        scores = {}
        for month in self._operator.months:
            ranked = self._ranked(month)
            current = _percentile_ranks({each: self._current_value(each, month) for each in ranked})
            potential = _percentile_ranks({each: self._potentials[each, month] for each in ranked})
            for customer in ranked:
                social = self._social_score(customer, month) / 100
                scores[customer, month] = rounded(
                    100
                    * (
                        EXACT.multiply(weights["current"], current[customer])
                        + EXACT.multiply(weights["potential"], potential[customer])
                        + weights["social"] * social
                    )
                )
        return scores

    def _coverage(self, customer: str, month: int) -> str | None:
        products = self._products[customer, month]
        is_ranked = self._customers.is_ranked(customer, month)
        missing = {
            "costs": any(self._cost_row((customer, month, each)) is None for each in products),
            "contacts": not self._has_contacts(month),
            "campaigns": month < self._first_campaign_month,
            "complaints": month < self._complaints.first_month,
            "payments": month < self._operator.first_payment_month,
            "headroom": is_ranked and self._headrooms.get((customer, month)) is None,
        }
        return ",".join(name for name, is_missing in missing.items() if is_missing) or None

    @cached_property
    def _products(self) -> dict[Moment, list[str]]:
        products: dict[Moment, list[str]] = defaultdict(list)
        for customer, month, product in self._line_costs:
            products[customer, month].append(product)
        return products


def _smallest_ranks(values: dict[str, Decimal]) -> dict[str, int]:
    """Ranks ascending from 1; ties share the smallest."""
    ranks: dict[Decimal, int] = {}
    for place, value in enumerate(sorted(values.values()), start=1):
        ranks.setdefault(value, place)
    return {customer: ranks[value] for customer, value in values.items()}


def _percentile_ranks(values: dict[str, Decimal]) -> dict[str, Decimal]:
    last = Decimal(len(values) - 1)
    return {
        customer: EXACT.divide(Decimal(rank - 1), last) if last else Decimal(1)
        for customer, rank in _smallest_ranks(values).items()
    }
