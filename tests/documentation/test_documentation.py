"""What readers are told of the sample's publication: complete, current and right."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psycopg
import pytest

from orchestration.documentation.pages import pages
from orchestration.documentation.questions import answer, read_questions
from orchestration.documentation.tables import Table, read_references, read_tables
from orchestration.errors import ConfigurationError
from orchestration.warehouse.project import REPOSITORY
from tests.documentation.metricflow import (
    IN_THE_MARTS,
    METRICS,
    QUERIES,
    ask,
    project_beside,
)
from tests.documentation.second_answers import SECOND_ANSWERS, Published
from tests.support.browser import browser_page, chromium
from tests.support.command import clean_environment, run_job, tierwise
from tests.support.postgres import postgres_server, server_programs

SAMPLE = REPOSITORY / "seeds" / "sample"
DOCS = REPOSITORY / "docs"
QUESTIONS = read_questions()
LEAST_QUESTIONS = 20
ROLES = {
    "BI analyst", "Policy owner", "Key-account manager", "Retention", "Marketing", "Finance",
    "Complaint desk", "Region manager", "Auditor",
}  # fmt: skip
# What says the unit of a number, by the type of the column.
UNITS = {
    "decimal": r"currency|0 to 100|points|hours|1 to 5|0 to 1|0–1|[Dd]epartures"
    r"|unit of the measure|band's unit|metric's unit|same unit",
    "double": r"0–1|0 to 1|−1 to 1|\bratio\b|\btimes\b|[Pp]er 1000",
    "bigint": r"(?i)\b(customers?|subscriptions?|accounts?|products?|families|months?|days?"
    r"|complaints?|contacts?|contracts?|rows?|bytes?|cells|failures|departures|left|place|rank"
    r"|version|year|quarter|signs|how often|number of|1 to 7|1 to 5|customer-months)\b",
    "integer": r"\b1 holds\b",
}
TOLERANCE = 0.005  # of a number on the page that another machine's fit may shift
NUMBER = re.compile(r"-?\d[\d,]*\.\d+")
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user would stand: beside the docs and the home that published the sample."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "docs").symlink_to(DOCS)
    outcome = run_job(folder / "home", SAMPLE / "landing", SAMPLE / "reference")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Path:
    return folder / "home"


@pytest.fixture(scope="module")
def manifest(home: Path) -> Path:
    return home / "dbt" / "manifest.json"


@pytest.fixture(scope="module")
def marts(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(database(home)), read_only=True) as connection:
        yield connection


def database(home: Path) -> Path:
    return home / "published" / "current" / "tierwise.duckdb"


# The contract, as readers see it.


def undescribed(tables: list[Table]) -> list[str]:
    """Columns without words, and numbers without a unit."""
    return [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.columns
        for unit in (UNITS.get(column.type.partition("(")[0]),)
        if len(column.description.split()) < 3 or (unit and not re.search(unit, column.description))
    ]


def test_every_published_column_has_a_description_and_every_measure_its_unit(
    manifest: Path,
) -> None:
    tables = read_tables(manifest)
    assert len(tables) > 30
    assert undescribed(tables) == []


@pytest.mark.parametrize(
    ("column", "description", "faults"),
    [
        ("revenue", "Revenue of the month, in the reporting currency.", 0),
        ("revenue", "Revenue of the month.", 1),
        ("revenue", "", 1),
        ("revenue_share", "Share of the revenue, 0–1.", 0),
        ("revenue_share", "Share of the revenue.", 1),
        ("customers", "Customers of the tier.", 0),
        ("customers", "Those of the tier.", 1),
    ],
)
def test_the_search_for_units_finds_a_missing_one(
    manifest: Path, tmp_path: Path, column: str, description: str, faults: int
) -> None:
    spoiled = json.loads(manifest.read_text())
    node = spoiled["nodes"]["model.tierwise.policy_comparison"]
    node["columns"][column]["description"] = description
    (tmp_path / "manifest.json").write_text(json.dumps(spoiled))
    assert len(undescribed(read_tables(tmp_path / "manifest.json"))) == faults


def test_every_published_table_says_what_it_is_for(manifest: Path) -> None:
    for table in read_tables(manifest):
        assert table.used_for.endswith("."), table.name
        assert table.grain.startswith("One row per "), table.name


def test_the_columns_told_are_those_of_the_publication(
    manifest: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    for table in read_tables(manifest):
        found = marts.execute(f"describe {table.qualified_name}").fetchall()
        types = {name: kind.lower().replace(",", ", ") for name, kind, *_ in found}
        told = {column.name: column.type for column in table.columns}
        assert types == told, table.name


def exposures(manifest: Path) -> dict[str, dict[str, Any]]:
    found = json.loads(manifest.read_text())["exposures"].values()
    return {exposure["name"]: exposure for exposure in found}


def depends_on(exposure: dict[str, Any]) -> set[str]:
    return {parent.rsplit(".", 1)[1] for parent in exposure["depends_on"]["nodes"]}


def test_every_exposure_has_an_owner_and_a_description(manifest: Path) -> None:
    found = exposures(manifest)
    assert set(found) >= {"report", "retention_list", "renewal_list", "exports", "postgresql"}
    for exposure in found.values():
        assert exposure["owner"]["name"], exposure["name"]
        assert len(exposure["description"].split()) > 5, exposure["name"]


def test_the_exposure_of_the_report_names_what_the_report_reads(manifest: Path) -> None:
    figures = (REPOSITORY / "orchestration" / "report" / "figures.py").read_text()
    read = set(re.findall(r"\b(?:marts|audit|snapshots)\.(\w+)", figures))
    assert depends_on(exposures(manifest)["report"]) == read


@pytest.mark.parametrize("name", ["exports", "postgresql"])
def test_exports_and_copies_name_every_published_table(manifest: Path, name: str) -> None:
    published = {table.name for table in read_tables(manifest)}
    assert depends_on(exposures(manifest)[name]) == published


# The pages made from it.


def is_the_same(found: str, made: str) -> bool:
    """Whether two pages say the same, but for the last digits of a fitted probability."""
    numbers = [
        [float(number.replace(",", "")) for number in NUMBER.findall(page)]
        for page in (found, made)
    ]
    return NUMBER.sub("0", found) == NUMBER.sub("0", made) and numbers[0] == pytest.approx(
        numbers[1], rel=TOLERANCE, abs=0.01
    )


def test_the_pages_are_current(home: Path, manifest: Path) -> None:
    made = pages(manifest, database(home))
    assert set(made) == {"catalogue.md", "columns.md", "relationships.md"}
    stale = [name for name, text in made.items() if not is_the_same(_page(name), text)]
    assert stale == [], "run `python -m orchestration.documentation pages` on a home of the sample"


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("revenue 1,234.50 of 3", True),
        ("revenue 1,234.51 of 3", True),
        ("revenue 1,264.50 of 3", False),
        ("revenue 1,234.50 of 4", False),
        ("margin 1,234.50 of 3", False),
    ],
)
def test_a_stale_page_is_found(other: str, same: bool) -> None:
    assert is_the_same("revenue 1,234.50 of 3", other) is same


def test_references_that_only_names_tell_hold_on_the_sample(
    manifest: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    tables = {table.name: table for table in read_tables(manifest)}
    references = read_references(manifest)
    assert len(references) > 30
    for reference in references:
        source, target = tables[reference.table], tables[reference.to]
        strays = marts.execute(
            f"select count(*) from {source.qualified_name} as source "
            f"anti join {target.qualified_name} as target "
            f"on source.{reference.column} = target.{target.key[0]} "
            f"where source.{reference.column} is not null"
        ).fetchone()
        assert strays == (0,), reference


def test_links_between_the_pages_lead_somewhere() -> None:
    for name in ("catalogue.md", "columns.md", "relationships.md", "bi.md"):
        for path, anchor in re.findall(r"\]\(([\w./]*)#?([\w-]*)\)", _page(name)):
            target = DOCS / (path or name)
            assert target.exists(), f"{name}: {path}"
            assert not anchor or f'<a id="{anchor}"></a>' in _page(path or name), anchor


# The questions and their answers.


def test_every_role_asks_something() -> None:
    assert len(QUESTIONS) >= LEAST_QUESTIONS
    assert [question.number for question in QUESTIONS] == list(range(1, len(QUESTIONS) + 1))
    assert {question.role for question in QUESTIONS} == ROLES
    assert [question.name for question in QUESTIONS if not question.question.endswith("?")] == []


def test_a_question_without_its_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "01_a.sql").write_text("-- Role: Finance\n-- Question: Why?\n\nselect 1\n")
    with pytest.raises(ConfigurationError, match=r"01_a\.sql does not begin"):
        read_questions(tmp_path)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_answer_equals_a_second_computation(
    question: Any, home: Path, marts: duckdb.DuckDBPyConnection
) -> None:
    given = answer(marts, question)
    second = SECOND_ANSWERS[question.name](Published(home / "published" / "current"))
    assert given.rows, "the sample answers every question"
    assert len(given.rows) == len(second)
    for row, other in zip(given.rows, second, strict=True):
        assert len(row) == len(other)
        assert all(map(is_equal, row, other)), (row, other)


@pytest.mark.skipif(
    server_programs() is None,
    reason="PostgreSQL is not installed (Debian: apt-get install postgresql)",
)
def test_postgresql_gives_the_same_answers(home: Path, marts: duckdb.DuckDBPyConnection) -> None:
    with postgres_server() as server:
        loaded = tierwise("publish", "postgres", "--dsn", server.dsn, "--home", home)
        assert loaded.returncode == 0, loaded.stdout + loaded.stderr
        with psycopg.connect(server.dsn) as connection:
            for question in QUESTIONS:
                rows = connection.execute(question.sql.encode()).fetchall()
                others = answer(marts, question).rows
                assert len(rows) == len(others), question.name
                for row, other in zip(rows, others, strict=True):
                    assert all(map(is_equal, row, other)), (question.name, row, other)


def is_equal(value: Any, other: Any) -> bool:
    """Exactly, unless one of the two is a float."""
    value, other = plain(value), plain(other)
    if isinstance(value, float) or isinstance(other, float):
        return None not in (value, other) and float(value) == pytest.approx(float(other))
    return bool(value == other)


def plain(value: Any) -> Any:
    """A value of DuckDB or pandas as Python has it; null is None."""
    if value is None or (not isinstance(value, str | dt.date | Decimal) and pd.isna(value)):
        return None
    if value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date()
    return value.item() if hasattr(value, "item") else value


# What a reader does with it.


def test_the_file_is_of_the_storage_version_that_the_docs_name(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    named = "select tags['storage_version'] from duckdb_databases() where not internal"
    assert marts.execute(named).fetchone() == ("v1.0.0+",)
    assert "storage version 1.0" in _page("bi.md")


def examples() -> list[tuple[str, str]]:
    return [
        (f"{name} {number}", code)
        for name in ("docs/bi.md", "docs/catalogue.md", "README.md")
        for number, code in enumerate(EXAMPLE.findall((REPOSITORY / name).read_text()), start=1)
    ]


@pytest.mark.parametrize(("name", "code"), examples(), ids=[name for name, _ in examples()])
def test_every_python_example_runs_as_it_stands(name: str, code: str, folder: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, f"{name}: {outcome.stderr}"


@pytest.fixture(scope="module")
def site(home: Path) -> Path:
    """The site that `make docs` writes."""
    outcome = subprocess.run(
        [sys.executable, "-m", "orchestration.documentation", "site", "--home", home],
        cwd=REPOSITORY, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert outcome.stdout == f"Documentation: {home / 'docs' / 'index.html'}\n"
    return home / "docs" / "index.html"


def test_the_site_names_no_path_of_the_machine(site: Path, home: Path) -> None:
    page = site.read_text(encoding="utf-8")
    for place in (home, home.parent, REPOSITORY, Path.home(), Path(sys.prefix)):
        assert f"{place}/" not in page.replace("https://", ""), place


def test_the_site_asks_nothing_of_a_network(site: Path) -> None:
    page = site.read_text(encoding="utf-8")
    assert page.count("<head>") == 1
    assert '<head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'' in page


@pytest.mark.skipif(chromium() is None, reason="Chromium is not installed")
def test_the_site_opens_in_a_browser_from_the_file_alone(site: Path) -> None:
    with browser_page() as page:
        page.show(1280)
        page.open(f"{site.as_uri()}#!/model/model.tierwise.customer_monthly")
        page.wait_for("document.body.innerText.includes('in the reporting currency')")
        page.open(f"{site.as_uri()}#!/overview")
        page.wait_for("document.body.innerText.includes('You read figures')")
        assert [request for request in page.requests if not is_local(request)] == []


def is_local(request: str) -> bool:
    return request.startswith(("file:", "data:", "blob:", "about:"))


def test_a_home_without_a_publication_is_told_so(tmp_path: Path) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "orchestration.documentation", "site", "--home", tmp_path],
        cwd=REPOSITORY, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("Nothing is published in ")


# The metrics.


@pytest.fixture(scope="module")
def metrics(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    """What MetricFlow answers."""
    return ask(home, project_beside(tmp_path_factory.mktemp("metrics")), QUERIES)


@pytest.mark.parametrize("name", QUERIES)
def test_metricflow_says_what_the_marts_say(
    name: str, metrics: dict[str, pd.DataFrame], marts: duckdb.DuckDBPyConnection
) -> None:
    asked = QUERIES[name].split()[1].split(",")
    keys = [column for column in metrics[name].columns if column not in asked]
    frame = metrics[name].dropna(subset=keys).dropna(subset=asked, how="all")
    frame = frame.sort_values(keys)[[*keys, *asked]]
    rows = [
        (dt.date.fromisoformat(row[0][:10]), *row[1:])
        for row in frame.itertuples(index=False, name=None)
    ]
    expected = marts.execute(IN_THE_MARTS[name]).fetchall()
    assert rows
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert all(map(is_equal_number, row, other)), (row, other)


def is_equal_number(value: Any, other: Any) -> bool:
    """Equal to what a file of numbers without types can hold."""
    value, other = plain(value), plain(other)
    if isinstance(value, int | float) and other is not None:
        return float(value) == pytest.approx(float(other), rel=1e-6)
    return bool(value == (other.date() if isinstance(other, dt.datetime) else other))


def test_every_figure_of_the_rulebook_has_its_metric(manifest: Path) -> None:
    known = {metric["name"] for metric in json.loads(manifest.read_text())["metrics"].values()}
    assert set(METRICS.split()) <= known
