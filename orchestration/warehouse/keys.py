"""Asset keys, made here and nowhere else: a check whose key has no asset never runs."""

from __future__ import annotations

from typing import Any

import dagster as dg

PUBLICATION = dg.AssetKey(["publication"])
POSTGRES = dg.AssetKey(["postgres"])
VALIDATION_RESULTS = dg.AssetKey(["control", "validation_results"])


def raw_key(feed: str) -> dg.AssetKey:
    """The rows of one feed in the lake."""
    return dg.AssetKey(["raw", feed])


def control_key(name: str) -> dg.AssetKey:
    """What the loader and the ledgers say about runs."""
    return dg.AssetKey(["control", name])


def table_key(schema: str, name: str) -> dg.AssetKey:
    """A table of the warehouse."""
    return dg.AssetKey([schema, name])


def dbt_key(properties: dict[str, Any]) -> dg.AssetKey:
    """The key of a dbt resource: its source's room, or its schema."""
    if properties["resource_type"] == "source":
        is_control = properties["source_name"] == "control"
        return (control_key if is_control else raw_key)(properties["name"])
    return table_key(properties["schema"], properties["name"])
