"""A receipt as a manager reads it in a terminal."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from orchestration.explain.receipt import Receipt, Row
from orchestration.ingest.months import shown

NOT_MEASURED = "not measured"
REASONS = {
    "rule": "the rule gives it for this month",
    "override": "an override of the operator, above the rule",
    "inactive": "the customer has no active service, so no tier",
}
VALUE_NAMES = {
    "margin": "margin of the month",
    "current_value": "current value, 12 months",
    "potential_value": "potential value",
    "headroom_value": "headroom",
    "social_score": "social score, 0-100",
    "value_score": "value score, 0-100",
}
POINTS = frozenset({"social_score", "value_score"})
DIMENSIONS = ("consumption", "credit", "satisfaction", "loyalty")


def print_receipt(console: Console, receipt: Receipt) -> None:
    """Show every section; what was not measured is said to be so."""
    _print_customer(console, receipt)
    _print_tier(console, receipt)
    _print_value(console, receipt)
    _print_stars(console, receipt.stars)
    _print_risk(console, receipt.risk)
    _print_complaints(console, receipt)
    _print_bills(console, receipt)


def _print_customer(console: Console, receipt: Receipt) -> None:
    customer = receipt.customer
    console.print(
        f"[bold]{customer['customer_id']}[/] {customer['customer_name_masked']}, "
        f"{customer['legal_form']}, {customer['region_code']}, {customer['relationship']}, "
        f"segment {customer['segment']}"
        + (f", with us {customer['tenure_months']} months" if customer["tenure_months"] else ""),
        highlight=False,
    )
    console.print(
        f"[dim]{shown(receipt.month)}, amounts in {receipt.reporting_currency}, "
        f"publication {receipt.publication}[/]",
        highlight=False,
    )


def _print_tier(console: Console, receipt: Receipt) -> None:
    tier = receipt.tier
    since = f", held since {shown(tier['held_since'])}" if tier["held_since"] else ""
    lines = {
        "tier": f"[bold]{tier['tier_code']}[/] (service class {tier['service_class']}){since}",
        "why": _reason(tier),
        "rule": f"{tier['policy_id']}, version {tier['policy_version']}: {tier['rule_tier']}",
        "measure": f"{tier['metric']} {_amount(tier['metric_value'], _unit(tier))}",
        "bound met": _plain_number(tier["bound_met"], "none"),
        "next bound": _plain_number(tier["next_bound"], "none, this is the top"),
        "gap to next": _amount(tier["gap_to_next"], _unit(tier), "none"),
    }
    if tier["tier_code"] == "none":
        lines = {name: lines[name] for name in ("tier", "why")}
    _print_lines(console, "Tier", lines)


def _reason(tier: Row) -> str:
    if tier["tier_reason"] == "grace":
        lent = f" by the rule of {shown(tier['kept_from'])}" if tier["kept_from"] else ""
        return f"grace: kept{lent}; this month's rule says {tier['rule_tier']}"
    return REASONS[tier["tier_reason"]]


def _unit(tier: Row) -> str:
    return tier["metric_currency"] or "points"


def _print_value(console: Console, receipt: Receipt) -> None:
    lines = {
        name: _amount(receipt.value[column], "" if column in POINTS else receipt.reporting_currency)
        for column, name in VALUE_NAMES.items()
    }
    if receipt.value["value_coverage"]:
        lines["coverage"] = str(receipt.value["value_coverage"])
    _print_lines(console, "Value", lines)


def _print_stars(console: Console, stars: Row) -> None:
    valid = f", valid to {stars['star_valid_to']}" if stars["star_valid_to"] else ""
    points = _plain_number(stars["star_points"], NOT_MEASURED)
    count = stars["stars"]
    lines = {"stars": NOT_MEASURED if count is None else f"{count}, {points} points{valid}"}
    for dimension in DIMENSIONS if count is not None else ():
        label = f", {stars[f'{dimension}_label']}" if stars[f"{dimension}_label"] else ""
        lines[dimension] = _plain_number(stars[f"{dimension}_points"], NOT_MEASURED) + label
    _print_lines(console, "Stars", lines)


def _print_risk(console: Console, risk: Row) -> None:
    probability = risk["churn_probability"]
    if probability is None:
        _print_lines(console, "Risk of leaving", {"within 3 months": NOT_MEASURED})
        return
    reasons = [str(risk[f"reason_{place}"]) for place in (1, 2, 3) if risk[f"reason_{place}"]]
    _print_lines(
        console,
        "Risk of leaving",
        {
            "within 3 months": f"{float(probability):.1%}, {risk['risk_band']}",
            "because": "; ".join(reasons) or "nothing stands out",
        },
    )


def _print_complaints(console: Console, receipt: Receipt) -> None:
    window = f"{receipt.complaint_months} months"
    if not receipt.complaints:
        _print_lines(console, "Complaints", {window: "none on record"})
        return
    table = _table(f"Complaints, {window}")
    table.add_column("opened", no_wrap=True)
    for name in ("what", "severity", "status", "answered", "resolved"):
        table.add_column(name, overflow="fold")
    for row in receipt.complaints:
        repeat = ", repeated" if row["is_repeat"] else ""
        table.add_row(
            f"{row['opened_at']:%Y-%m-%d}",
            f"{row['kind']}, {row['category']}{repeat}",
            row["severity"],
            row["status"],
            _clock(row, "respond"),
            _clock(row, "resolve"),
        )
    console.print(table)


def _clock(row: Row, clock: str) -> str:
    """Hours taken of hours allowed; nothing for kinds that have no clock."""
    taken, allowed = row[f"{clock}_hours"], row[f"{clock}_limit_hours"]
    if taken is None:
        return ""
    limit = "" if allowed is None else f" of {allowed.normalize():f} h"
    late = " [red]late[/]" if row[f"{clock}_breached"] else ""
    return f"{taken:,.1f}{limit}{late}"


def _print_bills(console: Console, receipt: Receipt) -> None:
    bills = receipt.bills
    window = f"{shown(bills['first_month'])} to {shown(bills['last_month'])}"
    invoices = _table(f"Bills, {window}")
    invoices.add_column("month", no_wrap=True)
    invoices.add_column("invoice", overflow="fold")
    invoices.add_column("due", no_wrap=True)
    for name in ("total", "open", "days late"):
        invoices.add_column(name, justify="right", no_wrap=True)
    invoices.add_column("", no_wrap=True)
    for row in bills["invoices"]:
        invoices.add_row(
            shown(row["billing_month"]),
            row["invoice_id"] + ("" if row["category"] == "normal" else f", {row['category']}"),
            str(row["due_on"]),
            _amount(row["total_amount"], ""),
            _amount(row["outstanding_amount"], ""),
            _plain_number(row["days_past_due"], ""),
            row["currency"],
        )
    console.print(invoices)
    console.print(_product_table(receipt))
    if receipt.tier["metric"] == "avg_revenue" and bills["months_counted"]:
        console.print(
            f"{_amount(bills['revenue'], receipt.reporting_currency)} over "
            f"{bills['months_counted']} months: the measure of the tier.",
            highlight=False,
        )


def _product_table(receipt: Receipt) -> Table:
    """One row per product, one column per month of the window."""
    bills = receipt.bills
    months: list[date] = sorted({row["month"] for row in bills["products"]})
    table = _table(f"Revenue by product, {receipt.reporting_currency}")
    table.add_column("product", overflow="fold")
    for month in months:
        table.add_column(shown(month), justify="right", no_wrap=True)
    by_product: dict[str, dict[date, Decimal]] = {}
    for row in bills["products"]:
        name = str(row["product_name"] or row["product_code"])
        amounts = by_product.setdefault(name, {})
        amounts[row["month"]] = amounts.get(row["month"], Decimal(0)) + row["revenue"]
    for name, amounts in by_product.items():
        table.add_row(name, *(_amount(amounts.get(month), "", "") for month in months))
    return table


def _print_lines(console: Console, title: str, lines: dict[str, str]) -> None:
    console.print(f"\n[bold]{title}[/]", highlight=False)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column()
    for name, text in lines.items():
        grid.add_row(f"  {name}", text)
    console.print(grid, highlight=False)


def _table(title: str) -> Table:
    return Table(title=f"\n{title}", title_justify="left", title_style="bold", box=SIMPLE_HEAD)


def _amount(value: Any, unit: str, missing: str = NOT_MEASURED) -> str:
    if value is None:
        return missing
    return f"{value:,.2f} {unit}".rstrip()


def _plain_number(value: Any, missing: str) -> str:
    """A number as short as it can be written: bounds are money, points, ranks or shares."""
    if value is None:
        return missing
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"
