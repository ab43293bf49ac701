"""The figures of the report, read from a publication: aggregates, and the first rows to act on.

Every figure that has regions comes for each of them, on all levels: a level's figure is the
sum over the customers below it. Money is in the reporting currency, shares are 0-1. Null
means not measured. Each query is one figure; what several need is prepared once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

# How much is shown, not what it means: months of a trend, rows of a list, points of a curve.
TREND_MONTHS = 13
RENEWAL_MONTHS = 12
WORKLIST_ROWS = 10
FAILURE_ROWS = 50
CURVE_PERCENTS = (*range(1, 11), 12, 15, *range(20, 101, 5))

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Figure:
    """One figure as a table: names of the columns, and rows of plain values."""

    columns: tuple[str, ...]
    rows: list[tuple[Value, ...]]

    def records(self) -> list[dict[str, Value]]:
        """The rows with their names."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def read_figures(
    database: Path, closing_month: dt.date, run_id: str, complaint_months: int
) -> dict[str, Figure]:
    """All figures of a publication by name; the file is opened read-only.

    Args:
        database: the publication's database.
        closing_month: first day of the month the figures are of.
        run_id: the run that published, whose checks are told.
        complaint_months: how many months of complaints are told, the closing month the last.
    """
    parameters = {
        "closing": closing_month,
        "run_id": run_id,
        "trend_months": TREND_MONTHS - 1,
        "complaint_months": complaint_months - 1,
        "renewal_months": RENEWAL_MONTHS,
        "worklist_rows": WORKLIST_ROWS,
        "failure_rows": FAILURE_ROWS,
        "percents": list(CURVE_PERCENTS),
    }
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for statement in _PREPARED:
            connection.execute(statement, _named(statement, parameters))
        return {
            name: _figure(connection, query, parameters) for name, query in FIGURE_QUERIES.items()
        }


def _figure(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any]
) -> Figure:
    cursor = connection.execute(query, _named(query, parameters))
    columns = tuple(str(column[0]) for column in cursor.description or ())
    return Figure(columns, [tuple(map(_plain, row)) for row in cursor.fetchall()])


def _named(query: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if f"${name}" in query}


