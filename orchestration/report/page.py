"""The page: figures, charts, words and scripts put into one file that asks for nothing else.

A content security policy allows the page's own scripts, by their hashes, and no connection:
text in the data stays text, and the page works from a file. The same publication gives the
same bytes: nothing in the page comes from the clock or from the machine.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.home import Home
from orchestration.parameters import parameter
from orchestration.report.figures import (
    RENEWAL_MONTHS,
    WORKLIST_ROWS,
    Figure,
    read_figures,
)
from orchestration.report.flow import Move, flow_of
from orchestration.report.words import LANGUAGES, PAGE, read_words

if TYPE_CHECKING:
    from orchestration.session import RunSession

REPORT = "report.html"
# The figures of the page in their order: chapter, figure, and the tables it is read from.
CONTENTS: dict[str, dict[str, str]] = {
    "revenue": {
        "trend": "marts.region_summary_monthly",
        "families": "marts.fct_revenue_monthly, marts.dim_product",
        "concentration": "marts.revenue_concentration_monthly, marts.customer_monthly",
        "bridge": "marts.fct_revenue_movement",
        "places": "marts.region_summary_monthly",
    },
    "tiers": {
        "tiers": "marts.customer_tier_monthly, marts.customer_monthly",
        "flow": "marts.tier_migration_monthly",
        "moves": "marts.tier_migration_monthly",
    },
    "risk": {
        "value_risk": "marts.customer_value_monthly, marts.customer_risk_monthly",
        "renewals": "marts.contract_renewal",
    },
    "service": {
        "clocks": "marts.complaint_service_monthly",
        "categories": "marts.complaint_service_monthly",
    },
    "acting": {"worklist": "marts.retention_worklist"},
    "trust": {"trust": "audit.validation, audit.reconciliation, audit.load"},
}
# Figures of the whole group alone: moves between tiers are not kept by region.
GROUP_ONLY = ("flow", "moves", "trust")
HEADLINES = (
    "revenue",
    "customers",
    "key_revenue_share",
    "arpu",
    "customer_churn_rate",
    "complaints_per_1000",
    "resolve_breach_share",
    "overdue_amount",
)


@dataclass(frozen=True)
class Subject:
    """The publication that the report is of, as its manifest says, and its window of complaints."""

    run_id: str
    closing_month: dt.date
    started_at: dt.datetime
    code_version: str
    reporting_currency: str
    tier_policy: str
    complaint_months: int


def subject_of(home: Home, manifest: Mapping[str, Any]) -> Subject:
    """The subject of a publication's manifest.

    Raises:
        ConfigurationError: the rule tables it was made by are not among the evidence.
    """
    run, configuration = manifest["run"], manifest["configuration"]
    return Subject(
        run_id=run["run_id"],
        closing_month=dt.date.fromisoformat(run["closing_month"]),
        started_at=dt.datetime.fromisoformat(run["started_at"]),
        code_version=manifest["code"]["version"],
        reporting_currency=configuration["reporting_currency"],
        tier_policy=configuration["tier_policy"],
        complaint_months=_complaint_months(home.reference_set(configuration["policy_sha256"])),
    )


def subject_of_run(session: RunSession) -> Subject:
    """The same of a run that is about to publish, before it has a manifest."""
    loaded, settings = session.load_result, session.settings
    assert loaded is not None
    return Subject(
        run_id=session.run_id,
        closing_month=loaded.closing_month,
        started_at=session.started_at.astimezone(dt.UTC),
        code_version=session.code_version,
        reporting_currency=settings.reporting_currency,
        tier_policy=settings.tier_policy,
        complaint_months=_complaint_months(session.home.reference),
    )


def make_ready() -> None:
    """Draw what needs no data, seconds of imports and of work, while there is time for it."""
    _chart_libraries()
    _charts()


def _complaint_months(reference_set: Path) -> int:
    return int(parameter(reference_set, "complaint_window_months"))


def report_page(database: Path, subject: Subject) -> str:
    """The report of a publication as one HTML page.

    Args:
        database: the publication's database; it is only read.
        subject: what its manifest says of it.
    """
    figures = read_figures(
        database, subject.closing_month, subject.run_id, subject.complaint_months
    )
    return render(figures, subject)


def render(figures: Mapping[str, Figure], subject: Subject) -> str:
    """The page of figures already read."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    words = read_words()
    libraries, script = _chart_libraries(), _asset("report.js")
    # Autoescape is on for every text that is not one of the page's own files.
    environment = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html.j2").render(
        contents=CONTENTS,
        headlines=HEADLINES,
        languages=LANGUAGES,
        words=words["en"],
        title=words["en"]["title"].format(month=f"{subject.closing_month:%Y-%m}"),
        policy=_content_security_policy(libraries, script),
        style=_asset("report.css"),
        libraries=libraries,
        script=script,
        data=_embedded(_content(figures, subject, words)),
    )


def _content(
    figures: Mapping[str, Figure], subject: Subject, words: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    return {
        "subject": {
            **asdict(subject),
            "closing_month": f"{subject.closing_month:%Y-%m}",
            "started_at": subject.started_at.isoformat(timespec="seconds"),
        },
        "shown": {
            "complaint_months": subject.complaint_months,
            "renewal_months": RENEWAL_MONTHS,
            "worklist_rows": WORKLIST_ROWS,
        },
        "contents": CONTENTS,
        "group_only": GROUP_ONLY,
        "headlines": HEADLINES,
        "words": words,
        "charts": _charts(),
        "flow": _flow(figures["migration"]),
        "figures": {
            name: {"columns": figure.columns, "rows": figure.rows}
            for name, figure in figures.items()
        },
    }


def _flow(migration: Figure) -> dict[str, Any]:
    fields = ("tier_from", "rank_from", "tier_to", "rank_to", "customers")
    moves: list[Any] = [
        Move(**{field: record[field] for field in fields})  # type: ignore[arg-type]
        for record in migration.records()
    ]
    ribbons, ends = flow_of(moves)
    return {"ribbons": [asdict(ribbon) for ribbon in ribbons], "ends": [asdict(e) for e in ends]}


def _embedded(content: dict[str, Any]) -> str:
    """JSON that no HTML parser can take for markup, whatever text the data holds."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _asset(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8").strip()


@cache
def _charts() -> dict[str, Any]:
    """The charts without their data, by language and figure."""
    from orchestration.report.charts import chart_specs

    return {language: chart_specs(words) for language, words in read_words().items()}


@cache
def _chart_libraries() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the package that carries them."""
    import vl_convert
    from altair import SCHEMA_VERSION

    version = ".".join(SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version).strip()


def _content_security_policy(*scripts: str) -> str:
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in scripts
    )
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
