"""How Great Expectations' site builder comes to our pages.

As shipped its pages load styles and scripts from the network and list no run without
it. Great Expectations keeps deciding what is rendered and where it is stored; the
classes here, named in the context's configuration, only decide what a page looks like.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from great_expectations.data_context.types.resource_identifiers import (
    ValidationResultIdentifier,
)
from great_expectations.render.renderer.site_builder import SiteBuilder

from expectations.docs.pages import (
    CheckLine,
    RunEntry,
    SuiteLink,
    SuitePage,
    index_page,
    suite_page,
)
from expectations.errors import error_of
from expectations.results import SuiteCount, count_suites


class OfflineSiteBuilder(SiteBuilder):
    """The library's site builder without its static files, which no page here uses."""

    def build(
        self, resource_identifiers: Any = None, build_index: bool = True
    ) -> tuple[str | None, dict[str, Any]]:
        """Write the pages asked for and the index."""
        for section in self.site_section_builders.values():
            section.build(resource_identifiers=resource_identifiers)
        self.site_index_builder.build(build_index=build_index)
        return self.get_resource_url(only_if_exists=False), {}


class ValidationRenderer:
    """Turns a stored validation result into the content of its page."""

    def __init__(self, data_context: Any) -> None:
        self.data_context = data_context

    def render(self, validation: Any) -> SuitePage:
        """The content of one suite's page."""
        run = validation.meta["run_id"]
        rules = [checked.expectation_config for checked in validation.results]
        return SuitePage(
            run=run["run_name"],
            checked_at=_time(datetime.fromisoformat(str(run["run_time"]))),
            dataset=rules[0].kwargs["dataset"],
            checks=[_check_line(checked) for checked in validation.results],
        )


class ValidationView:
    """Writes the page of one suite; four folders lie between it and the index."""

    def __init__(self, **_settings: Any) -> None:
        """The library passes folders of custom styles; the pages carry their own."""

    def render(self, page: SuitePage, **_settings: Any) -> str:
        """The page as HTML."""
        return suite_page(page, index_address="../../../../index.html")


class RunIndexBuilder:
    """Writes the index: every run with its suites, counted from the results files."""

    def __init__(self, data_context: Any, target_store: Any, **_settings: Any) -> None:
        self.home = Path(data_context.root_directory).resolve().parents[2]
        self.target_store = target_store

    def build(self, build_index: bool = True) -> tuple[None, dict[str, Any]]:
        """Write the index anew."""
        if build_index:
            self.target_store.write_index_page(index_page(self._runs()))
        return None, {}

    def _runs(self) -> list[RunEntry]:
        counted = count_suites(self.home)
        # The last try of a run's suite is the one that its results file holds.
        pages: dict[str, dict[str, ValidationResultIdentifier]] = {}
        keys = [
            key
            for key in self.target_store.list_keys()
            if isinstance(key, ValidationResultIdentifier)
        ]
        for key in sorted(keys, key=_checked_when):
            suite = key.expectation_suite_identifier.name
            pages.setdefault(key.run_id.run_name, {})[suite] = key
        return [
            _run_entry(run, found, counted)
            for run, found in sorted(
                pages.items(), key=lambda item: _last_time(item[1]), reverse=True
            )
        ]


def _checked_when(key: ValidationResultIdentifier) -> tuple[datetime, str]:
    return key.run_id.run_time, key.expectation_suite_identifier.name


def _check_line(checked: Any) -> CheckLine:
    rule = checked.expectation_config
    measured = checked.result or {}
    error = error_of(checked)
    return CheckLine(
        name=rule.meta["expectation_id"],
        description=rule.description or "",
        notes=rule.notes or "",
        severity="critical" if error else str(getattr(rule.severity, "value", rule.severity)),
        success=bool(checked.success) and not error,
        evaluated=measured.get("element_count"),
        unexpected=measured.get("unexpected_count"),
        observed=error or measured.get("observed_value") or "",
    )


def _last_time(pages: dict[str, ValidationResultIdentifier]) -> datetime:
    last: datetime = max(key.run_id.run_time for key in pages.values())
    return last


def _parts(key: ValidationResultIdentifier) -> tuple[str, ...]:
    parts: tuple[str, ...] = key.to_tuple()  # type: ignore[no-untyped-call]
    return parts


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _run_entry(
    run: str,
    pages: dict[str, ValidationResultIdentifier],
    counted: dict[tuple[str, str], SuiteCount],
) -> RunEntry:
    links = []
    for suite, key in pages.items():
        count = counted.get((run, suite))
        if count is None:
            continue
        links.append(
            SuiteLink(
                suite=suite,
                address="/".join(("validations", *_parts(key))) + ".html",
                checks=count.checks,
                failures=count.failures,
            )
        )
    return RunEntry(run=run, checked_at=_time(_last_time(pages)), suites=links)
