"""What `tierwise audit list` and `show` print, read from the manifests alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from orchestration.audit.chain import Link, chain_differences, read_chain, read_log
from orchestration.audit.store import HomeStore
from orchestration.audit.told import (
    checked_count,
    counting_inputs,
    failed_counts,
    gravest_failures,
    month_of,
    moves_between_tiers,
    refused_inputs,
    run_page_of,
    suite_pages,
    told_total,
)
from orchestration.home import Home
from orchestration.publish.publication import current_publication


def print_runs(console: Console, home: Home) -> None:
    """One line per run, the oldest first."""
    store = HomeStore(home.root)
    chain = read_chain(store)
    if not chain:
        console.print(f"{home.root} holds no evidence of any run yet; start with `tierwise run`.")
        return
    differences = list(chain_differences(store, chain))
    broken = {run.run_id for run in chain for d in differences if run.run_id in d.place}
    current = current_publication(home)
    table = Table(
        Column("run", no_wrap=True),
        "status",
        "closing month",
        "failed checks",
        "moved between tiers",
        "publication",
        "chain",
    )
    for link in chain:
        manifest = link.manifest
        table.add_row(
            link.run_id,
            manifest["run"]["status"] if manifest else "?",
            month_of(manifest) if manifest else "",
            _failed(manifest) if manifest else "?",
            _moved(manifest) if manifest else "?",
            _publication(home, link, current),
            "broken" if link.run_id in broken else "ok",
        )
    console.print(table)
    for event in read_log(store):
        console.print(f"Publications: {event.told()}", markup=False)
    for difference in differences:
        console.print(str(difference), markup=False)


def _failed(manifest: dict[str, Any]) -> str:
    accepted = sum(failure["accepted_by"] is not None for failure in manifest["failures"])
    told = [f"{count} {name}" for name, count in failed_counts(manifest).items() if count]
    return ", ".join(told) + (f" ({accepted} accepted)" if accepted else "") or "none"


def _moved(manifest: dict[str, Any]) -> str:
    customers = sum(move["customers"] for move in moves_between_tiers(manifest))
    return f"{customers:,} customers" if manifest["outputs"] else ""


def _publication(home: Home, link: Link, current: str | None) -> str:
    if not link.manifest or link.manifest["run"]["status"] != "published":
        return ""
    if link.run_id == current:
        return "current"
    if (home.published / link.run_id).is_dir():
        return "kept"
    return "let go" if link.let_go else "gone"


def print_run(console: Console, home: Home, link: Link) -> None:
    """Everything about one run that fits on a screen or two."""
    manifest = link.manifest
    assert manifest is not None
    _print_identity(console, home, link, manifest)
    _print_inputs(console, manifest)
    _print_checks(console, home, manifest)
    _print_acceptances(console, manifest)
    _print_reconciliation(console, manifest)
    _print_tiers(console, manifest)
    _print_outputs(console, home, link, manifest)
    page = run_page_of(manifest)
    if page:
        console.print(f"On one page: {home.root / page}", markup=False)


def _print_identity(console: Console, home: Home, link: Link, manifest: dict[str, Any]) -> None:
    run, configuration = manifest["run"], manifest["configuration"]
    lines = {
        "Run": f"{run['run_id']}, {run['status']}",
        "Time": f"{run['started_at'][:19]} to {run['finished_at'][:19]} UTC",
        "Months": f"{month_of(manifest, 'first_month')} to {month_of(manifest)}"
        if run["closing_month"]
        else "not known when the run ended",
        "Settings": f"{configuration['reporting_currency']}, {configuration['timezone']}, "
        f"policy {configuration['tier_policy']}, SHA-256 {configuration['config_sha256']}",
        "Rule tables": f"SHA-256 {configuration['policy_sha256']}",
        "Code": manifest["code"]["version"],
        "dbt": ", ".join(
            f"{step} {invocation}"
            for step, invocation in (manifest["dbt"] or {}).get("invocation_ids", {}).items()
        )
        or "not run",
        "Manifest": f"SHA-256 {link.manifest_sha256}",
        "Before it": f"{manifest['previous_run_id'] or 'no run'}, "
        f"SHA-256 {manifest['previous_manifest_sha256']}",
    }
    for name, text in lines.items():
        console.print(f"{name + ':':<13}{text}", markup=False)


def _print_inputs(console: Console, manifest: dict[str, Any]) -> None:
    """Files that count, by feed; and those this run refused, by name."""
    table = Table(
        "feed",
        "files that count",
        "of them new",
        "rows in",
        "loaded",
        "quarantined",
        "repeated",
        title="Inputs",
    )
    for feed in counting_inputs(manifest):
        table.add_row(feed.feed, *(f"{number:,}" for number in feed.numbers))
    console.print(table)
    for entry in refused_inputs(manifest):
        console.print(
            f"Refused: {entry['feed']}/{entry['file_name']}, {entry['reason']}", markup=False
        )


def _print_checks(console: Console, home: Home, manifest: dict[str, Any]) -> None:
    console.print(f"Checks: {checked_count(manifest)}, failed: {_failed(manifest)}", markup=False)
    pages = suite_pages(manifest)
    for failure in gravest_failures(manifest):
        console.print(
            f"  {failure['severity']:<9}{failure['expectation_id']}: {failure['expectation']}"
            f"{_measured(failure)}",
            markup=False,
        )
        if failure["suite"] in pages:
            console.print(f"           {home.root / pages[failure['suite']]}", markup=False)
    if pages:
        console.print(f"Report: {home.audit / 'data_docs' / 'index.html'}", markup=False)


def _measured(failure: dict[str, Any]) -> str:
    told = [failure["observed"]] if failure["observed"] else []
    if failure["unexpected"] is not None:
        told.append(f"{failure['unexpected']:,} of {failure['evaluated'] or 0:,} rows")
    if failure["affected_customers"] is not None:
        told.append(f"{failure['affected_customers']:,} customers")
    if failure["affected_revenue"] is not None:
        told.append(f"revenue {Decimal(failure['affected_revenue']):,.2f}")
    return f" ({'; '.join(told)})" if told else ""


def _print_acceptances(console: Console, manifest: dict[str, Any]) -> None:
    for answer in manifest["acceptances"]:
        used = "" if answer["is_used"] else " (the check did not fail: nothing was accepted)"
        console.print(
            f"Accepted: {answer['check']} by {answer['by']}: {answer['reason']}{used}",
            markup=False,
        )


def _print_reconciliation(console: Console, manifest: dict[str, Any]) -> None:
    if not manifest["reconciliation"]:
        return
    table = Table("control", "source", "warehouse", "difference", "", title="Reconciliation")
    for control in manifest["reconciliation"]:
        amounts = (control["source_total"], control["warehouse_total"], control["difference"])
        table.add_row(
            control["control"],
            *(told_total(control["control"], amount) for amount in amounts),
            "passed" if control["passed"] else "failed",
        )
    console.print(table)


def _print_tiers(console: Console, manifest: dict[str, Any]) -> None:
    moves = moves_between_tiers(manifest)
    if not manifest["outputs"]:
        return
    if not moves:
        console.print("Nobody moved between tiers in the closing month.")
        return
    table = Table("tier before", "tier now", "customers", "revenue", title="Moved between tiers")
    for move in moves:
        revenue = Decimal(move["revenue"] or 0)
        table.add_row(
            move["tier_from"], move["tier_to"], f"{move['customers']:,}", f"{revenue:,.2f}"
        )
    console.print(table)


def _print_outputs(console: Console, home: Home, link: Link, manifest: dict[str, Any]) -> None:
    outputs = manifest["outputs"]
    if not outputs:
        console.print("Published: nothing")
        return
    console.print(
        f"Published: {len(outputs)} tables, {sum(o['rows'] for o in outputs):,} rows, "
        f"{home.published / link.run_id} "
        f"({_publication(home, link, current_publication(home))})",
        markup=False,
    )
