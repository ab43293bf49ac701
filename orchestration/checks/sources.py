"""What the suites of a layer read: views over the lake, or the warehouse file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from expectations.engine import LakeViews, Source, WarehouseFile
from expectations.results import Layer
from orchestration.home import Home
from orchestration.ingest.lake import raw_view_statements
from orchestration.ingest.sql import literal
from orchestration.publish.publication import list_publications
from orchestration.publish.retention import publication_or_kept_part


def contract_mapping() -> dict[str, Any]:
    """The feed contract as plain YAML: suites know nothing of the loader's objects."""
    text = files("orchestration.ingest").joinpath("feeds.yml").read_text(encoding="utf-8")
    mapping: dict[str, Any] = yaml.safe_load(text)
    return mapping


def validation_source(layer: Layer, home: Home, memory_limit: str) -> Source:
    """Where the suites of a layer find their tables."""
    config = {"memory_limit": memory_limit, "temp_directory": str(home.temporary)}
    if layer == "marts":
        return WarehouseFile(home.warehouse, config)
    return LakeViews(_lake_statements(home), config)


def published_tiers(home: Home, run_id: str) -> Path:
    """The folder of a publication that tells the tiers of its customers."""
    return publication_or_kept_part(home, run_id) / "parquet" / "marts" / "dim_customer"


def last_published_tiers(home: Home) -> Path | None:
    """The tiers that raw rows are told by: those published last, if anything was."""
    published = list_publications(home)
    return published_tiers(home, published[-1]) if published else None


def _lake_statements(home: Home) -> list[str]:
    """The views the raw suites read: those of each feed, and the reference set."""
    statements = [*raw_view_statements(home.root), "create schema reference"]
    for table in sorted(home.reference.glob("*.csv")):
        statements.append(
            f"create view reference.{table.stem} as select * "
            f"from read_csv({literal(table)}, header = true, all_varchar = true)"
        )
    return statements
