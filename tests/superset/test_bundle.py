"""The files of the Superset bundle: current, complete, and right about one another."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from orchestration.errors import ConfigurationError
from orchestration.superset.__main__ import app
from orchestration.superset.bundle import (
    SOURCE,
    Kind,
    dataset_files,
    write_datasets,
    write_zip,
)
from orchestration.superset.datasets import (
    datasets,
    read_declarations,
    read_models,
    uuid_of,
)

COLUMNS_WIDE = 12
PASSWORD = "s3cret"


def read(folder: str) -> dict[str, dict[str, Any]]:
    """The documents of a folder of the bundle by the names of their files."""
    return {
        path.stem: yaml.safe_load(path.read_text()) for path in (SOURCE / folder).glob("*.yaml")
    }


CHARTS = read("charts")
DASHBOARDS = read("dashboards")
DATASETS = {dataset["uuid"]: dataset for dataset in datasets().values()}


def columns_of(dataset: dict[str, Any]) -> set[str]:
    return {column["column_name"] for column in dataset["columns"]}


def metrics_of(dataset: dict[str, Any]) -> set[str]:
    return {metric["metric_name"] for metric in dataset["metrics"]}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def used_columns(params: dict[str, Any]) -> Iterator[str]:
    for name in (
        "x_axis", "source", "target", "groupby", "groupby_b", "groupbyRows", "groupbyColumns",
        "all_columns",
    ):  # fmt: skip
        yield from as_list(params.get(name))
    for order in params.get("order_by_cols", []):
        yield json.loads(order)[0]
    for condition in [*params["adhoc_filters"], *params.get("adhoc_filters_b", [])]:
        if condition["expressionType"] == "SIMPLE":
            yield condition["subject"]


def used_metrics(params: dict[str, Any]) -> Iterator[str]:
    for name in ("metric", "metrics", "metrics_b", "timeseries_limit_metric", "x_axis_sort"):
        yield from as_list(params.get(name))


def charts_of(dashboard: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Where each chart of a dashboard stands, by the name of its file."""
    return {
        name.removeprefix("CHART-"): place["meta"]
        for name, place in dashboard["position"].items()
        if name.startswith("CHART-")
    }


def test_dataset_files_are_those_the_contracts_make() -> None:
    written = {
        path.relative_to(SOURCE): path.read_text() for path in (SOURCE / "datasets").rglob("*.yaml")
    }
    assert written == dataset_files(), "write them: python -m orchestration.superset datasets"


def test_writing_datasets_mends_and_removes(tmp_path: Path) -> None:
    write_datasets(tmp_path)
    folder = tmp_path / "datasets" / "tierwise"
    (folder / "loads.yaml").write_text("stale")
    (folder / "of_old.yaml").write_text("stale")
    write_datasets(tmp_path)
    assert "stale" not in (folder / "loads.yaml").read_text()
    assert not (folder / "of_old.yaml").exists()


