"""The pages of the validation report: plain HTML that carries its own style.

They load nothing from elsewhere, run no script, and read the same from a web server,
from a folder or out of an evidence pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { --ink: #1d2733; --soft: #5c6b7a; --line: #dde3ea; --ground: #f6f8fa;
  --pass: #1a7f4b; --warn: #9a6700; --stop: #b3261e; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans SC", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 56px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 28px 0 8px; }
p { margin: 0 0 12px; color: var(--soft); } a { color: #0b5cad; }
table { width: 100%; border-collapse: collapse; background: #fff;
  border: 1px solid var(--line); border-radius: 6px; }
th, td { text-align: left; vertical-align: top; padding: 8px 12px;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-size: 12px; color: var(--soft); font-weight: 600; white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.mark { white-space: nowrap; font-weight: 600; }
.passed { color: var(--pass); } .critical { color: var(--stop); }
.warning, .info { color: var(--warn); }
small { display: block; color: var(--soft); }
details { margin: 0 0 14px; } summary { cursor: pointer; padding: 6px 0; }
summary strong { margin-right: 10px; }
"""


@dataclass(frozen=True)
class CheckLine:
    """One expectation of a suite, as its page shows it."""

    name: str
    description: str
    notes: str
    severity: str
    success: bool
    evaluated: int | None
    unexpected: int | None
    observed: str


@dataclass(frozen=True)
class SuitePage:
    """One suite in one run."""

    run: str
    checked_at: str
    dataset: str
    checks: Sequence[CheckLine]


@dataclass(frozen=True)
class SuiteLink:
    """A suite's line in the list of runs; `failures` are counts by severity."""

    suite: str
    address: str
    checks: int
    failures: dict[str, int]


@dataclass(frozen=True)
class RunEntry:
    """A run in the index, with its suites in the order they were checked."""

    run: str
    checked_at: str
    suites: Sequence[SuiteLink]


def suite_page(page: SuitePage, index_address: str) -> str:
    """The page of one suite in one run; failures come first, the gravest on top."""
    order = {"critical": 0, "warning": 1, "info": 2}
    failed = [check for check in page.checks if not check.success]
    failed.sort(key=lambda check: order.get(check.severity, 0))
    passed = [check for check in page.checks if check.success]
    counts = {
        severity: sum(1 for check in failed if check.severity == severity) for severity in order
    }
    body = [
        f'<p><a href="{escape(index_address)}">All runs</a></p>',
        f"<h1>{escape(page.dataset)}</h1>",
        f"<p>Run {escape(page.run)}, {escape(page.checked_at)}."
        f" {_verdict(len(page.checks), counts)}</p>",
    ]
    if failed:
        body += ["<h2>Failed</h2>", _check_table(failed)]
    if passed:
        body += ["<h2>Passed</h2>", _check_table(passed)]
    return _document(f"{page.dataset} · {page.run}", "\n".join(body))


def index_page(runs: Iterable[RunEntry]) -> str:
    """The list of all runs, the newest first and open."""
    sections = [_run_section(run, is_open=position == 0) for position, run in enumerate(runs)]
    return _document(
        "Validation report",
        "<h1>Validation report</h1>"
        "<p>Every run, what was checked and what failed. A critical failure stops the"
        " run before anything is published; warnings are reported.</p>"
        + ("\n".join(sections) or "<p>No run yet.</p>"),
    )


def _run_section(run: RunEntry, *, is_open: bool) -> str:
    counts: dict[str, int] = {}
    for suite in run.suites:
        for severity, failures in suite.failures.items():
            counts[severity] = counts.get(severity, 0) + failures
    checks = sum(suite.checks for suite in run.suites)
    lines = "\n".join(
        f'<tr><td><a href="{escape(suite.address)}">{escape(suite.suite)}</a></td>'
        f'<td class="number">{suite.checks}</td>'
        f"<td>{_verdict(suite.checks, suite.failures)}</td></tr>"
        for suite in run.suites
    )
    return (
        f"<details{' open' if is_open else ''}><summary><strong>{escape(run.run)}</strong>"
        f"{escape(run.checked_at)} · {_verdict(checks, counts)}</summary>"
        '<table><tr><th>Suite</th><th class="number">Checks</th><th>Result</th></tr>'
        f"{lines}</table></details>"
    )


def _check_table(checks: Sequence[CheckLine]) -> str:
    lines = "\n".join(_check_line(check) for check in checks)
    return (
        '<table><tr><th>Result</th><th>Expectation</th><th class="number">Checked</th>'
        '<th class="number">Failing</th><th>Observed</th></tr>'
        f"{lines}</table>"
    )


def _check_line(check: CheckLine) -> str:
    mark = "passed" if check.success else check.severity
    return (
        f'<tr><td class="mark {escape(mark)}">{escape(mark)}</td>'
        f"<td>{escape(check.description)}<small>{escape(check.name)} ·"
        f" {escape(check.severity)} if it fails · {escape(check.notes)}</small></td>"
        f'<td class="number">{_count(check.evaluated)}</td>'
        f'<td class="number">{_count(check.unexpected)}</td>'
        f"<td>{escape(check.observed)}</td></tr>"
    )


def _verdict(checks: int, failures: dict[str, int]) -> str:
    told = [
        f'<span class="{escape(severity)}">{count} {escape(severity)}</span>'
        for severity, count in failures.items()
        if count
    ]
    if not told:
        return f'<span class="passed">all {checks} checks passed</span>'
    return f"{', '.join(told)} of {checks} checks failed"


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>{body}</main></body></html>\n"
    )
