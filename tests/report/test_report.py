"""The report of the bundled sample: its figures are the marts', in the file and on the page.

One run of the sample serves both halves; the second half needs Chromium.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.audit.files import read_manifest
from orchestration.home import Home
from orchestration.report.figures import WORKLIST_ROWS, Figure, read_figures
from orchestration.report.page import (
    CONTENTS,
    HEADLINES,
    Subject,
    render,
    report_page,
    subject_of,
)
from orchestration.report.words import read_words
from tests.independent.loading import ROOT, read_feed
from tests.support.browser import Page, browser_page, chromium
from tests.support.command import run_job, tierwise

SAMPLE = ROOT / "seeds/sample"
CHARTED = [name for chapter in CONTENTS.values() for name in chapter if name not in ("trust",)]
GROUP, PROVINCE, LOCAL = "GROUP", "GD", "GD-GZ"

needs_chromium = pytest.mark.skipif(
    chromium() is None, reason="Chromium is not installed: apt-get install -y chromium"
)


@dataclass(frozen=True)
class Sample:
    """The sample's publication with its figures."""

    home: Path
    subject: Subject
    figures: dict[str, Figure]

    @property
    def folder(self) -> Path:
        return self.home / "published" / "current"

    @property
    def database(self) -> Path:
        return self.folder / "tierwise.duckdb"

    def rows(self, name: str, region: str | None = None) -> list[dict[str, Any]]:
        """Rows of a figure, of one region if it is named."""
        records = self.figures[name].records()
        return [row for row in records if region is None or row["region_code"] == region]

    def query(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query of the publication; `{closing}` is its closing month."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            cursor = connection.execute(
                query.format(closing=f"date '{self.subject.closing_month}'")
            )
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def locals_of(self, region: str) -> set[str]:
        """The local networks under a region."""
        return {
            row["local_code"]
            for row in self.query("select * from marts.dim_region where local_code is not null")
            if region in (row["local_code"], row["province_code"], row["group_code"])
        }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    home = tmp_path_factory.mktemp("report") / "home"
    outcome = run_job(home, SAMPLE / "landing", SAMPLE / "reference")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    folder = home / "published" / "current"
    subject = subject_of(Home(home), read_manifest(folder / "manifest.json"))
    figures = read_figures(
        folder / "tierwise.duckdb", subject.closing_month, subject.run_id, subject.complaint_months
    )
    return Sample(home, subject, figures)


def money(rows: list[dict[str, Any]], field: str) -> float:
    """A sum to the fourth decimal, as the marts hold money."""
    return round(sum(row[field] or 0 for row in rows), 4)


def exact(value: Decimal | None) -> float:
    return float(value or 0)


# The file


def test_the_publication_holds_its_report_and_lists_it(sample: Sample) -> None:
    page = (sample.folder / "report.html").read_bytes()
    manifest = read_manifest(sample.folder / "manifest.json")
    (listed,) = [file for file in manifest["files"] if file["path"] == "report.html"]
    assert listed["sha256"] == hashlib.sha256(page).hexdigest()
    assert report_page(sample.database, sample.subject).encode() == page, "same bytes again"


def test_the_command_names_the_page_or_writes_one(sample: Sample, tmp_path: Path) -> None:
    named = tierwise("report", "--home", sample.home)
    assert named.returncode == 0, named.stderr
    own = Path(named.stdout.strip())
    assert own == sample.home / "published" / sample.subject.run_id / "report.html"
    out = tmp_path / "page.html"
    written = tierwise("report", "--home", sample.home, "--out", out)
    assert written.returncode == 0, written.stderr
    assert out.read_bytes() == own.read_bytes()
    nowhere = tierwise("report", "--home", sample.home, "--out", tmp_path / "none" / "page.html")
    assert nowhere.returncode == 2
    assert "No such file" in nowhere.stderr
    unpublished = tierwise("report", "--home", tmp_path / "empty")
    assert unpublished.returncode == 2
    assert "Nothing is published" in unpublished.stderr


