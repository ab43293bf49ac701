"""The published tables as a reader meets them: by topic, with keys, columns and references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.publish.contract import published_tables

# Topics in reading order, each with the folders of the dbt project it is made of.
TOPICS = {
    "Customers and regions": ("shared", "customers", "regions"),
    "Revenue and receivables": ("revenue", "receivables"),
    "Value and stars": ("value", "stars"),
    "Tiers": ("tiers", "snapshots"),
    "Complaints": ("complaints",),
    "Risk": ("churn",),
    "Acting": ("acting",),
    "Evidence": ("evidence", "reconciliation"),
}
_FOLDERS = [folder for folders in TOPICS.values() for folder in folders]
_CLAUSE_END = re.compile(r"[.;:](?=\s|$)")
_REFERENCE = re.compile(r"ref\('(\w+)'\)")


@dataclass(frozen=True)
class Column:
    """A column; `is_nullable` where the contract allows null, unknown without a contract."""

    name: str
    type: str
    description: str
    is_nullable: bool


@dataclass(frozen=True)
class Table:
    """A published table: where it stands, what a row is, and what it is for."""

    schema: str
    name: str
    folder: str
    description: str
    used_for: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def qualified_name(self) -> str:
        """Schema and name, as a query names it."""
        return f"{self.schema}.{self.name}"

    @property
    def topic(self) -> str:
        """The topic it belongs to."""
        return next(topic for topic, folders in TOPICS.items() if self.folder in folders)

    @property
    def grain(self) -> str:
        """What a row is: the description up to the first stop that is not in brackets."""
        for stop in _CLAUSE_END.finditer(self.description):
            words = self.description[: stop.start()]
            if words.count("(") == words.count(")"):
                return words
        return self.description

    def column(self, name: str) -> Column:
        """A column by its name."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Reference:
    """A column that names a row of another table; tested by dbt, or by the contract's names."""

    table: str
    column: str
    to: str
    is_tested: bool


def read_tables(manifest_path: Path) -> list[Table]:
    """The published tables in the order of the topics, read from dbt's manifest."""
    nodes = _nodes(manifest_path)
    tables = []
    for published in published_tables(manifest_path):
        node = nodes[published.name]
        tables.append(
            Table(
                schema=published.schema,
                name=published.name,
                folder=Path(node["original_file_path"]).parent.name,
                description=" ".join(published.description.split()),
                used_for=node["config"]["meta"]["used_for"],
                key=published.key,
                columns=tuple(_column(node, column) for column in node["columns"].values()),
            )
        )
    return sorted(tables, key=lambda table: _FOLDERS.index(table.folder))


def read_references(manifest_path: Path) -> list[Reference]:
    """References between published tables: those dbt tests, then those the names tell.

    A column named like the key of a dimension, of the runs or of the loads holds such a
    key; that holds for every published table, and dbt tests the ones that could break.
    """
    tables = read_tables(manifest_path)
    tested = list(_tested(manifest_path, {table.name for table in tables}))
    known = {(reference.table, reference.column) for reference in tested}
    by_name = [
        Reference(table.name, key, target.name, is_tested=False)
        for table in tables
        for target in tables
        for key in (target.key[0],)
        if len(target.key) == 1 and (target.name.startswith("dim_") or target.schema == "audit")
        if table is not target and (table.name, key) not in known and target.name != "dim_month"
        if any(column.name == key for column in table.columns)
    ]
    return sorted(tested + by_name, key=lambda each: (each.table, each.column))


def _nodes(manifest_path: Path) -> dict[str, Any]:
    manifest = json.loads(manifest_path.read_text())
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "snapshot")
    }


def _column(node: dict[str, Any], column: dict[str, Any]) -> Column:
    is_enforced = node["config"].get("contract", {}).get("enforced", False)
    return Column(
        name=column["name"],
        type=column["data_type"],
        description=" ".join(column["description"].split()),
        is_nullable=is_enforced
        and all(rule["type"] != "not_null" for rule in column["constraints"]),
    )


def _tested(manifest_path: Path, published: set[str]) -> Iterator[Reference]:
    for node in json.loads(manifest_path.read_text())["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") != "relationships":
            continue
        found = _REFERENCE.search(test["kwargs"]["to"])
        table = node["attached_node"].rsplit(".", 1)[1]
        if found and table in published and found.group(1) in published:
            yield Reference(table, node["column_name"], found.group(1), is_tested=True)
