"""Superset's datasets, made from the contracts of the marts and `datasets.yml`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestration.publish.contract import PUBLISHED_SCHEMAS
from orchestration.warehouse.project import PROJECT_DIR

DECLARATIONS = Path(__file__).with_name("datasets.yml")
VERSION = "1.0.0"
MONTH = "month"
MONTH_NAME = "year_month"
# The namespace of every uuid of the bundle: the same name is the same object in Superset.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "tierwise/superset")
_TIMES = ("DATE", "TIMESTAMP")


def uuid_of(kind: str, name: str) -> str:
    """The uuid of an object of the bundle, e.g. of the dataset `loads`."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}"))


@dataclass(frozen=True)
class Model:
    """A published model as its YAML describes it; a column is its type and its words."""

    schema: str
    name: str
    description: str
    columns: dict[str, tuple[str, str]]


def read_models(project: Path = PROJECT_DIR) -> dict[str, Model]:
    """The published models by name, read from the project's YAML without dbt."""
    models = {}
    for schema in PUBLISHED_SCHEMAS:
        for path in sorted((project / "models" / schema).rglob("*__models.yml")):
            for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]:
                models[model["name"]] = Model(
                    schema=schema,
                    name=model["name"],
                    description=_words(model["description"]),
                    columns={
                        column["name"]: (column["data_type"].upper(), _words(column["description"]))
                        for column in model["columns"]
                    },
                )
    return models


def read_declarations() -> dict[str, Any]:
    """What `datasets.yml` says."""
    declarations: dict[str, Any] = yaml.safe_load(DECLARATIONS.read_text(encoding="utf-8"))
    return declarations


def datasets() -> dict[str, dict[str, Any]]:
    """Every dataset of the bundle in Superset's export format, by name."""
    models, declarations = read_models(), read_declarations()
    return {
        declared["name"]: _dataset(declared, models, declarations)
        for declared in declarations["datasets"]
    }


def _dataset(
    declared: dict[str, Any], models: dict[str, Model], declarations: dict[str, Any]
) -> dict[str, Any]:
    base = models[declared["base"]]
    is_plain = not declared.get("joins") and not declared.get("only")
    return {
        "table_name": declared["name"] if not is_plain else base.name,
        "main_dttm_col": declared.get("time"),
        "description": _description(declared, base),
        "catalog": None,
        "schema": base.schema,
        "sql": None if is_plain else _query(declared, models),
        "uuid": uuid_of("dataset", declared["name"]),
        "metrics": [
            {
                "metric_name": metric["name"],
                "verbose_name": metric["label"],
                "expression": metric["sql"],
                "description": metric["description"],
                "d3format": declarations["formats"].get(metric["format"], metric["format"]),
            }
            for metric in declared["metrics"]
        ],
        "columns": list(_columns(declared, models, declarations["labels"])),
        "version": VERSION,
        "database_uuid": uuid_of("database", "tierwise"),
    }


def _description(declared: dict[str, Any], base: Model) -> str:
    words = [base.description]
    words += [f"Only {column} = {value}." for column, value in declared.get("only", {}).items()]
    if joins := declared.get("joins"):
        words.append(f"With columns of {', '.join(join['table'] for join in joins)}.")
    return " ".join(words)


def _sources(
    declared: dict[str, Any], models: dict[str, Model]
) -> list[tuple[Model, dict[str, Any] | None, list[str]]]:
    """The tables of a dataset, how each is joined, and the columns taken from it."""
    base = models[declared["base"]]
    joined = [(models[join["table"]], join, join["columns"]) for join in declared.get("joins", [])]
    return [(base, None, list(base.columns)), *joined]


def _query(declared: dict[str, Any], models: dict[str, Model]) -> str:
    sources = _sources(declared, models)
    selected = [f"    {model.name}.{column}" for model, _, taken in sources for column in taken]
    base = sources[0][0]
    lines = ["select", ",\n".join(selected), f"from {base.schema}.{base.name}"]
    for number, (model, join, _) in enumerate(sources):
        if join is None:
            continue
        conditions = [
            f"{_holder(sources[:number], column)}.{column} = {model.name}.{column}"
            for column in join["by"]
        ]
        kind = "join" if join.get("whole") else "left join"
        lines.append(f"{kind} {model.schema}.{model.name}")
        lines.append(f"    on {' and '.join(conditions)}")
    lines += [
        f"where {base.name}.{column} = '{value}'"
        for column, value in declared.get("only", {}).items()
    ]
    return "\n".join(lines)


def _holder(sources: list[tuple[Model, dict[str, Any] | None, list[str]]], column: str) -> str:
    return next(model.name for model, _, taken in sources if column in taken)


def _columns(
    declared: dict[str, Any], models: dict[str, Model], labels: dict[str, str]
) -> Iterator[dict[str, Any]]:
    labels = labels | {metric["name"]: metric["label"] for metric in declared["metrics"]}
    for model, _, taken in _sources(declared, models):
        for name in taken:
            kind, description = model.columns[name]
            label = labels.get(name, name.replace("_", " ").capitalize())
            yield _column(name, label, kind, description)
    if declared.get("time") == MONTH:
        yield _column(
            MONTH_NAME,
            "Month",
            "VARCHAR",
            "The month as text, e.g. 2026-06, for filters.",
            f"substring(cast({MONTH} as varchar), 1, 7)",
        )
    for derived in declared.get("derived", []):
        yield _column(
            derived["name"], derived["label"], "VARCHAR", derived["description"], derived["sql"]
        )


def _column(
    name: str, label: str, kind: str, description: str, expression: str | None = None
) -> dict[str, Any]:
    return {
        "column_name": name,
        "verbose_name": label,
        "is_dttm": kind in _TIMES,
        "type": kind,
        "groupby": True,
        "filterable": True,
        "expression": expression,
        "description": description,
        "python_date_format": "%Y-%m-%d" if kind == "DATE" else None,
    }


def _words(text: str) -> str:
    return " ".join(text.split())