def test_a_publication_of_another_version_is_refused_in_words(
    sample: Sample, tmp_path: Path
) -> None:
    home, name = tmp_path / "home", sample.subject.run_id
    (home / "published" / name).mkdir(parents=True)
    (home / "published" / "current").symlink_to(name)
    old = home / "published" / name
    shutil.copyfile(sample.folder / "manifest.json", old / "manifest.json")
    shutil.copyfile(sample.database, old / "tierwise.duckdb")
    kept = Path("audit", "reference_sets")
    shutil.copytree(sample.home / kept, home / kept)
    bare = tierwise("report", "--home", home)
    assert bare.returncode == 2
    assert "without a report" in bare.stderr
    with duckdb.connect(str(old / "tierwise.duckdb")) as connection:
        connection.execute("drop table marts.retention_worklist")
    outcome = tierwise("report", "--home", home, "--out", tmp_path / "page.html")
    assert outcome.returncode == 2
    assert "another version" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_the_command_opens_the_page_in_the_readers_browser(sample: Sample, tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    outcome = tierwise("report", "--open", "--home", sample.home, BROWSER=f"{browser} %s")
    assert outcome.returncode == 0, outcome.stderr
    own = sample.home / "published" / sample.subject.run_id / "report.html"
    assert opened.read_text().strip() == own.as_uri()


def test_no_personal_value_is_in_the_page(sample: Sample) -> None:
    page = (sample.folder / "report.html").read_text(encoding="utf-8")
    customers = read_feed(SAMPLE / "landing", "customers")
    personal = ("customer_name", "contact_name", "contact_phone", "contact_email", "address")
    values = {row[name] for row in customers for name in personal if row.get(name)}
    assert len(values) > 1000
    assert not [value for value in values if value in page]
    masked = sample.query("select distinct customer_name_masked as name from marts.dim_customer")
    assert not [row["name"] for row in masked if row["name"] and row["name"] in page]


def test_the_page_asks_for_nothing_outside(sample: Sample) -> None:
    page = (sample.folder / "report.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    assert html.unescape(policy).startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    for asking in (' src="', "<link", "@import", "url("):
        assert asking not in page.split("<script", 1)[0], asking


# The figures


ADDITIVE = {
    "summary": ("revenue", "customers", "key_customers", "overdue_amount"),
    "families": ("revenue",),
    "tiers": ("customers", "revenue"),
    "bridge": ("customers", "revenue_before", "revenue", "change"),
    "value_risk": ("customers", "revenue", "current_value"),
    "clocks": ("opened", "respond_outcomes", "respond_breaches", "resolve_outcomes"),
    "categories": ("opened", "repeats", "resolve_breaches"),
    "renewals": ("contracts", "monthly_revenue", "value_at_risk"),
    "worklist_totals": ("customers", "value_at_risk", "contact_allowed"),
}


@pytest.mark.parametrize("name", ADDITIVE)
def test_a_level_is_the_sum_of_those_below(sample: Sample, name: str) -> None:
    parents = {row["region_code"]: row["parent_code"] for row in sample.rows("regions")}
    below: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in sample.rows(name):
        if parents[row["region_code"]]:
            below[parents[row["region_code"]]].append(row)
    assert set(below) == {"GROUP", "GD", "SC", "ZJ"}
    for region, rows in below.items():
        for field in ADDITIVE[name]:
            assert money(rows, field) == money(sample.rows(name, region), field), (region, field)


def test_the_summary_is_the_mart_of_each_region(sample: Sample) -> None:
    for mart in sample.query("select * from marts.region_summary_monthly where month = {closing}"):
        row = sample.rows("summary", mart["region_code"])[-1]
        for name in HEADLINES:
            expected = None if mart[name] is None else float(mart[name])
            assert row[name] == expected, (mart["region_code"], name)


@pytest.mark.parametrize("name", ["families", "tiers", "bridge"])
def test_revenue_of_a_region_is_the_same_in_each_figure(sample: Sample, name: str) -> None:
    for region in sample.rows("regions"):
        code = region["region_code"]
        summary = sample.rows("summary", code)
        expected = summary[-1]["revenue"] if summary else 0
        assert money(sample.rows(name, code), "revenue") == pytest.approx(expected, abs=1e-9)


def test_the_curve_runs_through_the_shares_of_the_mart(sample: Sample) -> None:
    marts = sample.query(
        "select * from marts.revenue_concentration_monthly"
        " where month = {closing} and measure = 'revenue'"
    )
    assert {GROUP, PROVINCE, LOCAL} <= {row["region_code"] for row in marts}
    for mart in marts:
        curve = {
            round(row["customer_share"] * 100): row["revenue_share"]
            for row in sample.rows("curve", mart["region_code"])
        }
        for percent in (1, 5, 10, 20, 50):
            assert curve[percent] == pytest.approx(mart[f"top_{percent}_share"], abs=1e-9)
        assert curve[100] == 1
        assert list(curve.values()) == sorted(curve.values())


def test_tiers_are_counted_in_each_region(sample: Sample) -> None:
    placed = sample.query(
        """
        select customers.region_code, tiers.tier_code, customers.revenue
        from marts.customer_tier_monthly as tiers
        inner join marts.customer_monthly as customers using (customer_id, month)
        where month = {closing}
        """
    )
    for region in (GROUP, PROVINCE, LOCAL):
        networks = sample.locals_of(region)
        mine = [row for row in placed if row["region_code"] in networks]
        shown = {row["tier_code"]: row for row in sample.rows("tiers", region)}
        assert Counter(row["tier_code"] for row in mine) == {
            tier: row["customers"] for tier, row in shown.items()
        }
        for tier, row in shown.items():
            revenue = sum(one["revenue"] for one in mine if one["tier_code"] == tier)
            assert row["revenue"] == exact(revenue)


def test_moves_are_those_of_the_migration_mart(sample: Sample) -> None:
    moves = sample.query("select * from marts.tier_migration_monthly order by month")
    shown = {(row["tier_from"], row["tier_to"]): row for row in sample.rows("migration")}
    now = [row for row in moves if row["month"] == sample.subject.closing_month]
    assert {key: row["customers"] for key, row in shown.items()} == {
        (row["tier_from"], row["tier_to"]): row["customers"] for row in now
    }
    order = ["diamond", "platinum", "gold", "silver", "standard"]
    up: Counter[str] = Counter()
    down: Counter[str] = Counter()
    joined: Counter[str] = Counter()
    for row in moves:
        month, before, after = f"{row['month']:%Y-%m}", row["tier_from"], row["tier_to"]
        if before in order and after in order:
            up[month] += row["customers"] * (order.index(after) < order.index(before))
            down[month] += row["customers"] * (order.index(after) > order.index(before))
        elif after in order:
            joined[month] += row["customers"]
    assert len(sample.rows("moves")) == 13
    for row in sample.rows("moves"):
        month = row["month"]
        assert (row["moved_up"], row["moved_down"]) == (up[month], down[month])
        assert row["came_in"] == joined[month]


def test_the_bridge_leads_from_last_months_revenue_to_this_months(sample: Sample) -> None:
    marts = sample.query(
        "select movement, count(*) as customers, sum(change) as change"
        " from marts.fct_revenue_movement where month = {closing} group by movement"
    )
    shown = {row["movement"]: row for row in sample.rows("bridge", GROUP)}
    assert len(shown) == len(marts)
    for mart in marts:
        row = shown[mart["movement"]]
        assert (row["customers"], row["change"]) == (mart["customers"], exact(mart["change"]))
    before, now = sample.rows("summary", GROUP)[-2:]
    assert money(list(shown.values()), "revenue_before") == before["revenue"]
    assert money(list(shown.values()), "change") == round(now["revenue"] - before["revenue"], 4)


def test_value_and_risk_are_of_every_ranked_customer(sample: Sample) -> None:
    marts = sample.query(
        """
        select customers.region_code, tier_code, risk_band, current_value
        from marts.customer_monthly as customers
        inner join marts.customer_tier_monthly using (customer_id, month)
        inner join marts.customer_value_monthly using (customer_id, month)
        left join marts.customer_risk_monthly using (customer_id, month)
        where month = {closing} and is_ranked
        """
    )
    for region in (GROUP, LOCAL):
        networks = sample.locals_of(region)
        expected: dict[tuple[Any, Any], list[Decimal]] = defaultdict(list)
        for row in marts:
            if row["region_code"] in networks:
                expected[row["tier_code"], row["risk_band"]].append(row["current_value"])
        shown = {
            (row["tier_code"], row["risk_band"]): (row["customers"], row["current_value"])
            for row in sample.rows("value_risk", region)
        }
        assert shown == {key: (len(v), exact(sum(v))) for key, v in expected.items()}


def test_clocks_and_categories_are_those_of_the_service_mart(sample: Sample) -> None:
    marts = sample.query(
        "select * from marts.complaint_service_monthly"
        " where month > {closing} - interval 12 month and month <= {closing}"
    )
    counted = ("opened", "respond_outcomes", "respond_breaches", "resolve_outcomes")
    for region in (GROUP, PROVINCE, LOCAL):
        networks = sample.locals_of(region)
        mine = [row for row in marts if row["region_code"] in networks]
        for name, key, fields in (
            ("clocks", "tier_code", (*counted, "resolve_breaches")),
            ("categories", "category", ("opened", "repeats", "resolve_breaches")),
        ):
            for row in sample.rows(name, region):
                same = [one for one in mine if one[key] == row[key]]
                assert {field: row[field] for field in fields} == {
                    field: sum(one[field] for one in same) for field in fields
                }
            assert money(sample.rows(name, region), "opened") == money(mine, "opened") > 0


def test_the_renewal_wall_stands_on_every_open_contract(sample: Sample) -> None:
    marts = sample.query(
        "select * from marts.contract_renewal where status not in ('renewed', 'lapsed')"
    )
    shown = sample.rows("renewals", GROUP)
    assert sum(row["contracts"] for row in shown) == len(marts)
    for status in ("expiring", "running", "ended_pending"):
        mine = [row for row in marts if row["status"] == status]
        rows = [row for row in shown if row["status"] == status]
        assert money(rows, "monthly_revenue") == exact(sum(x["monthly_revenue"] for x in mine))
    ends = [row["end_month"] for row in shown if row["end_month"]]
    assert max(ends) == "2027-06", "twelve months ahead; later ends have no month"


def test_the_worklist_shows_the_first_of_each_region(sample: Sample) -> None:
    marts = sample.query("select * from marts.retention_worklist order by rank")
    for region in (GROUP, PROVINCE, LOCAL):
        networks = sample.locals_of(region)
        mine = [row for row in marts if row["region_code"] in networks]
        shown = sample.rows("worklist", region)
        assert [row["customer_id"] for row in shown] == [
            row["customer_id"] for row in mine[:WORKLIST_ROWS]
        ]
        assert sum(row["customers"] for row in sample.rows("worklist_totals", region)) == len(mine)
    first = sample.rows("worklist", GROUP)[0]
    assert first["value_at_risk"] == exact(marts[0]["value_at_risk"])


def test_checks_and_deliveries_are_those_of_the_audit_schema(sample: Sample) -> None:
    results = sample.query("select * from audit.validation")
    assert sum(row["checked"] for row in sample.rows("validation")) == len(results)
    failed = [row for row in results if not row["success"]]
    assert sum(row["failed"] for row in sample.rows("validation")) == len(failed) > 0
    assert len(sample.rows("failures")) == len(failed)
    loads = sample.query("select * from audit.load where status = 'loaded'")
    assert sum(row["files"] for row in sample.rows("freshness")) == len(loads)
    assert sum(row["rows"] for row in sample.rows("freshness")) == sum(
        row["rows_loaded"] for row in loads
    )


# The page in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with browser_page() as page:
        yield page


Shown = Callable[..., Page]


@pytest.fixture
def shown(browser: Page, sample: Sample) -> Shown:
    """Opens a page afresh and waits until it is drawn; whatever it complains of fails the test."""

    def show(
        file: Path | None = None, part: str = "language=en", width: int = 1280, dark: bool = False
    ) -> Page:
        browser.open("about:blank")
        browser.problems.clear()
        browser.requests.clear()
        browser.show(width, dark=dark)
        page = (file or sample.folder / "report.html").resolve()
        browser.open(f"{page.as_uri()}#{part}")
        browser.wait_for("document.documentElement.dataset.drawn")
        return browser

    return show


def choose(page: Page, control: str, value: str) -> None:
    """Pick an option of one of the controls as a reader does, and wait for the drawing."""
    page.evaluate(
        f"""(() => {{
            const control = document.getElementById({json.dumps(control)});
            control.value = {json.dumps(value)};
            control.dispatchEvent(new Event("change", {{ bubbles: true }}));
        }})()"""
    )
    page.wait_for("document.documentElement.dataset.drawn")


def cells(page: Page, figure: str, field: str) -> list[str]:
    """The values of a column of a figure's table, as they lie under what is shown."""
    found: list[str] = page.evaluate(
        f"""[...document.querySelectorAll(
            '#{figure} details.table td[data-field="{field}"]')].map((td) => td.dataset.value)"""
    )
    return found


def texts(page: Page, selector: str) -> list[str]:
    found: list[str] = page.evaluate(
        f"[...document.querySelectorAll({json.dumps(selector)})].map((one) => one.textContent)"
    )
    return found


def assert_silent(page: Page) -> None:
    """Nothing was complained of, and nothing but the file itself was asked for."""
    page.evaluate("1")
    assert page.problems == []
    assert [address.split(":")[0] for address in page.requests] == ["file"]


@needs_chromium
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_chart_is_drawn(shown: Shown, width: int, dark: bool, language: str) -> None:
    page = shown(part=f"language={language}", width=width, dark=dark)
    for name in CHARTED:
        marks = page.evaluate(
            f"""[...document.querySelectorAll(
                '#{name} .chart svg .mark-rect path, #{name} .chart svg .mark-line path,' +
                '#{name} .chart svg .mark-area path')]
                .filter((one) => one.getBBox().width > 0).length"""
        )
        assert marks > 0, name
        finding = page.evaluate(f"document.getElementById('{name}-finding').textContent")
        assert finding
        assert "{" not in finding
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_silent(page)


@needs_chromium
@pytest.mark.parametrize("region", [GROUP, PROVINCE, LOCAL])
def test_what_is_shown_is_what_the_marts_say(shown: Shown, sample: Sample, region: str) -> None:
    page = shown(part=f"language=en&region={region}")
    (mart,) = sample.query(
        f"select * from marts.region_summary_monthly"
        f" where month = {{closing}} and region_code = '{region}'"
    )
    for name in HEADLINES:
        value = page.evaluate(f"document.querySelector('#headline-{name} .value').dataset.value")
        assert float(value) == float(mart[name]), name
    for figure, measure in (
        ("families", "revenue"),
        ("tiers", "revenue"),
        ("bridge", "revenue"),
    ):
        total = round(sum(map(float, cells(page, figure, measure))), 4)
        assert total == exact(mart["revenue"]), figure
    assert float(cells(page, "trend", "revenue")[-1]) == exact(mart["revenue"])
    if region != LOCAL:
        assert round(sum(map(float, cells(page, "places", "revenue"))), 4) == exact(mart["revenue"])
    listed = page.evaluate(
        """[...document.querySelectorAll('#worklist .body td[data-field="customer_id"]')]
            .map((td) => td.textContent)"""
    )
    assert listed == [row["customer_id"] for row in sample.rows("worklist", region)]
    assert texts(page, "#headline-revenue .value") == [f"¥{mart['revenue'] / 1000:.3g}K"]


@needs_chromium
def test_the_filters_and_the_drill_down(shown: Shown, sample: Sample) -> None:
    page = shown()
    revenue = {
        row["region_code"]: row["revenue"]
        for row in sample.rows("summary")
        if row["month"] == "2026-06"
    }

    def headline() -> float:
        return float(
            page.evaluate("document.querySelector('#headline-revenue .value').dataset.value")
        )

    assert headline() == revenue[GROUP]
    choose(page, "level", "local")
    assert texts(page, "#region option")[:2] == ["Dongguan", "Foshan"]
    assert headline() == revenue["GD-DG"]
    choose(page, "region", "ZJ-HZ")
    assert headline() == revenue["ZJ-HZ"]
    assert page.evaluate("document.getElementById('places-finding').textContent").startswith(
        "Hangzhou is a local network"
    )
    assert page.evaluate("!document.querySelector('#flow .scope').hidden")
    choose(page, "level", "group")
    page.evaluate("document.querySelector('#places details.table button').click()")
    page.wait_for("document.documentElement.dataset.drawn === 'GD en'")
    assert headline() == revenue["GD"]
    assert "region=GD" in page.evaluate("location.hash")
    page.evaluate(
        """document.querySelector('#places .mark-rect path').dispatchEvent(
            new MouseEvent("click", { bubbles: true }))"""
    )
    page.wait_for("document.documentElement.dataset.drawn === 'GD-GZ en'")
    assert headline() == revenue["GD-GZ"]
    assert "Guangzhou" in page.evaluate("document.getElementById('announcement').textContent")
    assert_silent(page)


@needs_chromium
def test_the_language_is_switched_without_a_reload(shown: Shown) -> None:
    page = shown()
    page.evaluate("window.stillHere = true")
    assert texts(page, "h1") == ["Customer value, June 2026"]
    assert "Mobile" in texts(page, "#families .chart text")
    choose(page, "language", "zh")
    assert texts(page, "h1") == ["客户价值 · 2026年6月"]
    assert "移动" in texts(page, "#families .chart text")
    assert "万" in texts(page, "#headline-revenue .value")[0]
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    unchanged = [
        text for text in texts(page, "[data-word]") if text in set(read_words()["en"].values())
    ]
    assert unchanged == ["ARPU"] * unchanged.count("ARPU")
    assert page.evaluate("window.stillHere") is True
    assert_silent(page)


@needs_chromium
def test_the_page_works_by_keyboard(shown: Shown) -> None:
    page = shown()
    focused = []
    for _ in range(5):
        page.press("Tab", 9)
        focused.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert focused == ["A", "level", "region", "language", "SUMMARY"]
    page.press("Enter", 13)
    assert page.evaluate("document.getElementById('headline-revenue').open") is True
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


@needs_chromium
def test_a_screen_reader_is_told_of_every_chart(shown: Shown) -> None:
    page = shown()
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    named = {
        node["name"]["value"]
        for node in tree
        if node.get("role", {}).get("value") in ("image", "img") and node.get("name")
    }
    for name in CHARTED:
        finding = page.evaluate(f"document.getElementById('{name}-finding').textContent")
        assert finding in named, name
        rows = page.evaluate(f"document.querySelectorAll('#{name} details.table tbody tr').length")
        assert rows > 0, f"{name} has no table beside its chart"
    headless = page.evaluate("document.querySelectorAll('th:not([scope])').length")
    assert headless == 0


CONTRAST = """
(() => {
  const part = (one) => (one /= 255) <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const texts = document.querySelectorAll(
    "h1, h2, h3, p, a, summary, td, th, label, select, button, .chart svg text");
  for (const one of texts) {
    if (!one.textContent.trim() || one.closest("#value_risk .mark-text")) continue;
    const ink = one.tagName === "text" ? getComputedStyle(one).fill : getComputedStyle(one).color;
    const ground = behind(one.closest("svg")?.parentElement ?? one);
    const [above, below] = [light(rgb(ink)), light(ground)];
    const ratio = (Math.max(above, below) + 0.05) / (Math.min(above, below) + 0.05);
    if (ratio < 4.5) bad.push(`${one.tagName} ${one.textContent.trim().slice(0, 40)}: ${ratio}`);
  }
  return bad;
})()
"""


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read(shown: Shown, dark: bool) -> None:
    page = shown(dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert page.evaluate(CONTRAST) == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(15, 23, 32)" if dark else "rgb(244, 246, 248)")


HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"


def changed_copy(sample: Sample, file: Path, *statements: str) -> Path:
    """A report of the sample's marts after a change to them."""
    database = file.with_suffix(".duckdb")
    shutil.copyfile(sample.database, database)
    with duckdb.connect(str(database)) as connection:
        for statement in statements:
            connection.execute(statement)
    figures = read_figures(
        database,
        sample.subject.closing_month,
        sample.subject.run_id,
        sample.subject.complaint_months,
    )
    file.write_text(render(figures, sample.subject), encoding="utf-8")
    return file


@needs_chromium
def test_hostile_text_shows_as_text(shown: Shown, sample: Sample, tmp_path: Path) -> None:
    text = HOSTILE.replace("'", "''")
    file = changed_copy(
        sample,
        tmp_path / "hostile.html",
        f"update marts.dim_region set region_name = '{text}' where region_code = 'GD'",
        f"update marts.dim_product set product_family = '{text}' where product_family = 'mobile'",
        f"update marts.complaint_service_monthly set category = '{text}'"
        " where category = 'billing'",
        f"update marts.retention_worklist set recommended_action = '{text}', manager_id = '{text}'",
        f"update audit.validation set expectation = '{text}' where not success",
    )
    assert "<script>window.hacked" not in file.read_text(encoding="utf-8")
    page = shown(file, part="language=en&region=GD")
    assert page.evaluate("window.hacked === undefined && !document.querySelector('img')")
    assert HOSTILE in texts(page, "#region option")
    for figure in ("categories", "worklist", "trust", "families"):
        assert HOSTILE in texts(page, f"#{figure} td"), figure
    assert HOSTILE in texts(page, "#region option[value=GD]")
    page.evaluate(
        """(() => { const bar = document.querySelector('#families .mark-rect path');
            const { x, y } = bar.getBoundingClientRect();
            for (const kind of ["pointerover", "mouseover", "pointermove", "mousemove"]) {
                bar.dispatchEvent(new PointerEvent(kind, {
                    bubbles: true, clientX: x + 3, clientY: y + 3 }));
            } })()"""
    )
    page.wait_for("document.querySelector('#vg-tooltip-element')?.textContent.includes('hacked')")
    assert page.evaluate("window.hacked === undefined && !document.querySelector('img')")
    assert_silent(page)


@needs_chromium
def test_what_was_not_measured_is_said(shown: Shown, sample: Sample, tmp_path: Path) -> None:
    emptied = (
        "complaint_service_monthly",
        "contract_renewal",
        "retention_worklist",
        "customer_risk_monthly",
        "churn_model",
        "tier_migration_monthly",
        "fct_revenue_movement",
    )
    file = changed_copy(
        sample,
        tmp_path / "bare.html",
        *(f"delete from marts.{table}" for table in emptied),
        "update marts.region_summary_monthly set complaints_per_1000 = null",
    )
    page = shown(file)
    for name in ("clocks", "categories", "renewals", "flow", "moves", "bridge", "value_risk"):
        assert texts(page, f"#{name} .finding")[0].startswith("Not measured"), name
        assert page.evaluate(f"document.querySelector('#{name} .chart').hidden") is True
    assert texts(page, "#headline-complaints_per_1000 .value") == ["not measured"]
    assert "Nothing to show" in texts(page, "#worklist .finding")[0]
    assert_silent(page)


@needs_chromium
def test_one_sided_and_empty_figures_are_drawn_in_silence(
    shown: Shown, sample: Sample, tmp_path: Path
) -> None:
    file = changed_copy(
        sample,
        tmp_path / "lean.html",
        "delete from marts.tier_migration_monthly"
        " where tier_from <> 'standard' or tier_to <> 'silver'",
        "update marts.contract_renewal set monthly_revenue = 0",
        "update marts.customer_risk_monthly set risk_band = 'low'",
        "update marts.fct_revenue_movement set change = 0",
    )
    page = shown(file)
    assert texts(page, "#flow .finding") == ["2 customers moved up and 0 down; 0 kept their tier"]
    assert texts(page, "#value_risk .finding") == ["Nobody is at high risk to leave"]
    assert texts(page, "#bridge .finding")[0].startswith("Revenue did not change")
    assert_silent(page)


@needs_chromium
def test_a_failed_critical_check_is_said_at_the_top(
    shown: Shown, sample: Sample, tmp_path: Path
) -> None:
    file = changed_copy(
        sample,
        tmp_path / "failed.html",
        "update audit.validation set success = false where expectation_id = ("
        " select min(expectation_id) from audit.validation where severity = 'critical')",
    )
    assert "1 critical checks failed: each was accepted" in texts(shown(file), "#stamp")[0]
    other = replace(sample.subject, reporting_currency="USD")
    file.write_text(render(sample.figures, other), encoding="utf-8")
    page = shown(file)
    assert texts(page, "#headline-revenue .value")[0].startswith("$")
    assert "Revenue, USD" in texts(page, "#trend th")
