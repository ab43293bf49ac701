"""dbt's own tests of the project: every unit test, on an operator of four customers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from expectations.results import ensure_schema
from tests.support.landing import write_small_operator
from tests.support.scratch_home import ScratchHome

LEAST_UNIT_TESTS = 100
COMMENT_WORDS = 3


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ScratchHome:
    """A home in which dbt has built everything and run every test, unit tests included."""
    folder = tmp_path_factory.mktemp("project")
    write_small_operator(folder)
    home = ScratchHome(folder)
    home.load("20250401T000000Z-00000000")
    ensure_schema(home.home.root)
    home.dbt("build")
    return home


def results(project: ScratchHome) -> list[dict]:
    return json.loads((project.home.dbt / "run_results.json").read_text())["results"]


def manifest(project: ScratchHome) -> dict:
    return json.loads((project.home.dbt / "manifest.json").read_text())


def test_every_unit_test_passes(project: ScratchHome) -> None:
    units = [result for result in results(project) if result["unique_id"].startswith("unit_test.")]
    assert len(units) >= LEAST_UNIT_TESTS
    assert [unit["unique_id"] for unit in units if unit["status"] != "pass"] == []


def test_every_data_test_passes(project: ScratchHome) -> None:
    tests = [result for result in results(project) if result["unique_id"].startswith("test.")]
    assert tests
    assert [test["unique_id"] for test in tests if test["status"] != "pass"] == []


def published_models(project: ScratchHome) -> list[dict]:
    nodes = manifest(project)["nodes"].values()
    return [
        node
        for node in nodes
        if node["resource_type"] == "model" and node["schema"] in ("marts", "audit")
    ]


def test_every_published_model_has_a_contract_a_key_and_an_owner(project: ScratchHome) -> None:
    for model in published_models(project):
        name = model["name"]
        assert model["contract"]["enforced"], name
        assert any(rule["type"] == "primary_key" for rule in model["constraints"]), name
        assert model["group"], name


def test_every_published_column_is_described(project: ScratchHome) -> None:
    for model in published_models(project):
        assert model["description"].startswith("One row per"), model["name"]
        for column in model["columns"].values():
            words = column["description"].split()
            assert len(words) >= COMMENT_WORDS, f"{model['name']}.{column['name']}"


def test_every_primary_key_is_tested(project: ScratchHome) -> None:
    tested = {
        node["attached_node"]
        for node in manifest(project)["nodes"].values()
        if (node.get("test_metadata") or {}).get("name") == "primary_key"
    }
    untested = [
        model["name"] for model in published_models(project) if model["unique_id"] not in tested
    ]
    assert untested == []


def test_only_staging_reads_sources(project: ScratchHome) -> None:
    readers = [
        node["name"]
        for node in manifest(project)["nodes"].values()
        if node["resource_type"] in ("model", "snapshot")
        if any(parent.startswith("source.") for parent in node["depends_on"]["nodes"])
        if not node["name"].startswith("stg_")
    ]
    assert readers == []


def test_no_mart_reads_staging_and_nothing_reads_an_intermediate_from_outside(
    project: ScratchHome,
) -> None:
    """Data flows one way: staging, intermediate, marts; only control rows go straight."""
    for model in published_models(project):
        if model["schema"] == "marts":
            feeds = [
                parent.split(".")[2]
                for parent in model["depends_on"]["nodes"]
                if parent.split(".")[2].startswith("stg_")
                and not parent.split(".")[2].startswith("stg_control__")
            ]
            assert feeds == [], model["name"]


def test_the_small_operator_is_in_the_marts(project: ScratchHome) -> None:
    assert project.rows("select count(*) from marts.dim_customer") == [(4,)]
    assert project.rows("select count(distinct month) from marts.customer_monthly") == [(3,)]


def test_macros_and_models_use_no_engine_only_syntax() -> None:
    """What differs between engines sits in macros behind dispatch."""
    from orchestration.warehouse.project import PROJECT_DIR

    forbidden = r"qualify |::| asof join|group by all|filter \(|\blist_|unnest\("
    offenders = [
        f"{path.relative_to(PROJECT_DIR)}: {found}"
        for folder in ("models", "snapshots", "tests")
        for path in sorted((PROJECT_DIR / folder).rglob("*.sql"))
        for found in re.findall(forbidden, _code(path))
    ]
    assert offenders == []


def _code(path: Path) -> str:
    lines = path.read_text().lower().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))
