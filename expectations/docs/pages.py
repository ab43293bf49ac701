"""The pages of suites and the index of runs, in the validation report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from expectations.docs.style import document, link, verdict


@dataclass(frozen=True)
class CheckLine:
    """One expectation of a suite, as its page shows it.

    `concerned` says whom a failure concerns and with how much revenue, and who accepted it;
    `revenue` is that revenue as a number, to be ordered by.
    """

    name: str
    description: str
    notes: str
    severity: str
    success: bool
    evaluated: int | None
    unexpected: int | None
    observed: str
    concerned: str = ""
    revenue: Decimal = Decimal(0)


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
    """A run in the index, with its suites in the order they were checked.

    `address` is that of the run's own page; None while the run has not ended.
    """

    run: str
    checked_at: str
    suites: Sequence[SuiteLink]
    address: str | None = None


def run_address(run: str) -> str:
    """Where the page of a run lies in the report."""
    return f"runs/{run}.html"


def suite_page(page: SuitePage, root: str) -> str:
    """The page of one suite in one run; failures come first, the gravest on top.

    `root` leads from the page to the folder of the report.
    """
    order = {"critical": 0, "warning": 1, "info": 2}
    failed = [check for check in page.checks if not check.success]
    failed.sort(key=lambda check: (order.get(check.severity, 0), -check.revenue, check.name))
    passed = [check for check in page.checks if check.success]
    counts = {
        severity: sum(1 for check in failed if check.severity == severity) for severity in order
    }
    body = [
        f"<p>{link(f'{root}index.html', 'All runs')} · "
        f"{link(f'{root}{run_address(page.run)}', f'Run {page.run}')}</p>",
        f"<h1>{escape(page.dataset)}</h1>",
        f"<p>Run {escape(page.run)}, {escape(page.checked_at)}."
        f" {verdict(len(page.checks), counts)}</p>",
    ]
    if failed:
        body += ["<h2>Failed</h2>", _check_table(failed)]
    if passed:
        body += ["<h2>Passed</h2>", _check_table(passed)]
    return document(f"{page.dataset} · {page.run}", "\n".join(body))


def index_page(runs: Iterable[RunEntry]) -> str:
    """The list of all runs, the newest first and open."""
    sections = [_run_section(run, is_open=position == 0) for position, run in enumerate(runs)]
    return document(
        "Validation report",
        "<h1>Validation report</h1>"
        "<p>Every run, what was checked and what failed. A critical failure stops the"
        " run before anything is published; warnings are reported.</p>"
        + ("\n".join(sections) or "<p>No run yet.</p>"),
    )


def killed_page(run: RunEntry) -> str:
    """The page of a run that was killed, in the place where its own would lie."""
    return document(
        f"Run {run.run}",
        f"<p>{link('../index.html', 'All runs')}</p>"
        f"<h1>Run {escape(run.run)}</h1>"
        '<div class="verdict critical"><strong>Killed: nothing was published</strong>'
        "The run did not end, so it left no manifest and stands in no ledger of runs. What it"
        " had checked until then is kept below; the next run does its work again.</div>"
        + _suite_table(run, root="../"),
    )


def _run_section(run: RunEntry, *, is_open: bool) -> str:
    counts: dict[str, int] = {}
    for suite in run.suites:
        for severity, failures in suite.failures.items():
            counts[severity] = counts.get(severity, 0) + failures
    checks = sum(suite.checks for suite in run.suites)
    own = f"<p>{link(run.address, 'This run on one page')}</p>" if run.address else ""
    return (
        f"<details{' open' if is_open else ''}><summary><strong>{escape(run.run)}</strong>"
        f"{escape(run.checked_at)} · {verdict(checks, counts)}</summary>"
        f"{own}{_suite_table(run)}</details>"
    )


def _suite_table(run: RunEntry, root: str = "") -> str:
    """The suites of a run with their pages; `root` leads to the folder of the report."""
    lines = "\n".join(
        f"<tr><td>{link(f'{root}{suite.address}', suite.suite)}</td>"
        f'<td class="number">{suite.checks}</td>'
        f"<td>{verdict(suite.checks, suite.failures)}</td></tr>"
        for suite in run.suites
    )
    if not lines:
        return ""
    return (
        '<table><tr><th>Suite</th><th class="number">Checks</th><th>Result</th></tr>'
        f"{lines}</table>"
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
    concerned = f"<small>{escape(check.concerned)}</small>" if check.concerned else ""
    return (
        f'<tr><td class="mark {escape(mark)}">{escape(mark)}</td>'
        f"<td>{escape(check.description)}<small>{escape(check.name)} ·"
        f" {escape(check.severity)} if it fails · {escape(check.notes)}</small></td>"
        f'<td class="number">{_count(check.evaluated)}</td>'
        f'<td class="number">{_count(check.unexpected)}</td>'
        f"<td>{escape(check.observed)}{concerned}</td></tr>"
    )


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"
