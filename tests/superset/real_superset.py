"""The bundle in a real Superset, on the sample's publication: `make test-superset`.

Not part of `make test`: Superset needs an environment of its own and minutes to start.
`TIERWISE_SUPERSET_HOME` names a home that has published the sample, to save the run.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.superset.bundle import SOURCE
from orchestration.superset.datasets import read_declarations, read_models, uuid_of
from orchestration.warehouse.project import REPOSITORY
from tests.superset.server import Superset, superset_server
from tests.superset.viewer import Chart, Shown, look_at, sign_in
from tests.support.browser import browser_page
from tests.support.command import clean_environment, run_job, tierwise
from tests.support.postgres import PASSWORD, postgres_server, server_programs

PROGRAMS = REPOSITORY / ".venv" / "superset" / "bin"
SAMPLE = REPOSITORY / "seeds" / "sample"
PICTURES = REPOSITORY / "build" / "superset"
DASHBOARDS = ("analyst", "key_accounts", "auditor")
# Empty where every delivered row could be loaded.
MAY_BE_EMPTY = {"auditor_quarantine": "select count(*) from audit.quarantine"}
ROUNDING = 0.00006  # the marts round means and converted money to 4 decimals

OPERATOR = "from marts.region_summary_monthly where region_level = 'group' and month = :month"
# Single figures as charts show them, and the marts' own word on each.
FIGURES = {
    "analyst_revenue": f"select revenue {OPERATOR}",
    "analyst_arpu": f"select arpu {OPERATOR}",
    "analyst_customers": f"select customers {OPERATOR}",
    "analyst_key_share": f"select key_revenue_share {OPERATOR}",
    "analyst_churn": f"select customer_churn_rate {OPERATOR}",
    "analyst_overdue": """
        select sum(case when days_past_due > 0 and payment_mode = 'postpaid'
                then outstanding_reporting end)
            / sum(outstanding_reporting)
        from marts.fct_invoice""",
    "key_accounts_listed": "select count(*) from marts.retention_worklist",
    "key_accounts_value": "select sum(value_at_risk) from marts.retention_worklist",
    "key_accounts_contactable": """
        select count(*) from marts.retention_worklist where contact_blocked_by is null""",
    "key_accounts_expiring": """
        select count(*) from marts.contract_renewal where status = 'expiring'""",
    "key_accounts_expiring_revenue": """
        select sum(monthly_revenue) from marts.contract_renewal where status = 'expiring'""",
    "key_accounts_high_risk": """
        select count(*) from marts.customer_risk_monthly
        where month = :month and risk_band in ('high', 'very_high')""",
    "auditor_checks": "select count(*) from audit.validation",
    "auditor_failed": "select count(*) from audit.validation where not success",
    "auditor_critical": """
        select count(*) from audit.validation where not success and severity = 'critical'""",
    "auditor_revenue": "select sum(affected_revenue) from audit.validation where not success",
    "auditor_not_tied": "select count(*) from audit.reconciliation where not passed",
    "auditor_quarantined": "select count(*) from audit.quarantine",
}
# Whole charts, row for row; the first columns name the row.
TABLES = {
    "analyst_regions": """
        select region_name, revenue, arpu, customers, key_revenue_share, customer_churn_rate,
            complaints_per_1000, overdue_amount
        from marts.region_summary_monthly join marts.dim_region using (region_code)
        where region_summary_monthly.region_level = 'local' and month = :month""",
    "analyst_revenue_trend": """
        select month, region_code as province, revenue
        from marts.region_summary_monthly where region_level = 'province'
        union all
        select month, region_code, revenue
        from marts.region_summary_monthly where region_code = 'UNKNOWN'""",
    "analyst_tier_revenue": """
        select month, tier_code, sum(revenue) as revenue
        from marts.customer_monthly join marts.customer_tier_monthly using (customer_id, month)
        where tier_code <> 'none' group by month, tier_code""",
    "analyst_movements": """
        select month, revenue_kept, revenue_grown, revenue_won
        from marts.region_summary_monthly where region_level = 'group'""",
    "analyst_arpu_trend": """
        select month, arpu, customer_churn_rate, revenue_churn_rate
        from marts.region_summary_monthly where region_level = 'group'""",
    "analyst_tiers": """
        select tier_code, count(*) as tiered_customers, sum(value.revenue) as revenue,
            sum(current_value) as current_value, sum(potential_value) as potential_value
        from marts.customer_tier_monthly join marts.customer_value_monthly as value
            using (customer_id, month)
        where month = :month group by tier_code""",
    "analyst_concentration_table": """
        select measure, customers, top_1_share, top_10_share, top_20_share, gini, customers_for_80
        from marts.revenue_concentration_monthly
        where region_code = 'GROUP' and month = :month""",
    "analyst_migration": """
        select tier_from, tier_to, customers
        from marts.tier_migration_monthly where month = :month""",
    "analyst_bridge": """
        select movement, sum(revenue - revenue_before) as change
        from marts.fct_revenue_movement
        where month = :month and movement <> 'flat' group by movement""",
    "analyst_products": """
        select product_family, sum(revenue) as revenue
        from marts.fct_revenue_monthly join marts.dim_product using (product_code)
        where month = :month group by product_family""",
    "key_accounts_service": """
        select tier_code, count(*) as opened,
            avg(case respond_breached when true then 1 when false then 0 end)
                as respond_breach_share,
            avg(case resolve_breached when true then 1 when false then 0 end)
                as resolve_breach_share,
            avg(case is_repeat when true then 1 when false then 0 end) as repeat_share,
            avg(satisfaction) as mean_satisfaction,
            coalesce(sum(compensation), 0) as compensation
        from marts.fct_complaint where kind in ('complaint', 'fault') group by tier_code""",
    "key_accounts_scorecard": """
        select manager_id, score, customers, revenue, revenue_growth, retention_rate,
            renewal_rate, key_visited_share, service_level_kept_share, overdue_share
        from marts.manager_scorecard_monthly where month = :month""",
    "auditor_feeds": """
        select feed, count(*) as files, sum(rows_in_file) as rows_in_file,
            sum(rows_loaded) as rows_loaded, 0 as rows_unaccounted
        from audit.load group by feed""",
}

SPREAD = {"analyst_revenue_trend", "analyst_tier_revenue"}


@dataclass(frozen=True)
class Seen:
    """What the tests look at: Superset, the marts it reads, and the dashboards as shown."""

    superset: Superset
    served: Path
    shown: dict[str, Shown]
    ids: dict[str, int]
    """Superset's number of each chart, by the name of its file."""

    def marts(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query of the marts; `:month` is the closing month."""
        path = self.served / "published" / "current" / "tierwise.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            (month,) = connection.sql("select max(closing_month) from audit.run").fetchone() or ()
            answer = connection.sql(query.replace(":month", f"date '{month}'"))
            return [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]

    def chart(self, number: int) -> Chart:
        """A chart as it was shown, by Superset's number."""
        (chart,) = (one.charts[number] for one in self.shown.values() if number in one.charts)
        return chart

    def again(self, number: int, *filters: dict[str, Any]) -> list[list[dict[str, Any]]]:
        """The rows of a chart's queries, asked anew with further filters."""
        asked = copy.deepcopy(self.chart(number).asked)
        asked["force"] = True
        for query in asked["queries"]:
            query["filters"] += filters
        return [one["data"] for one in self.superset.call("/api/v1/chart/data", asked)["result"]]

    def rows(self, chart: str) -> list[dict[str, Any]]:
        """The rows that a chart showed; those of its second query go with the first's."""
        first, *others = copy.deepcopy(self.chart(self.ids[chart]).rows)
        for rows in others:
            for row, other in zip(first, rows, strict=True):
                row.update(other)
        return first


def charts_of(dashboard: str) -> list[str]:
    """The charts of a dashboard by the names of their files."""
    layout = yaml.safe_load((SOURCE / "dashboards" / f"{dashboard}.yaml").read_text())["position"]
    return [name.removeprefix("CHART-") for name in layout if name.startswith("CHART-")]


def write_zip(served: Path, out: Path, *options: str) -> Path:
    command = [sys.executable, "-m", "orchestration.superset", "zip", "--home", str(served)]
    subprocess.run([*command, "--out", str(out), *options], check=True, env=clean_environment())
    return out


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose link `current` the tests may move: it leads to the sample's publication."""
    given = os.environ.get("TIERWISE_SUPERSET_HOME")
    home = Path(given) if given else tmp_path_factory.mktemp("sample") / "home"
    if not given:
        outcome = run_job(home, SAMPLE / "landing", SAMPLE / "reference")
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    publication = (home / "published" / "current").resolve()
    served = tmp_path_factory.mktemp("served")
    (served / "published").mkdir()
    (served / "published" / publication.name).symlink_to(publication)
    (served / "published" / "current").symlink_to(publication.name)
    return served


@pytest.fixture(scope="module")
def seen(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("superset")
    with superset_server(PROGRAMS, folder) as superset:
        bundle = write_zip(served, folder / "dashboards.zip")
        superset.upload("/api/v1/dashboard/import/", "formData", bundle, overwrite="true")
        listed = superset.listed("chart")
        ids = {
            name: listed[uuid_of("chart", name)]["id"]
            for dashboard in DASHBOARDS
            for name in charts_of(dashboard)
        }
        with browser_page() as page:
            sign_in(page, superset)
            shown = {
                dashboard: look_at(
                    page,
                    superset,
                    f"tierwise-{dashboard.replace('_', '-')}",
                    len(charts_of(dashboard)),
                    PICTURES / f"{dashboard}.png",
                )
                for dashboard in DASHBOARDS
            }
        yield Seen(superset, served, shown, ids)


def same(found: Any, expected: Any) -> bool:
    """Equal, but for the rounding of means; money arrives as a float or as text."""
    if expected is None or found is None:
        return found is expected
    if isinstance(expected, str):
        return bool(found == expected)
    return math.isclose(float(found), float(expected), rel_tol=1e-12, abs_tol=ROUNDING)


def alike(found: list[list[dict[str, Any]]], expected: list[list[dict[str, Any]]]) -> bool:
    """The same rows, in any order, but for the last digits of a division."""

    def place(row: dict[str, Any]) -> list[str]:
        return [
            f"{value:.6g}" if isinstance(value, float) else str(value) for value in row.values()
        ]

    def equal(one: Any, other: Any) -> bool:
        if isinstance(one, float | int) and isinstance(other, float | int):
            return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
        return bool(one == other)

    return len(found) == len(expected) and all(
        len(these) == len(those)
        and all(
            row.keys() == other.keys() and all(equal(row[name], other[name]) for name in row)
            for row, other in zip(sorted(these, key=place), sorted(those, key=place), strict=True)
        )
        for these, those in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_every_chart_of_a_dashboard_shows_rows(seen: Seen, dashboard: str) -> None:
    shown = seen.shown[dashboard]
    assert not shown.errors
    assert set(shown.charts) == {seen.ids[name] for name in charts_of(dashboard)}
    for name in charts_of(dashboard):
        chart = shown.charts[seen.ids[name]]
        assert chart.status == 200 and not chart.errors, (name, chart.status, chart.errors)
        if name in MAY_BE_EMPTY:
            ((count,),) = (row.values() for row in seen.marts(MAY_BE_EMPTY[name]))
            assert all(bool(rows) == bool(count) for rows in chart.rows), name
        else:
            assert all(chart.rows), name


@pytest.mark.parametrize("chart", FIGURES)
def test_a_figure_is_that_of_the_marts(seen: Seen, chart: str) -> None:
    (row,) = seen.rows(chart)
    (expected,) = seen.marts(FIGURES[chart])
    assert same(*row.values(), *expected.values()), (row, expected)


@pytest.mark.parametrize("chart", TABLES)
def test_a_chart_is_that_of_the_marts_row_for_row(seen: Seen, chart: str) -> None:
    expected = seen.marts(TABLES[chart])
    found = seen.rows(chart)
    assert expected
    names = list(expected[0])
    if chart in SPREAD:  # a column for each value
        found = [
            {"month": row["month"], names[1]: name, "revenue": value}
            for row in found
            for name, value in row.items()
            if name != "month"
        ]
    if "month" in names:
        for row in expected:
            midnight = dt.datetime.combine(row["month"], dt.time(), dt.UTC)
            row["month"] = int(midnight.timestamp()) * 1000
    words = [name for name in names if isinstance(expected[0][name], str) or name == "month"]

    def place(row: dict[str, Any]) -> list[Any]:
        return [row[name] for name in words]

    found, expected = sorted(found, key=place), sorted(expected, key=place)
    assert [place(row) for row in found] == [place(row) for row in expected]
    wrong = [
        (place(row), name, row[name], other[name])
        for row, other in zip(found, expected, strict=True)
        for name in names
        if name not in words and not same(row[name], other[name])
    ]
    assert wrong == []


def test_filters_of_a_dashboard_narrow_its_figures(seen: Seen) -> None:
    region, tier = "Guangzhou", "gold"
    for chart, column, value, expected in (
        ("analyst_revenue", "region_name", region, f"""
            select revenue from marts.region_summary_monthly join marts.dim_region
                using (region_code) where region_name = '{region}' and month = :month"""),
        ("analyst_tiers", "tier_code", tier, f"""
            select sum(revenue) from marts.customer_monthly join marts.customer_tier_monthly
                using (customer_id, month) where tier_code = '{tier}' and month = :month"""),
        ("key_accounts_value", "region_name", region, f"""
            select sum(value_at_risk) from marts.retention_worklist join marts.dim_region
                using (region_code) where region_name = '{region}'"""),
    ):  # fmt: skip
        narrowed = {"col": column, "op": "IN", "val": [value]}
        ((row,), *_) = seen.again(seen.ids[chart], narrowed)
        ((amount,),) = (one.values() for one in seen.marts(expected))
        assert same(row.get("revenue", row.get("value_at_risk")), amount), (chart, row, amount)


def test_every_metric_of_every_dataset_can_be_asked(seen: Seen) -> None:
    listed = seen.superset.listed("dataset")
    declared = read_declarations()["datasets"]
    assert len(listed) == len(declared)
    for dataset in declared:
        metrics = [metric["name"] for metric in dataset["metrics"]]
        number = listed[uuid_of("dataset", dataset["name"])]["id"]
        (row,) = seen.superset.ask({"metrics": metrics, "columns": []}, number)
        assert set(row) == set(metrics), dataset["name"]


def test_joins_neither_lose_nor_repeat_a_row(seen: Seen) -> None:
    listed = seen.superset.listed("dataset")
    rows = {"expressionType": "SQL", "sqlExpression": "count(*)", "label": "rows"}
    models = read_models()
    for dataset in read_declarations()["datasets"]:
        base = models[dataset["base"]]
        only = [f"{column} = '{value}'" for column, value in dataset.get("only", {}).items()]
        number = listed[uuid_of("dataset", dataset["name"])]["id"]
        found = seen.superset.ask({"metrics": [rows], "columns": []}, number)
        assert found == seen.marts(f"""
            select count(*) as rows from {base.schema}.{base.name}
            where {" and ".join(only) or "true"}"""), dataset["name"]


def test_a_time_range_can_be_asked(seen: Seen) -> None:
    number = seen.superset.listed("dataset")[uuid_of("dataset", "region_months")]["id"]
    (row,) = seen.superset.ask(
        {
            "metrics": ["revenue"],
            "columns": [],
            "granularity": "month",
            "time_range": "2026-01-01 : 2026-03-01",
        },
        number,
    )
    (expected,) = seen.marts("""
        select sum(revenue) as revenue from marts.fct_revenue_monthly
        where month in (date '2026-01-01', date '2026-02-01')""")
    assert same(row["revenue"], expected["revenue"])


def test_an_imported_bundle_can_be_replaced(seen: Seen, tmp_path: Path) -> None:
    bundle = write_zip(seen.served, tmp_path / "assets.zip", "--replace")
    seen.superset.upload("/api/v1/assets/import/", "bundle", bundle)
    listed = seen.superset.listed("chart")
    assert {listed[uuid_of("chart", name)]["id"] for name in seen.ids} == set(seen.ids.values())
    assert len(seen.superset.listed("dashboard")) == len(DASHBOARDS)


@pytest.mark.skipif(server_programs() is None, reason="PostgreSQL is not installed")
def test_charts_say_the_same_from_postgresql(seen: Seen, tmp_path: Path) -> None:
    with postgres_server() as server:
        home = seen.served
        loaded = tierwise("publish", "postgres", "--home", home, "--dsn", server.dsn)
        assert loaded.returncode == 0, loaded.stderr
        address = server.dsn.replace(f":{PASSWORD}", "")
        bundle = write_zip(home, tmp_path / "zip", "--replace", "--database", address)
        passwords = json.dumps({"databases/tierwise.yaml": PASSWORD})
        seen.superset.upload("/api/v1/assets/import/", "bundle", bundle, passwords=passwords)
        try:
            (database,) = seen.superset.listed("database").values()
            assert database["backend"] == "postgresql"
            wrong = [
                name
                for name, number in seen.ids.items()
                if not alike(seen.again(number), seen.chart(number).rows)
            ]
        finally:
            back = write_zip(home, tmp_path / "back", "--replace")
            seen.superset.upload("/api/v1/assets/import/", "bundle", back)
    assert wrong == []


def test_the_next_publication_is_seen_without_a_restart(seen: Seen, tmp_path: Path) -> None:
    number = seen.superset.listed("dataset")[uuid_of("dataset", "reconciliations")]["id"]
    query = {"metrics": ["controls"], "columns": []}
    (before,) = seen.superset.ask(query, number)
    current = seen.served / "published" / "current"
    shutil.copy(current / "tierwise.duckdb", tmp_path)
    with duckdb.connect(str(tmp_path / "tierwise.duckdb")) as following:
        following.execute("delete from audit.reconciliation where control like 'rows_staged_%'")
    link = seen.served / "published" / "next"
    link.symlink_to(tmp_path)
    link.replace(current)
    (after,) = seen.superset.ask(query, number)
    (expected,) = seen.marts("select count(*) as controls from audit.reconciliation")
    assert after == expected
    assert 0 < after["controls"] < before["controls"]
