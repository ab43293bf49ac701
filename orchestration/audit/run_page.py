"""The page of a run: what came in, what was checked, what it cost, what went out.

It is written from what the run's manifest is about to say, and listed there by its hash, so
it cannot show that manifest's own hash: it leads to the manifest, and the list of runs and
`tierwise audit show` tell the hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from expectations.context import data_docs_folder
from expectations.docs.pages import run_address
from expectations.docs.style import document, link, verdict
from orchestration.audit.told import (
    DATA_DOCS,
    checked_count,
    counting_inputs,
    failed_counts,
    gravest_failures,
    month_of,
    moves_between_tiers,
    refused_inputs,
    suite_pages,
    told_money,
    told_total,
)
from orchestration.home import Home
from orchestration.publish.publication import MANIFEST

_ROOT = "../"
_FILES_SHOWN = 200
_OUTCOMES = {
    "published": ("passed", "Published"),
    "blocked": ("critical", "Blocked: nothing was published"),
    "failed": ("critical", "Failed: nothing was published"),
}
Row = Sequence[str]


def run_page_path(home: Home, run_id: str) -> Path:
    """Where the page of a run lies; it is written when the run ends."""
    return data_docs_folder(home.root) / run_address(run_id)


def write_run_page(home: Home, manifest: Mapping[str, Any]) -> Path:
    """Write the page of a run; `manifest` lists the pages of its suites as evidence."""
    path = run_page_path(home, manifest["run"]["run_id"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(run_page(manifest), encoding="utf-8")
    return path


def run_page(manifest: Mapping[str, Any]) -> str:
    """The page as HTML."""
    run = manifest["run"]
    return document(
        f"Run {run['run_id']}",
        "\n".join(
            [
                f"<p>{link(f'{_ROOT}index.html', 'All runs')}</p>",
                f"<h1>Run {escape(run['run_id'])}</h1>",
                f"<p>{_when(manifest)}</p>",
                _outcome(manifest),
                _figures(manifest),
                *_failures(manifest),
                *_acceptances(manifest),
                *_inputs(manifest),
                *_reconciliations(manifest),
                *_tiers(manifest),
                *_publication(manifest),
                *_suites(manifest),
                *_evidence(manifest),
            ]
        ),
    )


def _when(manifest: Mapping[str, Any]) -> str:
    run = manifest["run"]
    months = (
        f"Months {month_of(manifest, 'first_month')} to {month_of(manifest)}, "
        if run["closing_month"]
        else ""
    )
    return escape(
        f"{months}{run['started_at'][:19].replace('T', ' ')} to "
        f"{run['finished_at'][11:19]} UTC, amounts in "
        f"{manifest['configuration']['reporting_currency']} where no other currency is named."
    )


def _outcome(manifest: Mapping[str, Any]) -> str:
    colour, title = _OUTCOMES[manifest["run"]["status"]]
    counts = failed_counts(manifest)
    blocking = [
        failure["expectation_id"]
        for failure in gravest_failures(manifest)
        if failure["severity"] == "critical" and not failure["accepted_by"]
    ]
    refused = refused_inputs(manifest)
    if blocking:
        told = f"Critical checks failed that nobody answers for: {', '.join(blocking)}."
    elif manifest["run"]["status"] == "published":
        accepted = sum(bool(failure["accepted_by"]) for failure in manifest["failures"])
        told = f"Critical failures that a person answers for: {accepted}." if accepted else ""
        told = told or ("Read the warnings below." if counts["warning"] else "Nothing is amiss.")
        colour = "warning" if accepted or counts["warning"] else colour
    elif refused:
        told = f"Refused: {', '.join(_file(entry) for entry in refused[:5])}."
    else:
        told = "The run ended before its data was accepted; its messages say why."
    return f'<div class="verdict {colour}"><strong>{title}</strong>{escape(told)}</div>'


def _figures(manifest: Mapping[str, Any]) -> str:
    inputs = counting_inputs(manifest)
    counts = failed_counts(manifest)
    controls = manifest["reconciliation"]
    passed = sum(bool(control["passed"]) for control in controls)
    moved = sum(move["customers"] for move in moves_between_tiers(manifest))
    outputs = manifest["outputs"]
    shown = {
        "Rows that came in": (
            f"{sum(feed.rows_in_file for feed in inputs):,}",
            f"{sum(feed.rows_quarantined for feed in inputs):,} quarantined",
        ),
        "Checks": (
            f"{checked_count(manifest):,}",
            ", ".join(f"{count} {name}" for name, count in counts.items() if count)
            or ("none failed" if checked_count(manifest) else "none made"),
        ),
        "Reconciliations": (
            f"{passed} of {len(controls)}" if controls else "none",
            "agree" if controls else "the marts were not reached",
        ),
        "Moved between tiers": (
            f"{moved:,}" if outputs else "none",
            "customers" if outputs else "nothing was published",
        ),
        "Published": (
            f"{len(outputs)} tables" if outputs else "nothing",
            f"{sum(output['rows'] for output in outputs):,} rows" if outputs else "",
        ),
    }
    return (
        '<dl class="figures">'
        + "".join(
            f"<div><dt>{name}</dt><dd>{escape(figure)}<small>{escape(more)}</small></dd></div>"
            for name, (figure, more) in shown.items()
        )
        + "</dl>"
    )


def _failures(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>What failed, the gravest first</h2>"
    failures = gravest_failures(manifest)
    if not failures:
        yield f"<p>{verdict(checked_count(manifest), {})}</p>"
        return
    pages = suite_pages(manifest)
    yield _table(
        ("Severity", "Check", "#Customers", "#Revenue they bring", "Observed"),
        (
            (
                f'<span class="mark {escape(failure["severity"])}">'
                f"{escape(failure['severity'])}</span>",
                f'<div class="told">{escape(failure["expectation"])}</div><small>'
                f"{_suite_link(pages, failure['suite'], failure['expectation_id'])} · "
                f"Rule: {escape(failure['rule'])} · Owner: {escape(failure['owner'])}</small>",
                _number(failure["affected_customers"]) + _small(failure["affected_tiers"]),
                told_money(failure["affected_revenue"]),
                escape(failure["observed"] or "") + _small(_accepted(failure)),
            )
            for failure in failures
        ),
    )


def _accepted(failure: Mapping[str, Any]) -> str | None:
    if not failure["accepted_by"]:
        return None
    return f"Accepted by {failure['accepted_by']}: {failure['accepted_reason']}"


def _acceptances(manifest: Mapping[str, Any]) -> Iterator[str]:
    if not manifest["acceptances"]:
        return
    yield "<h2>Who answers for what</h2>"
    yield _table(
        ("Check", "By", "Reason", ""),
        (
            (
                escape(answer["check"]),
                escape(answer["by"]),
                escape(answer["reason"]),
                "" if answer["is_used"] else "the check did not fail: nothing was accepted",
            )
            for answer in manifest["acceptances"]
        ),
    )


def _inputs(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>What came in</h2>"
    for entry in refused_inputs(manifest):
        yield (
            f'<p><span class="critical">Refused</span> {escape(_file(entry))}: '
            f"{escape(entry['reason'] or '')}</p>"
        )
    inputs = counting_inputs(manifest)
    if not inputs:
        yield "<p>No file counts.</p>"
        return
    yield _table(
        ("Feed", "#Files", "#Of them new", "#Rows in", "#Loaded", "#Quarantined", "#Repeated"),
        ((escape(feed.feed), *map(_number, feed.numbers)) for feed in inputs),
    )
    new = [
        entry
        for entry in manifest["inputs"]
        if entry["loaded_by"] == manifest["run"]["run_id"] and entry["status"] == "loaded"
    ]
    if new:
        more = len(new) - _FILES_SHOWN
        yield f"<details><summary>{len(new):,} new files and their SHA-256</summary>"
        yield _table(
            ("File", "#Rows", "SHA-256"),
            (
                (escape(_file(entry)), _number(entry["rows_in_file"]), _hash(entry["file_sha256"]))
                for entry in new[:_FILES_SHOWN]
            ),
        )
        yield (f"<p>{more:,} more stand in the manifest.</p>" if more > 0 else "") + "</details>"


def _reconciliations(manifest: Mapping[str, Any]) -> Iterator[str]:
    controls = manifest["reconciliation"]
    if not controls:
        return
    yield "<h2>Reconciliations</h2>"
    yield _table(
        ("Control", "#Source", "#Warehouse", "#Difference", ""),
        (
            (
                escape(control["control"]),
                *(
                    told_total(control["control"], control[name])
                    for name in ("source_total", "warehouse_total", "difference")
                ),
                '<span class="mark passed">agrees</span>'
                if control["passed"]
                else '<span class="mark critical">differs</span>',
            )
            for control in sorted(controls, key=lambda each: (each["passed"], each["control"]))
        ),
    )


def _tiers(manifest: Mapping[str, Any]) -> Iterator[str]:
    if not manifest["outputs"]:
        return
    yield f"<h2>Moved between tiers in {month_of(manifest)}</h2>"
    moves = moves_between_tiers(manifest)
    if not moves:
        yield "<p>Nobody.</p>"
        return
    yield _table(
        ("Tier before", "Tier now", "#Customers", "#Revenue"),
        (
            (
                escape(move["tier_from"]),
                escape(move["tier_to"]),
                _number(move["customers"]),
                told_money(move["revenue"]),
            )
            for move in moves
        ),
    )


def _publication(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Publication</h2>"
    outputs = manifest["outputs"]
    if not outputs:
        yield "<p>None: the last publication is untouched.</p>"
        return
    place = f"published/{manifest['run']['run_id']}"
    yield f"<p>{escape(place)}, {len(manifest['files']):,} files.</p>"
    yield "<details><summary>Tables and the hash of their rows</summary>"
    yield _table(
        ("Table", "#Rows", "Content hash"),
        (
            (escape(output["table"]), _number(output["rows"]), _hash(output["content_hash"]))
            for output in outputs
        ),
    )
    yield "</details>"


def _suites(manifest: Mapping[str, Any]) -> Iterator[str]:
    if not manifest["validation"]:
        return
    pages = suite_pages(manifest)
    yield "<h2>Every check</h2>"
    yield f"<details><summary>{len(manifest['validation'])} suites</summary>"
    yield _table(
        ("Suite", "#Checks", "Result"),
        (
            (
                _suite_link(pages, line["suite"], line["suite"]),
                _number(line["checked"]),
                verdict(line["checked"], line["failed"]),
            )
            for line in manifest["validation"]
        ),
    )
    yield "</details>"


def _evidence(manifest: Mapping[str, Any]) -> Iterator[str]:
    run, configuration = manifest["run"], manifest["configuration"]
    before = manifest["previous_run_id"]
    told = {
        "Manifest": link(f"{_ROOT}../evidence/{run['run_id']}/{MANIFEST}", MANIFEST)
        + " lists this page by its SHA-256; its own stands in the record of the run and in"
        " the manifest of the next.",
        "Run before": f"{escape(before)}, manifest {_hash(manifest['previous_manifest_sha256'])}"
        if before
        else "none",
        "Rule tables": _hash(configuration["policy_sha256"]),
        "Settings": f"policy {escape(configuration['tier_policy'])}, "
        f"{escape(configuration['timezone'])}, {_hash(configuration['config_sha256'])}",
        "Code": escape(manifest["code"]["version"]),
    }
    yield "<h2>Evidence</h2>"
    yield _table(("What", "Where, and its SHA-256"), ((k, text) for k, text in told.items()))
    yield "<p>Has anything been changed since? tierwise audit verify</p>"


def _table(titles: Sequence[str], rows: Iterable[Row]) -> str:
    """A table of ready HTML; `#` before a title marks a column of numbers."""
    kinds = [' class="number"' if title.startswith("#") else "" for title in titles]
    head = "".join(
        f"<th{kind}>{title.removeprefix('#')}</th>"
        for title, kind in zip(titles, kinds, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>'


def _suite_link(pages: Mapping[str, str], suite: str, text: str) -> str:
    if suite not in pages:
        return escape(text)
    return link(f"{_ROOT}{pages[suite].removeprefix(f'{DATA_DOCS}/')}", text)


def _small(text: str | None) -> str:
    return f"<small>{escape(text)}</small>" if text else ""


def _file(entry: Mapping[str, Any]) -> str:
    return f"{entry['feed']}/{entry['file_name']}"


def _hash(value: str | None) -> str:
    return f'<span class="hash">{escape(value)}</span>' if value else "none"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
