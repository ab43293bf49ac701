"""How Great Expectations' site builder comes to our pages.

As shipped its pages load styles and scripts from the network and list no run without
it. Great Expectations keeps deciding what is rendered and where it is stored; the
classes here, named in the context's configuration, only decide what a page looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from great_expectations.render.renderer.site_builder import SiteBuilder

from expectations.docs.index import told_time, write_index
from expectations.docs.pages import CheckLine, SuitePage, suite_page
from expectations.errors import error_of
from expectations.results import ExpectationResult, read_failures, told_concern


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
        weighed: dict[str, ExpectationResult] = {}
        if not validation.success:
            weighed = read_failures(_home_of(self.data_context), run["run_name"])
        return SuitePage(
            run=run["run_name"],
            checked_at=told_time(datetime.fromisoformat(str(run["run_time"]))),
            dataset=rules[0].kwargs["dataset"],
            checks=[_check_line(checked, weighed) for checked in validation.results],
        )


class ValidationView:
    """Writes the page of one suite; four folders lie between it and the index."""

    def __init__(self, **_settings: Any) -> None:
        """The library passes folders of custom styles; the pages carry their own."""

    def render(self, page: SuitePage, **_settings: Any) -> str:
        """The page as HTML."""
        return suite_page(page, root="../../../../")


class RunIndexBuilder:
    """Has the index written anew whenever pages were added."""

    def __init__(self, data_context: Any, **_settings: Any) -> None:
        self.home = _home_of(data_context)

    def build(self, build_index: bool = True) -> tuple[None, dict[str, Any]]:
        """Write the index."""
        if build_index:
            write_index(self.home)
        return None, {}


def _home_of(data_context: Any) -> Path:
    return Path(data_context.root_directory).resolve().parents[2]


def _check_line(checked: Any, weighed: Mapping[str, ExpectationResult]) -> CheckLine:
    rule = checked.expectation_config
    failure = weighed.get(rule.meta["expectation_id"])
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
        concerned=told_concern(failure) if failure else "",
        revenue=(failure.affected_revenue if failure else None) or Decimal(0),
    )
