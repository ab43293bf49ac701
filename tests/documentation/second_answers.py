"""Second answers to the example questions: pandas on the published Parquet files.

Where a question reads a table of sums, its second answer adds up the rows below it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

Rows = list[tuple[Any, ...]]
TREND = 12


class Published:
    """The Parquet files of a publication as frames."""

    def __init__(self, publication: Path) -> None:
        self.folder = publication / "parquet"
        self.read = cache(self._read)

    def _read(self, table: str) -> pd.DataFrame:
        schema, name = table.split(".") if "." in table else ("marts", table)
        return pd.read_parquet(self.folder / schema / name)

    @property
    def closing(self) -> Any:
        months = self.read("dim_month")
        return months[months["is_closed"]]["month"].max()

    def now(self, table: str) -> pd.DataFrame:
        """The rows of the closing month."""
        rows = self.read(table)
        return rows[rows["month"] == self.closing]

    def months(self) -> list[Any]:
        """The closed months, the latest first."""
        months = self.read("dim_month")
        return sorted(months[months["is_closed"]]["month"], reverse=True)

    @property
    def first_manager(self) -> str:
        listed = self.read("retention_worklist")
        return str(listed[listed["manager_id"].notna()].nsmallest(1, "rank")["manager_id"].item())

    @property
    def first_customer(self) -> str:
        listed = self.read("retention_worklist")
        return str(listed[listed["rank"] == 1]["customer_id"].item())


def rows_of(frame: pd.DataFrame, columns: list[str], most: int | None = None) -> Rows:
    return list(frame[columns].head(most or len(frame)).itertuples(index=False, name=None))


def revenue_by_tier(data: Published) -> Rows:
    tiers = data.now("customer_tier_monthly")[["customer_id", "tier_code"]]
    both = data.now("customer_monthly")[["customer_id", "revenue"]].merge(tiers)
    groups = both.groupby("tier_code").agg(
        customers=("customer_id", "size"), revenue=("revenue", "sum")
    )
    total = float(both["revenue"].sum())
    before = data.read("customer_tier_monthly")
    before = before[before["month"] == data.months()[1]]
    gone = (~before["customer_id"].isin(tiers["customer_id"])).sum()
    groups.loc["none", "customers"] += gone
    groups = groups.reset_index().sort_values("revenue", ascending=False)
    groups["share"] = groups["revenue"].astype(float) / total
    return rows_of(groups, ["tier_code", "customers", "revenue", "share"])


def revenue_concentration(data: Published) -> Rows:
    rows: Rows = []
    for month in data.months()[:6]:
        months = data.read("customer_monthly")
        revenue = months[(months["month"] == month) & (months["revenue"] > 0)]["revenue"]
        greatest = revenue.astype(float).sort_values(ascending=False).to_list()
        total, count = sum(greatest), len(greatest)
        shares = [sum(greatest[: -(-count * percent // 100)]) / total for percent in (1, 5, 20)]
        weighed = sum(place * value for place, value in enumerate(reversed(greatest), start=1))
        gini = 2 * weighed / (count * total) - (count + 1) / count
        running, customers = 0.0, 0
        while running < 0.8 * total:
            running += greatest[customers]
            customers += 1
        rows.append((month, count, *shares, gini, customers))
    return rows


def revenue_bridge(data: Published) -> Rows:
    moves = data.read("fct_revenue_movement")
    sums = ["won_revenue", "kept_revenue", "grown_revenue"]
    by_month = moves.groupby("month")[sums].sum()
    revenue = data.read("customer_monthly").groupby("month")["revenue"].sum()
    return [(month, *by_month.loc[month], revenue.loc[month]) for month in data.months()[:TREND]]


def revenue_by_product_family(data: Published) -> Rows:
    both = data.now("fct_revenue_monthly").merge(data.read("dim_product"), on="product_code")
    sums = both.groupby("product_family")[["revenue", "active_subscriptions"]].sum()
    sums = sums.reset_index().sort_values(["revenue", "product_family"], ascending=[False, True])
    return rows_of(sums, ["product_family", "revenue", "active_subscriptions"])


def arpu(data: Published) -> Rows:
    sums = (
        data.read("customer_monthly")
        .groupby("month")[["revenue", "active_subscriptions", "active_accounts"]]
        .sum()
    )
    rows: Rows = []
    for month in data.months()[:TREND]:
        revenue, subscriptions, accounts = sums.loc[month]
        each, account = revenue / int(subscriptions), revenue / int(accounts)
        rows.append((month, revenue, subscriptions, round(each, 4), accounts, round(account, 4)))
    return rows


def churn_rates(data: Published) -> Rows:
    months = data.read("customer_monthly")
    rows: Rows = []
    for month, before in list(zip(data.months(), data.months()[1:], strict=False))[:TREND]:
        then = months[(months["month"] == before) & (months["active_subscriptions"] > 0)]
        now = months[(months["month"] == month) & (months["active_subscriptions"] > 0)]
        left = ~then["customer_id"].isin(now["customer_id"])
        stake = then["avg_revenue_3m"].astype(float).clip(lower=0)
        share = left.sum() / len(then)
        revenue_share = stake[left].sum() / stake.sum()
        rows.append((month, len(then), left.sum(), share, revenue_share, 1 - share))
    return rows


def tier_moves(data: Published) -> Rows:
    tiers, months = data.read("customer_tier_monthly"), data.months()
    then, now = (
        tiers[tiers["month"] == month].set_index("customer_id")["tier_code"]
        for month in months[1::-1]
    )
    moves = pd.DataFrame({"tier_from": then, "tier_to": now}).fillna("none")
    moves = moves[moves["tier_from"] != moves["tier_to"]]
    revenue = data.now("customer_monthly").set_index("customer_id")["revenue"]
    moves["revenue"] = revenue.reindex(moves.index)
    groups = moves.groupby(["tier_from", "tier_to"], as_index=False).agg(
        customers=("revenue", "size"), revenue=("revenue", "sum")
    )
    groups = groups.sort_values(
        ["customers", "tier_from", "tier_to"], ascending=[False, True, True]
    )
    return rows_of(groups, ["tier_from", "tier_to", "customers", "revenue"])


def other_policies(data: Published) -> Rows:
    compared = data.now("policy_comparison")
    total = float(data.now("customer_monthly")["revenue"].sum())
    first = compared[compared["tier_rank"] == 1].copy()
    first["share"] = first["revenue"].astype(float) / total
    first = first.sort_values(["share", "policy_id"], ascending=[False, True])
    named = ["policy_id", "tier_code", "customers", "share"]
    return rows_of(first, [*named, "bound_metric_min", "metric_currency", "is_in_force"])


def near_the_next_tier(data: Published) -> Rows:
    tiers = data.now("customer_tier_monthly").dropna(subset=["gap_to_next", "next_bound"])
    near = tiers[tiers["gap_to_next"].astype(float) <= 0.1 * tiers["next_bound"].astype(float)]
    groups = near.groupby("rule_tier")["gap_to_next"].agg(["size", "min", "max"]).reset_index()
    groups = groups.sort_values(["size", "rule_tier"], ascending=[False, True])
    return rows_of(groups, ["rule_tier", "size", "min", "max"])


def whom_to_call_first(data: Published) -> Rows:
    listed = data.read("retention_worklist")
    listed = listed[listed["contact_allowed"] & (listed["manager_id"] == data.first_manager)]
    names = data.read("dim_customer").set_index("customer_id")["customer_name_masked"]
    listed = listed.assign(name=listed["customer_id"].map(names)).sort_values("rank")
    told = ["tier_code", "first_reason", "value_at_risk", "recommended_action"]
    return rows_of(listed, ["rank", "customer_id", "name", *told, "recommended_channel"], 10)


def tier_of_a_customer(data: Published) -> Rows:
    tiers = data.read("customer_tier_monthly")
    own = tiers[tiers["customer_id"] == data.first_customer].sort_values("month", ascending=False)
    receipt = ["metric", "metric_value", "bound_met", "next_bound", "gap_to_next"]
    return rows_of(own, ["month", "tier_code", "rule_tier", "tier_reason", *receipt], 6)


def room_to_grow(data: Published) -> Rows:
    worth = data.now("customer_value_monthly").merge(data.read("dim_customer"), on="customer_id")
    worth = worth[worth["headroom_value"].fillna(0) > 0]
    worth = worth.sort_values(["headroom_value", "customer_id"], ascending=[False, True])
    named = ["customer_id", "legal_form", "tier_code"]
    return rows_of(worth, [*named, "current_value", "headroom_value"], 10)


def value_at_risk(data: Published) -> Rows:
    groups = (
        data.read("retention_worklist")
        .groupby("first_reason", as_index=False)
        .agg(
            customers=("rank", "size"),
            allowed=("contact_allowed", "sum"),
            value=("value_at_risk", "sum"),
        )
    )
    groups = groups.sort_values(["value", "first_reason"], ascending=[False, True])
    return rows_of(groups, ["first_reason", "customers", "allowed", "value"])


def renewal_wall(data: Published) -> Rows:
    contracts = data.read("contract_renewal")
    contracts = contracts[~contracts["status"].isin(["renewed", "lapsed"])]
    groups = contracts.groupby("end_month", as_index=False).agg(
        contracts=("contract_id", "size"),
        revenue=("monthly_revenue", "sum"),
        value=("value_at_risk", "sum"),
    )
    return rows_of(groups, ["end_month", "contracts", "revenue", "value"], 12)


def valuable_customers_about_to_leave(data: Published) -> Rows:
    tiers = data.now("customer_tier_monthly")[["customer_id", "tier_code", "service_class"]]
    upper = tiers[tiers["service_class"].isin(["diamond", "platinum", "gold"])]
    listed = data.read("retention_worklist")[["customer_id", "value_at_risk", "reasons"]]
    risks = data.now("customer_risk_monthly").merge(upper).merge(listed)
    risks = risks.sort_values(["churn_probability", "customer_id"], ascending=[False, True])
    named = ["customer_id", "tier_code", "churn_probability", "value_at_risk", "reasons"]
    return rows_of(risks, [*named, "reason_1", "reason_2"], 10)


def trust_in_the_score(data: Published) -> Rows:
    backtest = data.read("churn_backtest")
    unseen = backtest[~backtest["is_in_sample"]]
    groups = unseen.groupby("decile", as_index=False)[["customers", "predicted", "realised"]].sum()
    return rows_of(groups, ["decile", "customers", "predicted", "realised"])


def who_must_not_be_contacted(data: Published) -> Rows:
    listed = data.read("retention_worklist")
    blocked = listed[~listed["contact_allowed"]]
    groups = blocked.groupby(
        ["contact_blocked_by", "recommended_channel"], as_index=False, dropna=False
    ).agg(customers=("rank", "size"), value=("value_at_risk", "sum"))
    order = ["customers", "contact_blocked_by", "recommended_channel"]
    groups = groups.sort_values(order, ascending=[False, True, True])
    return rows_of(groups, ["contact_blocked_by", "recommended_channel", "customers", "value"])


def campaigns(data: Published) -> Rows:
    results = data.read("campaign_result").copy()
    results["cost"] = results["fixed_cost"] + results["contact_cost"]
    gain = results["uplift_margin"].astype(float) - results["cost"].astype(float)
    results["return"] = gain / results["cost"].astype(float)
    results = results.sort_values(["return", "campaign_id"], ascending=[False, True])
    named = ["campaign_id", "campaign_name", "objective", "contacted", "accepted", "cost"]
    return rows_of(results, [*named, "uplift_customers", "uplift_margin", "return"])


def margin(data: Published) -> Rows:
    worth = data.now("customer_value_monthly")
    costs = [
        worth[each].dropna().sum() for each in ("cost_to_serve", "relationship_cost", "bad_debt")
    ]
    revenue = worth["revenue"].sum()
    return [(revenue, *costs, revenue - sum(costs))]


def overdue_by_age(data: Published) -> Rows:
    invoices = data.read("fct_invoice")
    late = invoices[(invoices["days_past_due"] > 0) & (invoices["outstanding_amount"] > 0)]
    late = late[late["payment_mode"] == "postpaid"].copy()
    late["age"] = pd.cut(
        late["days_past_due"].astype(int), [0, 30, 60, 90, 180, 100_000], labels=False
    )
    names = ["1-30", "31-60", "61-90", "91-180", ">180"]
    groups = late.groupby("age").agg(
        invoices=("invoice_id", "size"), outstanding=("outstanding_reporting", "sum")
    )
    return [(names[row.Index], row.invoices, row.outstanding) for row in groups.itertuples()]


def who_owes_most(data: Published) -> Rows:
    months = data.now("customer_monthly")
    late = months[months["overdue_amount"].fillna(0) > 0]
    late = late.sort_values(["overdue_amount", "customer_id"], ascending=[False, True])
    amounts = ["outstanding_amount", "overdue_amount"]
    return rows_of(late, ["customer_id", "segment", "credit_grade", *amounts], 10)


def proposals_to_stop(data: Published) -> Rows:
    offers = data.read("proposal_economics")
    over = offers["discount_rate"].fillna(0) > offers["discount_limit"].fillna(1)
    below = offers["monthly_margin"] < 0
    offers = offers[(offers["status"] == "open") & (over | below)]
    offers = offers.sort_values(["npv", "proposal_id"])
    named = ["proposal_id", "customer_id", "npv", "margin_share", "discount_rate"]
    return rows_of(offers, [*named, "discount_limit", "over_discount_limit", "below_cost"], 10)


def complaints_over_their_hours(data: Published) -> Rows:
    complaints = data.read("fct_complaint")
    late = complaints[complaints["is_open"]].dropna(subset=["resolve_limit_hours"]).copy()
    late["over"] = late["resolve_hours"] - late["resolve_limit_hours"]
    late = late[late["over"] > 0]
    late = late.sort_values(["over", "complaint_id"], ascending=[False, True])
    named = ["complaint_id", "customer_id", "service_class", "severity", "category"]
    return rows_of(late, [*named, "resolve_hours", "resolve_limit_hours", "over"], 10)


def service_by_tier(data: Published) -> Rows:
    complaints = data.read("fct_complaint")
    complaints = complaints[complaints["kind"].isin(["complaint", "fault"])]
    last = complaints[complaints["opened_month"].isin(data.months()[:3])]
    groups = last.groupby("tier_code", as_index=False).agg(
        opened=("kind", "size"),
        known=("resolve_breached", "count"),
        breached=("resolve_breached", "sum"),
    )
    service = data.read("complaint_service_monthly")
    idle = set(service[service["month"].isin(data.months()[:3])]["tier_code"])
    rows = [
        (row.tier_code, row.opened, row.known, row.breached, row.breached / row.known)
        for row in groups.itertuples()
    ]
    rows += [(tier, 0, 0, 0, None) for tier in idle - set(groups["tier_code"])]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def region_comparison(data: Published) -> Rows:
    regions = data.read("dim_region")
    local = regions[regions["region_level"] == "local"]
    now = data.now("customer_monthly")
    complaints = data.read("fct_complaint")
    complaints = complaints[complaints["opened_month"] == data.closing]
    before = data.read("customer_monthly")
    before = before[before["month"] == data.months()[1]]
    served = set(now[now["active_subscriptions"] > 0]["customer_id"])
    rows: Rows = []
    for region in local.itertuples():
        here = now[now["region_code"] == region.region_code]
        subscriptions = int(here["active_subscriptions"].sum())
        then = before[
            (before["region_code"] == region.region_code) & (before["active_subscriptions"] > 0)
        ]
        left = (~then["customer_id"].isin(served)).sum()
        told = complaints[complaints["region_code"] == region.region_code]
        known = told["resolve_breached"].dropna()
        opened = (told["kind"] == "complaint").sum()
        revenue = sum(here["revenue"])
        rows.append(
            (
                None if pd.isna(region.province_code) else region.province_code,
                region.region_name,
                (here["active_subscriptions"] > 0).sum(),
                revenue,
                round(revenue / subscriptions, 4) if subscriptions else None,
                left / len(then) if len(then) else None,
                opened / subscriptions * 1000 if subscriptions else None,
                known.mean() if len(known) else None,
                sum(here["overdue_amount"].dropna()),
            )
        )
    return sorted(rows, key=lambda row: (row[0] is None, row[0], -row[3], row[1]))


def managers(data: Published) -> Rows:
    scores = data.now("manager_scorecard_monthly").merge(
        data.read("dim_manager")[["manager_id", "team"]], on="manager_id"
    )
    months = data.now("customer_monthly")
    revenue = months.groupby("manager_id")["revenue"].sum()
    scores["sum"] = scores["manager_id"].map(revenue)
    scores = scores.sort_values(["score", "manager_id"], ascending=[False, True])
    shares = ["retention_rate", "key_visited_share", "overdue_share", "score"]
    return rows_of(scores, ["manager_id", "team", "customers", "sum", *shares], 10)


def what_was_loaded(data: Published) -> Rows:
    counts = ["rows_in_file", "rows_loaded", "rows_quarantined", "rows_duplicate"]
    loads = data.read("audit.load")
    groups = loads.groupby(["feed", "status"])[counts].sum()
    groups.insert(0, "files", loads.groupby(["feed", "status"]).size())
    return rows_of(groups.reset_index(), ["feed", "status", "files", *counts])


def failed_checks(data: Published) -> Rows:
    checks = data.read("audit.validation")
    failed = checks[
        ~checks["success"] & (checks["run_id"] == data.read("audit.run")["run_id"].max())
    ]
    failed = failed.sort_values(["severity", "layer", "dataset", "expectation"])
    counts = ["unexpected", "affected_customers", "affected_revenue"]
    return rows_of(failed, ["layer", "dataset", "severity", "expectation", *counts])


def totals_tie(data: Published) -> Rows:
    controls = data.read("audit.reconciliation").copy()
    controls = controls[controls["run_id"] == data.read("audit.run")["run_id"].max()]
    controls["gap"] = controls["source_total"] - controls["warehouse_total"]
    controls["ties"] = controls["gap"].abs() <= controls["tolerance"]
    controls = controls.sort_values(["ties", "control"])
    totals = ["control", "source_total", "warehouse_total", "gap", "tolerance", "ties"]
    return rows_of(controls, totals)


def what_was_believed(data: Published) -> Rows:
    beliefs = data.read("snapshots.customer_tier_snapshot")
    own = beliefs[beliefs["customer_id"] == data.first_customer]
    own = own.assign(held=own["dbt_valid_to"].isna())
    own = own.sort_values(["month", "dbt_valid_from"], ascending=False)
    return rows_of(own, ["month", "tier_code", "metric_value", "tier_reason", "held"], 6)


SECOND_ANSWERS: dict[str, Callable[[Published], Rows]] = {
    function.__name__: function
    for function in (
        revenue_by_tier, revenue_concentration, revenue_bridge, revenue_by_product_family, arpu,
        churn_rates, tier_moves, other_policies, near_the_next_tier, whom_to_call_first,
        tier_of_a_customer, room_to_grow, value_at_risk, renewal_wall,
        valuable_customers_about_to_leave, trust_in_the_score, who_must_not_be_contacted, campaigns,
        margin, overdue_by_age, who_owes_most, proposals_to_stop, complaints_over_their_hours,
        service_by_tier, region_comparison, managers, what_was_loaded, failed_checks, totals_tie,
        what_was_believed,
    )
}  # fmt: skip