def _plain(value: Any) -> Value:
    """A value as JSON has it: money as a number, months as YYYY-MM, moments in UTC."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="seconds") + "Z"
    if isinstance(value, dt.date):
        return f"{value:%Y-%m}"
    assert value is None or isinstance(value, str | int | float)
    return value


_PREPARED = (
    # Every local network under each region that holds it, itself included.
    """
    create temp table region_members as
    select local_code, unnest([local_code, province_code, group_code]) as region_code
    from marts.dim_region where local_code is not null
    """,
    "delete from region_members where region_code is null",
    # The customers of the closing month, once, with what several figures ask.
    """
    create temp table customers_now as
    select
        customers.customer_id,
        customers.region_code as local_code,
        customers.is_ranked,
        customers.revenue,
        tiers.tier_code,
        tiers.tier_rank
    from marts.customer_monthly as customers
    inner join (
        select customer_id, tier_code, tier_rank
        from marts.customer_tier_monthly where month = $closing
    ) as tiers on customers.customer_id = tiers.customer_id
    where customers.month = $closing
    """,
)

FIGURE_QUERIES = {
    # The tree, root first; the group's own code leads.
    "regions": """
        select
            region_code, region_name, region_level,
            case region_level
                when 'group' then null
                when 'province' then group_code
                else coalesce(province_code, group_code)
            end as parent_code
        from marts.dim_region
        order by
            case region_level when 'group' then 1 when 'province' then 2 else 3 end,
            region_code
    """,
    "summary": """
        select
            region_code, month, revenue, customers, key_customers, key_revenue_share, arpu,
            customer_churn_rate, complaints_per_1000, resolve_breach_share, overdue_amount
        from marts.region_summary_monthly
        where month between $closing - to_months($trend_months) and $closing
        order by region_code, month
    """,
    "families": """
        with by_product as (
            select now.local_code, facts.product_code, sum(facts.revenue) as revenue
            from marts.fct_revenue_monthly as facts
            inner join customers_now as now on facts.customer_id = now.customer_id
            where facts.month = $closing
            group by now.local_code, facts.product_code
        )
        select
            members.region_code, products.product_family, sum(by_product.revenue) as revenue
        from by_product
        inner join marts.dim_product as products
            on by_product.product_code = products.product_code
        inner join region_members as members on by_product.local_code = members.local_code
        group by members.region_code, products.product_family
        order by members.region_code, revenue desc, products.product_family
    """,
    "concentration": """
        select
            region_code, customers, top_1_share, top_5_share, top_10_share, top_20_share,
            top_50_share, gini, customers_for_80
        from marts.revenue_concentration_monthly
        where month = $closing and measure = 'revenue'
        order by region_code
    """,
    # Share of revenue of the best paying percents, counted as the mart counts them: ceil(p N).
    "curve": """
        with ranked as (
            select
                members.region_code,
                row_number() over region_by_revenue as place,
                sum(now.revenue) over region_by_revenue as held
            from customers_now as now
            inner join region_members as members on now.local_code = members.local_code
            where now.revenue > 0
            window region_by_revenue as (
                partition by members.region_code order by now.revenue desc
                rows between unbounded preceding and current row
            )
        ),
        totals as (
            select region_code, max(place) as customers, max(held) as total
            from ranked group by region_code
        ),
        points as (
            select
                region_code, total, percent,
                (percent * customers + 99) // 100 as place
            from totals cross join (select unnest($percents::bigint[]) as percent)
        )
        select
            points.region_code, points.percent / 100.0::double as customer_share,
            ranked.held::double / points.total::double as revenue_share
        from points
        inner join ranked
            on points.region_code = ranked.region_code and points.place = ranked.place
        order by points.region_code, points.percent
    """,
    "tiers": """
        with by_network as (
            select
                local_code, tier_code, min(tier_rank) as tier_rank,
                count(*) as customers, sum(revenue) as revenue
            from customers_now group by local_code, tier_code
        )
        select
            members.region_code, tier_code, min(tier_rank) as tier_rank,
            sum(customers)::bigint as customers, sum(revenue) as revenue
        from by_network
        inner join region_members as members on by_network.local_code = members.local_code
        group by members.region_code, tier_code
        order by members.region_code, min(tier_rank) nulls last, tier_code
    """,
    "migration": """
        with ranks as (
            select tier_code, min(tier_rank) as tier_rank
            from marts.customer_tier_history group by tier_code
        )
        select
            moves.tier_from, before.tier_rank as rank_from,
            moves.tier_to, after.tier_rank as rank_to, moves.customers, moves.revenue
        from marts.tier_migration_monthly as moves
        left join ranks as before on moves.tier_from = before.tier_code
        left join ranks as after on moves.tier_to = after.tier_code
        where moves.month = $closing
        order by before.tier_rank nulls last, moves.tier_from, after.tier_rank nulls last,
            moves.tier_to
    """,
    # Moves between two tiers; who comes from or goes to none is counted on his own.
    "moves": """
        with ranks as (
            select tier_code, min(tier_rank) as tier_rank
            from marts.customer_tier_history group by tier_code
        )
        select
            moves.month,
            sum(case when after.tier_rank < before.tier_rank then customers else 0 end)::bigint
                as moved_up,
            sum(case when after.tier_rank > before.tier_rank then customers else 0 end)::bigint
                as moved_down,
            sum(
                case when before.tier_rank is null and after.tier_rank is not null
                    then customers else 0 end
            )::bigint as came_in,
            sum(
                case when before.tier_rank is not null and after.tier_rank is null
                    then customers else 0 end
            )::bigint as dropped_out
        from marts.tier_migration_monthly as moves
        left join ranks as before on moves.tier_from = before.tier_code
        left join ranks as after on moves.tier_to = after.tier_code
        where moves.month between $closing - to_months($trend_months) and $closing
        group by moves.month
        order by moves.month
    """,
    # By the region of the closing month on both sides, so that start + changes = end.
    "bridge": """
        with by_network as (
            select
                now.local_code, facts.movement, count(*) as customers,
                sum(facts.revenue_before) as revenue_before, sum(facts.revenue) as revenue,
                sum(facts.change) as change
            from marts.fct_revenue_movement as facts
            inner join customers_now as now on facts.customer_id = now.customer_id
            where facts.month = $closing
            group by now.local_code, facts.movement
        )
        select
            members.region_code, movement, sum(customers)::bigint as customers,
            sum(revenue_before) as revenue_before, sum(revenue) as revenue,
            sum(change) as change
        from by_network
        inner join region_members as members on by_network.local_code = members.local_code
        group by members.region_code, movement
        order by members.region_code, movement
    """,
    "value_risk": """
        with by_network as (
            select
                now.local_code, now.tier_code, now.tier_rank, risk.risk_band,
                count(*) as customers, sum(now.revenue) as revenue,
                sum(worth.current_value) as current_value
            from customers_now as now
            left join (
                select customer_id, risk_band
                from marts.customer_risk_monthly where month = $closing
            ) as risk on now.customer_id = risk.customer_id
            left join (
                select customer_id, current_value
                from marts.customer_value_monthly where month = $closing
            ) as worth on now.customer_id = worth.customer_id
            where now.is_ranked
            group by now.local_code, now.tier_code, now.tier_rank, risk.risk_band
        )
        select
            members.region_code, tier_code, min(tier_rank) as tier_rank, risk_band,
            sum(customers)::bigint as customers, sum(revenue) as revenue,
            sum(current_value) as current_value
        from by_network
        inner join region_members as members on by_network.local_code = members.local_code
        group by members.region_code, tier_code, risk_band
        order by members.region_code, min(tier_rank) nulls last, tier_code, risk_band
    """,
    "clocks": """
        with ranks as (
            select tier_code, min(tier_rank) as tier_rank
            from marts.customer_tier_history group by tier_code
        )
        select
            members.region_code, service.tier_code, min(ranks.tier_rank) as tier_rank,
            sum(service.opened)::bigint as opened,
            sum(service.respond_outcomes)::bigint as respond_outcomes,
            sum(service.respond_breaches)::bigint as respond_breaches,
            sum(service.resolve_outcomes)::bigint as resolve_outcomes,
            sum(service.resolve_breaches)::bigint as resolve_breaches
        from marts.complaint_service_monthly as service
        inner join region_members as members on service.region_code = members.local_code
        left join ranks on service.tier_code = ranks.tier_code
        where service.month between $closing - to_months($complaint_months) and $closing
        group by members.region_code, service.tier_code
        order by members.region_code, min(ranks.tier_rank) nulls last, service.tier_code
    """,
    "categories": """
        select
            members.region_code, service.category,
            sum(service.opened)::bigint as opened, sum(service.repeats)::bigint as repeats,
            sum(service.resolve_outcomes)::bigint as resolve_outcomes,
            sum(service.resolve_breaches)::bigint as resolve_breaches
        from marts.complaint_service_monthly as service
        inner join region_members as members on service.region_code = members.local_code
        where service.month between $closing - to_months($complaint_months) and $closing
        group by members.region_code, service.category
        order by members.region_code, opened desc, service.category
    """,
    # Contracts that can still be renewed; what ends later than shown has no end month.
    "renewals": """
        with by_network as (
            select
                customers.region_code as local_code,
                case when contracts.end_month <= $closing + to_months($renewal_months)
                    then contracts.end_month end as end_month,
                contracts.status, count(*) as contracts,
                sum(contracts.monthly_revenue) as monthly_revenue,
                sum(contracts.value_at_risk) as value_at_risk
            from marts.contract_renewal as contracts
            inner join marts.dim_customer as customers
                on contracts.customer_id = customers.customer_id
            where contracts.status in ('expiring', 'running', 'ended_pending')
            group by 1, 2, 3
        )
        select
            members.region_code, end_month, status, sum(contracts)::bigint as contracts,
            sum(monthly_revenue) as monthly_revenue, sum(value_at_risk) as value_at_risk
        from by_network
        inner join region_members as members on by_network.local_code = members.local_code
        group by members.region_code, end_month, status
        order by members.region_code, end_month nulls last, status
    """,
    "worklist": """
        with placed as (
            select
                members.region_code,
                row_number() over (partition by members.region_code order by listed.rank) as place,
                listed.*
            from marts.retention_worklist as listed
            inner join region_members as members on listed.region_code = members.local_code
        )
        select
            region_code, place, rank, customer_id, tier_code, reasons, churn_probability,
            value_at_risk, recommended_action, recommended_channel, contact_allowed,
            contact_blocked_by, manager_id
        from placed
        where place <= $worklist_rows
        order by region_code, place
    """,
    "worklist_totals": """
        select
            members.region_code, listed.first_reason, count(*) as customers,
            sum(listed.value_at_risk) as value_at_risk,
            sum(case when listed.contact_allowed then 1 else 0 end)::bigint as contact_allowed
        from marts.retention_worklist as listed
        inner join region_members as members on listed.region_code = members.local_code
        group by members.region_code, listed.first_reason
        order by members.region_code, customers desc, listed.first_reason
    """,
    "risk_model": """
        select model, auc, top_decile_lift, base_rate from marts.churn_model order by model
    """,
    "validation": """
        select
            layer, severity, count(*) as checked,
            sum(case when success then 0 else 1 end)::bigint as failed
        from audit.validation where run_id = $run_id
        group by layer, severity
        order by layer desc, case severity when 'critical' then 1 when 'warning' then 2 else 3 end
    """,
    "failures": """
        select
            severity, dataset, expectation, unexpected, affected_customers, affected_revenue,
            accepted_by is not null as accepted
        from audit.validation where run_id = $run_id and not success
        order by
            case severity when 'critical' then 1 when 'warning' then 2 else 3 end,
            affected_revenue desc nulls last, expectation_id
        limit $failure_rows
    """,
    "reconciliation": """
        select control, source_total, warehouse_total, difference, passed
        from audit.reconciliation where run_id = $run_id order by control
    """,
    "freshness": """
        select
            feed, count(*) as files, sum(rows_loaded)::bigint as rows,
            sum(rows_quarantined)::bigint as quarantined, max(delivered_at) as delivered_at
        from audit.load where status = 'loaded' group by feed order by feed
    """,
}
