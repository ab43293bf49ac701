"""The published marts, figured out again: rows by mart, columns under their published names."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property

from tests.independent.acting.campaigns import Campaigns
from tests.independent.acting.contacts import Contacts
from tests.independent.acting.contracts import Contracts
from tests.independent.acting.proposals import proposals
from tests.independent.acting.scorecard import Scorecard
from tests.independent.acting.worklist import Worklist
from tests.independent.comparison import Comparison
from tests.independent.complaint_service import ComplaintService
from tests.independent.complaints import Clocks, Complaints
from tests.independent.concentration import concentration
from tests.independent.customers import Customers
from tests.independent.delivered_value import DeliveredValue
from tests.independent.features import ChurnFeatures
from tests.independent.kinds import KeyCustomers
from tests.independent.learning import Learning
from tests.independent.loading import Row
from tests.independent.money import ZERO
from tests.independent.months import end_of, first_day, number_of
from tests.independent.operator import Operator
from tests.independent.potential import Potential
from tests.independent.receivables import Receivables
from tests.independent.regions import RegionSummary
from tests.independent.relationship import Activity
from tests.independent.revenue import Revenue
from tests.independent.risk import Risk
from tests.independent.stars import Stars
from tests.independent.tiers import Tiers
from tests.independent.worth import Worth

MODEL = "logistic_regression"  # the sample has departures enough to learn from


class Marts:
    """Every mart that is figured out twice; each is worked out when first asked for.

    Given are the value of a customer-month (margin, potential_value, headroom_value,
    value_score) and its probability to leave, in the months of the test also that by the
    tested fit.
    """

    def __init__(
        self,
        operator: Operator,
        values: dict[tuple[str, int], Row],
        risks: dict[tuple[str, int], Decimal],
        tested_risks: dict[tuple[str, int], Decimal],
    ) -> None:
        self._operator = operator
        self._values = values
        self._risks = risks
        self._activity = Activity(operator)
        self._revenue = Revenue(operator, self._activity)
        self._receivables = Receivables(operator)
        self._customers = Customers(operator, self._activity, self._revenue, self._receivables)
        self._tiers = Tiers(operator, self._customers, self._revenue)
        self._kinds = KeyCustomers(operator, self._customers, self._tiers, values)
        self._complaints = Complaints(operator)
        self._clocks = Clocks(operator, self._complaints, self._tiers)
        self._service = ComplaintService(operator, self._complaints, self._clocks, self._tiers)
        self._stars = Stars(
            operator,
            self._activity,
            self._customers,
            self._revenue,
            self._receivables,
            self._complaints,
        )
        self._potential = Potential(self._customers, self._revenue, values, risks)
        self._risk = Risk(
            operator,
            self._activity,
            self._customers,
            risks,
            tested_risks,
            self._potential.stake,
        )

    @cached_property
    def fct_revenue_monthly(self) -> list[Row]:
        return self._revenue.monthly

    @cached_property
    def fct_revenue_movement(self) -> list[Row]:
        return self._revenue.movements

    @cached_property
    def fct_invoice(self) -> list[Row]:
        return self._receivables.invoices

    @cached_property
    def fct_complaint(self) -> list[Row]:
        return self._service.rows

    @cached_property
    def complaint_service_monthly(self) -> list[Row]:
        return self._service.monthly()

    @cached_property
    def customer_star_monthly(self) -> list[Row]:
        return self._stars.rows

    @cached_property
    def customer_delivered_value_monthly(self) -> list[Row]:
        return DeliveredValue(
            self._operator,
            self._activity,
            self._customers,
            self._revenue,
            self._complaints,
            self._clocks,
            self._service,
            self._stars,
        ).rows()

    @cached_property
    def customer_value_monthly(self) -> list[Row]:
        """Each layer by what is given of the others."""
        worth = Worth(
            self._operator,
            self._activity,
            self._customers,
            self._revenue,
            self._receivables,
            self._complaints,
            _measured(self._values, "potential_value"),
        )
        return [
            {
                **row,
                "potential_value": self._potential.value(
                    row["customer_id"], number_of(row["month"])
                ),
            }
            for row in worth.rows()
        ]

    @cached_property
    def customer_risk_monthly(self) -> list[Row]:
        """Bands by the probability that is published, which a second fit must come near."""
        risks = self.learning.risks
        return [
            {
                **row,
                "churn_probability": risks[row["customer_id"], number_of(row["month"])],
                "model": MODEL,
            }
            for row in self._risk.rows()
        ]

    @cached_property
    def churn_model(self) -> list[Row]:
        fitted_at = end_of(self._operator.closing_month)
        return [{"model": MODEL, "fitted_at": fitted_at, **self.learning.measures()}]

    @cached_property
    def churn_features(self) -> ChurnFeatures:
        return ChurnFeatures(
            self._operator,
            self._activity,
            self._customers,
            self._receivables,
            self._complaints,
            self._clocks,
        )

    @cached_property
    def learning(self) -> Learning:
        return Learning(
            self.churn_features.by_customer_month,
            self._risk.has_left,
            self._operator.closing_month,
        )

    @cached_property
    def churn_backtest(self) -> list[Row]:
        return self._risk.backtest()

    @cached_property
    def customer_tier_monthly(self) -> list[Row]:
        return self._tiers.rows()

    @cached_property
    def customer_tier_history(self) -> list[Row]:
        return self._tiers.history()

    @cached_property
    def tier_migration_monthly(self) -> list[Row]:
        return self._tiers.migration()

    @cached_property
    def policy_comparison(self) -> list[Row]:
        return Comparison(self._operator, self._customers, self._revenue, self._tiers).rows()

    @cached_property
    def revenue_concentration_monthly(self) -> list[Row]:
        measures = {
            "revenue": self._revenue.by_customer,
            "margin": _measured(self._values, "margin"),
            "voice_minutes": _measured(self._customers.usage, "voice_minutes"),
            "data_mb": _measured(self._customers.usage, "data_mb"),
        }
        return concentration(self._operator, measures)

    @cached_property
    def region_summary_monthly(self) -> list[Row]:
        return RegionSummary(
            self._operator,
            self._activity,
            self._revenue,
            self._receivables,
            self._customers,
            self._kinds,
            self._complaints,
            self._clocks,
        ).rows()

    @cached_property
    def _contacts(self) -> Contacts:
        return Contacts(self._operator, self._tiers)

    @cached_property
    def _contracts(self) -> Contracts:
        return Contracts(self._operator, self._revenue, self._risks)

    @cached_property
    def fct_contact(self) -> list[Row]:
        return self._contacts.rows()

    @cached_property
    def contract_renewal(self) -> list[Row]:
        return self._contracts.rows

    @cached_property
    def campaign_result(self) -> list[Row]:
        return Campaigns(self._operator, self._customers, self._contacts, self._values).rows()

    @cached_property
    def proposal_economics(self) -> list[Row]:
        return proposals(self._operator)

    @cached_property
    def retention_worklist(self) -> list[Row]:
        return Worklist(
            self._operator,
            self._activity,
            self._revenue,
            self._receivables,
            self._customers,
            self._tiers,
            self._contacts,
            self._contracts,
            self._clocks,
            self._values,
            self._risks,
        ).rows()

    @cached_property
    def manager_scorecard_monthly(self) -> list[Row]:
        return Scorecard(
            self._operator,
            self._activity,
            self._revenue,
            self._receivables,
            self._customers,
            self._kinds,
            self._contacts,
            self._contracts,
            self._clocks,
        ).rows()

    @cached_property
    def customer_monthly(self) -> list[Row]:
        return [self._customer_month(*place) for place in self._customers.published]

    def _customer_month(self, customer: str, month: int) -> Row:
        latest = self._operator.customers.latest(customer)
        region = self._operator.local_network(customer, month)
        return {
            "customer_id": customer,
            "month": first_day(month),
            "relationship": self._customers.relationship(customer, month),
            "is_ranked": self._customers.is_ranked(customer, month),
            "region_code": region,
            "region_class": self._operator.regions[region].region_class,
            "manager_id": self._operator.manager(customer, month),
            "legal_form": latest["legal_form"],
            "group_id": self._customers.group(customer),
            "tenure_months": self._tenure(customer, month),
            "revenue": self._revenue.of(customer, month),
            "avg_revenue_3m": self._revenue.average(customer, month, 3),
            "avg_revenue_6m": self._revenue.average(customer, month, 6),
            "billed_amount": self._revenue.billed.get((customer, month), ZERO),
            "credit_grade": self._receivables.grade(customer, month),
            "stars": self._stars.held(customer, month),
            "complaints_12m": self._complaints.opened_12m(customer, month),
            "open_complaints": self._complaints.open_at_end(customer, month),
            **self._activity_of(customer, month),
            **self._payments_of(customer, month),
            **self._kinds_of(customer, month),
        }

    def _tenure(self, customer: str, month: int) -> int | None:
        first = self._activity.first_active_month(customer)
        return None if first is None or month < first else month - first

    def _activity_of(self, customer: str, month: int) -> Row:
        active = self._activity.active.get((customer, month), [])
        products = {self._operator.product(row["product_code"]) for row in active}
        return {
            "active_subscriptions": len(active),
            "active_accounts": len({row["account_id"] for row in active}),
            "products": len(products),
            "product_families": len({self._operator.product_families[each] for each in products}),
        }

    def _payments_of(self, customer: str, month: int) -> Row:
        if month < self._operator.first_payment_month:
            return dict.fromkeys(("paid_amount", "outstanding_amount", "overdue_amount"))
        owed = self._receivables.owed.get((customer, month))
        return {
            "paid_amount": self._receivables.paid.get((customer, month), ZERO),
            "outstanding_amount": owed.outstanding if owed else ZERO,
            "overdue_amount": owed.overdue if owed else ZERO,
        }

    def _kinds_of(self, customer: str, month: int) -> Row:
        kinds = self._kinds.kinds(customer, month)
        return {
            "is_important": kinds.is_important,
            "is_high_value": kinds.is_high_value,
            "is_group": kinds.is_group,
            "is_strategic": kinds.is_strategic,
            "is_premier": kinds.is_premier,
            "segment": self._kinds.segment(customer, month),
        }

    @cached_property
    def dim_customer(self) -> list[Row]:
        return [self._customer_now(customer) for customer in self._operator.customers]

    def _customer_now(self, customer: str) -> Row:
        closing = self._operator.closing_month
        latest = self._operator.customers.latest(customer)
        now = self._operator.customers.as_of(customer, closing)
        kinds = self._kinds.kinds(customer, closing)
        first = self._activity.first_active_month(customer)
        words = latest["customer_name"].split()
        return {
            "customer_id": customer,
            "customer_name_masked": " ".join(f"{word[0]}***" for word in words),
            "legal_form": latest["legal_form"],
            "industry": latest["industry"],
            "region_code": self._operator.local_network(customer, closing),
            "group_id": self._customers.group(customer),
            "designation": now["designation"],
            "strategic_flag": now["strategic_flag"],
            "manager_id": self._operator.manager(customer, closing),
            "registered_on": latest["registered_on"],
            "first_active_month": None if first is None else first_day(first),
            "relationship": self._customers.relationship(customer, closing),
            "segment": self._kinds.segment(customer, closing),
            "key_kinds": ",".join(kinds.names) or None,
            "is_premier": kinds.is_premier,
            "tier_code": self._tiers.decision(customer, closing).tier,
            "stars": self._stars.held(customer, closing),
        }

    @cached_property
    def dim_region(self) -> list[Row]:
        """Regions, with the names of those that the operator names."""
        names = {
            row["region_code"]: {"region_name": row["region_name"]}
            for row in self._operator.table("regions")
        }
        rows = []
        for region in self._operator.regions.values():
            above = {
                self._operator.regions[code].level: code
                for code in self._operator.regions_above(region.code)
            }
            rows.append(
                {
                    "region_code": region.code,
                    "region_level": region.level,
                    "local_code": above.get("local"),
                    "province_code": above.get("province"),
                    "group_code": above.get("group"),
                    "region_class": region.region_class,
                    **names.get(region.code, {}),
                }
            )
        return rows

    @cached_property
    def dim_manager(self) -> list[Row]:
        managers = self._operator.managers
        return [
            {
                "manager_id": manager,
                **{name: latest[name] for name in ("region_code", "team", "grade")},
            }
            for manager in managers
            if (latest := managers.as_of(manager, self._operator.closing_month))
        ]

    @cached_property
    def dim_month(self) -> list[Row]:
        """The months of the run; the sample has no later bill."""
        return [
            {
                "month": first_day(month),
                "year": month // 12,
                "quarter": month % 12 // 3 + 1,
                "is_closed": True,
                "closed_at": end_of(month),
            }
            for month in self._operator.months
        ]

    @cached_property
    def dim_product(self) -> list[Row]:
        """Products, with the names of those that the operator names."""
        names = {
            row["product_code"]: {"product_name": row["product_name"]}
            for row in self._operator.table("products")
        }
        return [
            {"product_code": code, "product_family": family, **names.get(code, {})}
            for code, family in self._operator.product_families.items()
        ]


def _measured(rows: dict[tuple[str, int], Row], measure: str) -> dict[tuple[str, int], Decimal]:
    return {place: row[measure] for place, row in rows.items() if row[measure] is not None}
