"""What a replay found: tiers under both policies, who moves, what it brings and costs."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.ingest.reference.contract import load_contract
from orchestration.ingest.sql import literal
from orchestration.simulate.candidate import IN_FORCE, SIMULATED

SERVICE_LEVELS = "service_levels.csv"
MONTHLY_COST = "monthly_cost"


@dataclass(frozen=True)
class TierTotal:
    """A tier in a month under one policy; `side` is in_force or simulated."""

    month: date
    side: str
    tier_code: str
    customers: int
    revenue: Decimal
    revenue_share: float | None
    bound_metric_min: Decimal | None


@dataclass(frozen=True)
class MonthMoves:
    """Who moves in a month, with the month's revenue of those who do.

    `extra_cost` is None where service levels carry no cost.
    """

    month: date
    customers: int
    up: int
    down: int
    revenue_up: Decimal
    revenue_down: Decimal
    extra_cost: Decimal | None


@dataclass(frozen=True)
class Outcome:
    """A replay, by month; `left_out` are months without an exchange rate."""

    tiers: tuple[TierTotal, ...]
    months: tuple[MonthMoves, ...]
    left_out: tuple[date, ...]


def read_service_costs(reference: Path) -> Mapping[str, Decimal] | None:
    """Cost per customer and month of each service class, in the reporting currency.

    An operator may add the column monthly_cost to service_levels.csv: what the hours of
    a class cost for one customer and month, by severity; a class costs the sum of its
    rows. None without the column.

    Raises:
        ConfigurationError: a cost is no number, or below 0.
    """
    path = reference / SERVICE_LEVELS
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if MONTHLY_COST not in (reader.fieldnames or ()):
            return None
        costs: dict[str, Decimal] = {}
        for number, row in enumerate(reader, start=1):
            name = row["service_class"]
            costs[name] = costs.get(name, Decimal(0)) + _cost(path, number, row[MONTHLY_COST])
    return costs


def _cost(path: Path, number: int, text: str | None) -> Decimal:
    try:
        value = Decimal(text or "0")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise ConfigurationError(
            f"{path}, row {number}, column {MONTHLY_COST}, value {text!r}: not a cost; write a "
            "number of the reporting currency from 0 on, for example 12.50"
        )
    return value


def prepare_moves(
    connection: duckdb.DuckDBPyConnection,
    first: date,
    last: date,
    costs: Mapping[str, Decimal] | None,
) -> None:
    """Put both policies side by side, as the temporary table `moves`.

    One row per ranked customer and month from `first` to `last` that both policies
    judge. A customer moves up when its service class gets better, whatever the tiers
    are called. Where the class stays, tiers that the policy in force knows by the same
    name are compared by its ranks.
    """
    classes = load_contract()["tier_bands"].columns["service_class"].enum
    places = ", ".join(f"({literal(name)}, {place})" for place, name in enumerate(classes))
    priced = ", ".join(
        f"({literal(name)}, {'null' if costs is None else costs.get(name, Decimal(0))})"
        for name in classes
    )
    connection.execute(
        f"""
        create temporary table moves as
        with places (service_class, place) as (values {places}),
        costs as (
            select service_class, cast(monthly_cost as decimal(18, 4)) as monthly_cost
            from (values {priced}) as priced (service_class, monthly_cost)
        ),
        known_ranks as (
            select policy_version, tier_code, min(tier_rank) as tier_rank
            from intermediate.int_tier_bands_resolved
            where policy_id = '{IN_FORCE}'
            group by policy_version, tier_code
        ),
        before as (
            select tiers.*, places.place, costs.monthly_cost
            from intermediate.int_customer_tiers_replayed as tiers
            inner join places using (service_class)
            inner join costs using (service_class)
            where tiers.policy_id = '{IN_FORCE}'
        ),
        after as (
            select tiers.*, places.place, costs.monthly_cost
            from intermediate.int_customer_tiers_replayed as tiers
            inner join places using (service_class)
            inner join costs using (service_class)
            where tiers.policy_id = '{SIMULATED}'
        )
        select
            months.customer_id,
            months.month,
            before.tier_code as tier_in_force,
            after.tier_code as tier_simulated,
            before.service_class as service_class_in_force,
            after.service_class as service_class_simulated,
            case
                when after.place < before.place then 'up'
                when after.place > before.place then 'down'
                when after.tier_code = before.tier_code then 'same'
                when known_ranks.tier_rank < before.tier_rank then 'up'
                when known_ranks.tier_rank > before.tier_rank then 'down'
                else 'same'
            end as movement,
            months.revenue,
            after.monthly_cost - before.monthly_cost as extra_cost
        from publication.marts.customer_monthly as months
        inner join intermediate.int_months_numbered using (month)
        inner join before using (customer_id, month_number)
        inner join after using (customer_id, month_number)
        left join known_ranks
            on
                before.policy_version = known_ranks.policy_version
                and after.tier_code = known_ranks.tier_code
        where months.month between $first and $last
        """,
        {"first": first, "last": last},
    )


def read_outcome(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> Outcome:
    """The figures of a replay; `prepare_moves` comes before."""
    return Outcome(
        tiers=tuple(_tiers(connection, first, last)),
        months=tuple(_months(connection)),
        left_out=tuple(_left_out(connection, first, last)),
    )


def _tiers(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> list[TierTotal]:
    rows = connection.execute(
        """
        with totals as (
            select month, sum(revenue) as revenue
            from publication.marts.customer_monthly
            group by month
        )
        select
            numbered.month,
            tiers.policy_id,
            tiers.tier_code,
            count(*),
            cast(sum(months.revenue) as decimal(18, 4)),
            cast(sum(months.revenue) as double)
                / nullif(cast(any_value(totals.revenue) as double), 0),
            min(tiers.metric_value)
        from intermediate.int_customer_tiers_replayed as tiers
        inner join intermediate.int_months_numbered as numbered using (month_number)
        inner join publication.marts.customer_monthly as months
            on tiers.customer_id = months.customer_id and numbered.month = months.month
        inner join totals on numbered.month = totals.month
        where numbered.month between $first and $last
        group by numbered.month, tiers.policy_id, tiers.tier_code
        order by numbered.month, tiers.policy_id, min(tiers.tier_rank), tiers.tier_code
        """,
        {"first": first, "last": last},
    ).fetchall()
    return [TierTotal(*row) for row in rows]


def _months(connection: duckdb.DuckDBPyConnection) -> list[MonthMoves]:
    rows = connection.execute(
        """
        select
            month,
            count(*),
            count(*) filter (movement = 'up'),
            count(*) filter (movement = 'down'),
            cast(coalesce(sum(revenue) filter (movement = 'up'), 0) as decimal(18, 4)),
            cast(coalesce(sum(revenue) filter (movement = 'down'), 0) as decimal(18, 4)),
            cast(sum(extra_cost) as decimal(18, 4))
        from moves
        group by month
        order by month
        """
    ).fetchall()
    return [MonthMoves(*row) for row in rows]


def _left_out(connection: duckdb.DuckDBPyConnection, first: date, last: date) -> list[date]:
    rows = connection.execute(
        """
        select month from intermediate.int_tier_policies_dated
        where is_left_out and month between $first and $last
        order by month
        """,
        {"first": first, "last": last},
    ).fetchall()
    return [row[0] for row in rows]


def write_movers(connection: duckdb.DuckDBPyConnection, out: Path) -> int:
    """Write who moves as CSV, without personal data; the number of rows.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        row = connection.execute(
            f"""
            copy (
                select
                    month,
                    customer_id,
                    movement,
                    tier_in_force,
                    tier_simulated,
                    service_class_in_force,
                    service_class_simulated,
                    revenue
                from moves
                where movement <> 'same'
                order by month, customer_id
            ) to {literal(out)} (format csv, header)
            """
        ).fetchone()
    except (OSError, duckdb.IOException) as error:
        raise ConfigurationError(
            f"--out {out} cannot be written: {error}. Name a file in a folder you may write to."
        ) from error
    assert row is not None
    return int(row[0])
