"""How dbt's nodes stand in Dagster: keys, groups, and the gate before the snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from orchestration.warehouse.keys import VALIDATION_RESULTS, dbt_key


class WarehouseTranslator(DagsterDbtTranslator):
    """One asset per dbt node, grouped by the schema it lands in."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """The key of a node, as every other module makes it."""
        return dbt_key(dict(dbt_resource_props))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The schema: raw, reference, staging, intermediate, marts, snapshots, audit."""
        if dbt_resource_props["resource_type"] == "source":
            return "control" if dbt_resource_props["source_name"] == "control" else "raw"
        return str(dbt_resource_props["schema"])

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """The node; a snapshot also waits for the validation of every mart.

        A belief is worth keeping only if the marts were accepted, all of them, not just
        the one it is taken from.
        """
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id.startswith("snapshot."):
            return spec.merge_attributes(deps=[VALIDATION_RESULTS])
        return spec
