"""The index of the validation report, made from the pages that lie there.

Nothing here needs Great Expectations: a run that ends before anything is checked writes it
too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from expectations.context import data_docs_folder
from expectations.docs.pages import RunEntry, SuiteLink, index_page, killed_page, run_address
from expectations.results import SuiteCount, count_suites

_STARTED = "%Y%m%dT%H%M%SZ"
_CHECKED = "%Y%m%dT%H%M%S.%fZ"


def write_index(home: Path) -> None:
    """List every run with its own page and its suites, the newest first."""
    docs = data_docs_folder(home)
    counted = count_suites(home)
    suites = _suites_by_run(docs)
    for own in docs.glob("runs/*.html"):
        suites.setdefault(own.stem, {})
    entries = [(_moment(run, found), run, found) for run, found in suites.items()]
    entries.sort(key=lambda entry: entry[:2], reverse=True)
    text = index_page(_entry(docs, run, moment, found, counted) for moment, run, found in entries)
    _write(docs / "index.html", text)


def write_killed_pages(home: Path, recorded: Callable[[str], bool]) -> None:
    """Give every run that checked something and never ended the page its suites lead to."""
    docs = data_docs_folder(home)
    killed = {run: found for run, found in _suites_by_run(docs).items() if not recorded(run)}
    if not killed:
        return
    counted = count_suites(home)
    for run, found in killed.items():
        entry = _entry(docs, run, _moment(run, found), found, counted)
        _write(docs / run_address(run), killed_page(entry))
    write_index(home)


def _suites_by_run(docs: Path) -> dict[str, dict[str, Path]]:
    """The page of each suite by run; of several tries the last, as in the results file."""
    suites: dict[str, dict[str, Path]] = defaultdict(dict)
    # validations/<suite>/<run>/<time>/<name>.html
    pages = docs.glob("validations/*/*/*/*.html")
    for page in sorted(pages, key=lambda each: (each.parts[-2], each.parts[-4])):
        suites[page.parts[-3]][page.parts[-4]] = page
    return suites


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


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