@pytest.fixture(scope="module")
def empty_marts() -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables as their contracts say, without a row."""
    with duckdb.connect() as connection:
        for model in read_models().values():
            columns = ", ".join(f'"{name}" {kind}' for name, (kind, _) in model.columns.items())
            connection.execute(f"create schema if not exists {model.schema}")
            connection.execute(f"create table {model.schema}.{model.name} ({columns})")
        yield connection


def source_of(dataset: dict[str, Any]) -> str:
    return dataset["sql"] or f"select * from {dataset['schema']}.{dataset['table_name']}"


@pytest.mark.parametrize("name", datasets())
def test_a_dataset_is_sql_that_runs(empty_marts: duckdb.DuckDBPyConnection, name: str) -> None:
    dataset = datasets()[name]
    derived = [column["expression"] for column in dataset["columns"] if column["expression"]]
    metrics = [metric["expression"] for metric in dataset["metrics"]]
    source = empty_marts.sql(source_of(dataset))
    own = columns_of(dataset) - {
        column["column_name"] for column in dataset["columns"] if column["expression"]
    }
    assert set(source.columns) == own
    assert len(source.columns) == len(own), "two columns of one name"
    for expression in [*derived, *metrics]:
        empty_marts.sql(f"select {expression} from ({source_of(dataset)}) as rows")


def test_every_column_and_metric_is_described() -> None:
    for dataset in DATASETS.values():
        for one in [*dataset["columns"], *dataset["metrics"]]:
            assert one["description"] and one["verbose_name"], (dataset["table_name"], one)
        assert all(metric["d3format"] for metric in dataset["metrics"])


def test_labels_are_of_columns() -> None:
    columns = {name for model in read_models().values() for name in model.columns}
    assert set(read_declarations()["labels"]) <= columns


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_uses_what_its_dataset_has(
    empty_marts: duckdb.DuckDBPyConnection, name: str
) -> None:
    chart = CHARTS[name]
    params = chart["params"]
    dataset = DATASETS[chart["dataset_uuid"]]
    assert chart["uuid"] == uuid_of("chart", name)
    assert chart["viz_type"] == params["viz_type"]
    assert chart["description"]
    assert set(used_columns(params)) <= columns_of(dataset)
    metrics = set(used_metrics(params))
    assert metrics <= metrics_of(dataset)
    assert metrics or params.get("all_columns")
    for condition in params["adhoc_filters"]:
        if condition["expressionType"] == "SQL":
            empty_marts.sql(
                f"select 1 from ({source_of(dataset)}) as rows where {condition['sqlExpression']}"
            )


def test_every_dataset_and_every_chart_is_shown_once() -> None:
    shown = [name for dashboard in DASHBOARDS.values() for name in charts_of(dashboard)]
    assert sorted(shown) == sorted(CHARTS)
    assert {chart["dataset_uuid"] for chart in CHARTS.values()} == set(DATASETS)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_is_laid_out(name: str) -> None:
    dashboard = DASHBOARDS[name]
    position = dashboard["position"]
    assert dashboard["uuid"] == uuid_of("dashboard", name)
    for chart, meta in charts_of(dashboard).items():
        assert (meta["uuid"], meta["sliceName"]) == (
            CHARTS[chart]["uuid"],
            CHARTS[chart]["slice_name"],
        )
    reached = []
    for row in position["GRID_ID"]["children"]:
        inside = position[row]["children"]
        reached += inside
        if inside:
            assert sum(position[one]["meta"]["width"] for one in inside) == COLUMNS_WIDE
    assert sorted(reached) == sorted(f"CHART-{chart}" for chart in charts_of(dashboard))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_filters_reach_the_charts_they_are_for(name: str) -> None:
    """A month that is set from the start must not leave a chart with every month added up."""
    dashboard = DASHBOARDS[name]
    charts = charts_of(dashboard)
    for declared in dashboard["metadata"]["native_filter_configuration"]:
        (target,) = declared["targets"]
        column = target["column"]["name"]
        assert column in columns_of(DATASETS[target["datasetUuid"]])
        excluded = declared["scope"]["excluded"]
        assert set(excluded) <= {meta["chartId"] for meta in charts.values()}
        reached = [
            chart
            for chart, meta in charts.items()
            if meta["chartId"] not in excluded
            and column in columns_of(DATASETS[CHARTS[chart]["dataset_uuid"]])
        ]
        assert reached
        if declared["requiredFirst"]:
            assert len(reached) == len(charts) - len(excluded), declared["name"]


def documents(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as bundle:
        return {name: yaml.safe_load(bundle.read(name)) for name in bundle.namelist()}


def test_the_tree_names_no_place() -> None:
    (database,) = read("databases").values()
    assert database["sqlalchemy_uri"] == (
        "duckdb:////PATH/TO/home/published/current/tierwise.duckdb"
    )
    assert database["uuid"] == uuid_of("database", "tierwise")


def test_the_zip_reads_the_current_publication_read_only(tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    home = tmp_path / "home"
    result = CliRunner().invoke(app, ["zip", "--home", str(home), "--out", str(out)])
    assert result.exit_code == 0, result.output
    found = documents(out)
    assert found["tierwise/metadata.yaml"]["type"] == "Dashboard"
    database = found["tierwise/databases/tierwise.yaml"]
    assert database["sqlalchemy_uri"] == f"duckdb:///{home}/published/current/tierwise.duckdb"
    assert database["extra"]["engine_params"] == {"connect_args": {"read_only": True}}
    assert not any(database[right] for right in ("allow_dml", "allow_ctas", "allow_cvas"))
    assert len(found) == len(list(SOURCE.rglob("*.yaml")))


def test_the_zip_reads_another_database_by_its_address(tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    address = "postgresql://reader@db.example:5432/bi"
    result = CliRunner().invoke(app, ["zip", "--database", address, "--replace", "--out", str(out)])
    assert result.exit_code == 0, result.output
    found = documents(out)
    assert found["tierwise/metadata.yaml"]["type"] == "assets"
    database = found["tierwise/databases/tierwise.yaml"]
    # Superset asks for the password where it finds this in its place.
    assert database["sqlalchemy_uri"] == "postgresql://reader:XXXXXXXXXX@db.example:5432/bi"
    assert "engine_params" not in database["extra"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"postgresql://reader:{PASSWORD}@db.example/bi", "leave it out"),
        (f"reader:{PASSWORD}@db.example/bi", "holds no address"),
    ],
)
def test_a_password_is_neither_kept_nor_shown(tmp_path: Path, address: str, words: str) -> None:
    out = tmp_path / "out.zip"
    with pytest.raises(ConfigurationError, match=words) as refused:
        write_zip(out, address, Kind.DASHBOARDS)
    assert PASSWORD not in str(refused.value)
    assert not out.exists()


def test_the_same_bundle_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_zip(tmp_path / name, "duckdb:////marts.duckdb", Kind.DASHBOARDS)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_a_zip_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere.*--out"):
        write_zip(tmp_path / "nowhere" / "out.zip", "duckdb:////marts.duckdb", Kind.ASSETS)
