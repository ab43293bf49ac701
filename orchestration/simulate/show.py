"""A simulation as a policy owner reads it in a terminal."""

from __future__ import annotations

from decimal import Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from orchestration.ingest.months import shown
from orchestration.simulate.candidate import IN_FORCE, SIMULATED, Policy
from orchestration.simulate.command import Request, Simulation
from orchestration.simulate.outcome import MonthMoves, TierTotal

SIDES = {IN_FORCE: "in force", SIMULATED: "simulated"}


def print_simulation(console: Console, simulation: Simulation, request: Request) -> None:
    """Show both policies in the last month, the moves by month, and what was left out."""
    outcome, currency = simulation.outcome, simulation.publication.reporting_currency
    console.print(
        f"[bold]{simulation.simulated.policy_id}[/] ({simulation.simulated.name}) against "
        f"[bold]{simulation.in_force.policy_id}[/] ({simulation.in_force.name}), in force; "
        f"publication {simulation.publication.folder.name}, amounts in {currency}.",
        highlight=False,
    )
    last = outcome.months[-1].month
    console.print(_tier_table(simulation, [row for row in outcome.tiers if row.month == last]))
    console.print(_move_table(outcome.months))
    if outcome.months[-1].extra_cost is None:
        console.print(
            "Extra service cost is not measured: service_levels.csv has no column monthly_cost.",
            highlight=False,
        )
    if outcome.left_out:
        months = ", ".join(shown(month) for month in outcome.left_out)
        console.print(
            f"[yellow]Left out for want of a rate of {simulation.simulated.currency}:[/] {months}",
            highlight=False,
        )
    console.print(
        "Both are replayed by their rules and grace, without overrides. "
        "Up and down go by service class. Nothing published was changed.",
        highlight=False,
    )
    if request.out is not None:
        console.print(
            f"{simulation.movers:,} moves are listed in {request.out}",
            highlight=False,
            soft_wrap=True,
        )


def _tier_table(simulation: Simulation, rows: list[TierTotal]) -> Table:
    table = _table(f"Tiers in {shown(rows[0].month)}")
    table.add_column("policy")
    table.add_column("tier")
    for name in ("customers", "revenue", "share", "lowest metric"):
        table.add_column(name, justify="right", no_wrap=True)
    policies: dict[str, Policy] = {
        IN_FORCE: simulation.in_force,
        SIMULATED: simulation.simulated,
    }
    for row in rows:
        lowest = "" if row.bound_metric_min is None else f"{row.bound_metric_min:,.2f}"
        unit = "" if _is_score(policies[row.side]) else f" {policies[row.side].currency}"
        table.add_row(
            SIDES[row.side],
            row.tier_code,
            f"{row.customers:,}",
            _money(row.revenue),
            "" if row.revenue_share is None else f"{row.revenue_share:.1%}",
            f"{lowest}{unit if lowest else ''}",
        )
    return table


def _is_score(policy: Policy) -> bool:
    return policy.versions[-1]["metric"] == "value_score"


def _move_table(months: tuple[MonthMoves, ...]) -> Table:
    table = _table("Who moves")
    table.add_column("month")
    for name in ("ranked", "up", "down", "revenue up", "revenue down", "extra cost"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in months:
        table.add_row(
            shown(row.month),
            f"{row.customers:,}",
            f"{row.up:,}",
            f"{row.down:,}",
            _money(row.revenue_up),
            _money(row.revenue_down),
            "unmeasured" if row.extra_cost is None else _money(row.extra_cost),
        )
    return table


def _table(title: str) -> Table:
    return Table(title=f"\n{title}", title_justify="left", title_style="bold", box=SIMPLE_HEAD)


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
