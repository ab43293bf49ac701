"""The index of the validation report, made from the pages that lie there.

Nothing here needs Great Expectations: a run that ends before anything is checked writes it
too.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from expectations.context import data_docs_folder
from expectations.docs.pages import RunEntry, SuiteLink, index_page, run_address
from expectations.results import SuiteCount, count_suites

_STARTED = "%Y%m%dT%H%M%SZ"
_CHECKED = "%Y%m%dT%H%M%S.%fZ"


def write_index(home: Path) -> None:
    """List every run with its own page and its suites, the newest first."""
    docs = data_docs_folder(home)
    counted = count_suites(home)
    suites: dict[str, dict[str, Path]] = defaultdict(dict)
    # validations/<suite>/<run>/<time>/<name>.html; the last try of a suite is the one that
    # the run's results file holds.
    pages = docs.glob("validations/*/*/*/*.html")
    for page in sorted(pages, key=lambda each: (each.parts[-2], each.parts[-4])):
        suites[page.parts[-3]][page.parts[-4]] = page
    for own in docs.glob("runs/*.html"):
        suites[own.stem]
    entries = [(_moment(run, found), run, found) for run, found in suites.items()]
    entries.sort(key=lambda entry: entry[:2], reverse=True)
    text = index_page(_entry(docs, run, moment, found, counted) for moment, run, found in entries)
    docs.mkdir(parents=True, exist_ok=True)
    unfinished = docs / ".index.unfinished"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(docs / "index.html")


def told_time(moment: datetime) -> str:
    """A moment as the report writes it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _moment(run: str, pages: dict[str, Path]) -> datetime:
    """When a run checked last; when it began, if it checked nothing."""
    if pages:
        told, form = max(page.parts[-2] for page in pages.values()), _CHECKED
    else:
        told, form = run.split("-")[0], _STARTED
    return datetime.strptime(told, form).replace(tzinfo=UTC)


def _entry(
    docs: Path,
    run: str,
    moment: datetime,
    pages: dict[str, Path],
    counted: dict[tuple[str, str], SuiteCount],
) -> RunEntry:
    address = run_address(run)
    return RunEntry(
        run=run,
        checked_at=told_time(moment),
        suites=[
            SuiteLink(
                suite=suite,
                address=page.relative_to(docs).as_posix(),
                checks=counted[run, suite].checks,
                failures=counted[run, suite].failures,
            )
            for suite, page in pages.items()
            if (run, suite) in counted
        ],
        address=address if (docs / address).is_file() else None,
    )
