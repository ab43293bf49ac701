"""What is published: the tables of the marts, snapshots and audit schemas, with their docs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

PUBLISHED_SCHEMAS = ("marts", "snapshots", "audit")


@dataclass(frozen=True)
class PublishedTable:
    """A published table: where it lies, its key, and the words a reader needs."""

    schema: str
    name: str
    key: tuple[str, ...]
    description: str
    columns: dict[str, str]

    @property
    def qualified_name(self) -> str:
        """Schema and name, for people and for the manifest."""
        return f"{self.schema}.{self.name}"


def published_tables(manifest_path: Path) -> list[PublishedTable]:
    """The tables to publish, in order of schema and name, read from dbt's manifest."""
    manifest = json.loads(manifest_path.read_text())
    tables = []
    for node in manifest["nodes"].values():
        if node["resource_type"] not in ("model", "snapshot"):
            continue
        if node["schema"] not in PUBLISHED_SCHEMAS:
            continue
        tables.append(
            PublishedTable(
                schema=node["schema"],
                name=node.get("alias") or node["name"],
                key=_key(node),
                description=node.get("description", "").strip(),
                columns={
                    name: column.get("description", "").strip()
                    for name, column in node.get("columns", {}).items()
                },
            )
        )
    return sorted(tables, key=lambda table: (PUBLISHED_SCHEMAS.index(table.schema), table.name))


def _key(node: dict[str, object]) -> tuple[str, ...]:
    constraints = node.get("constraints") or []
    assert isinstance(constraints, list)
    for constraint in constraints:
        if constraint["type"] == "primary_key":
            return tuple(constraint["columns"])
    config = node["config"]
    assert isinstance(config, dict)
    unique_key = config.get("unique_key") or []
    key = [unique_key] if isinstance(unique_key, str) else list(unique_key)
    return (*key, "dbt_valid_from") if node["resource_type"] == "snapshot" else tuple(key)
