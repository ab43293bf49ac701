"""The settings of the run in progress, one row of the lake for the models to read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import duckdb

from orchestration.ingest.lake import Lake, write_parquet
from orchestration.ingest.sources import Sources
from orchestration.settings import Settings


def config_sha256(settings: Settings, sources: Sources) -> str:
    """Hash of the settings and sources that shape figures; not of places or memory."""
    shaping = {
        "reporting_currency": settings.reporting_currency,
        "timezone": settings.timezone,
        "tier_policy": settings.tier_policy,
        "through": settings.through.isoformat() if settings.through else None,
        "quarantine_share_limit": settings.quarantine_share_limit,
        "quarantine_share_limits": settings.quarantine_share_limits,
        "sources": sources.declared(),
    }
    return hashlib.sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()


RUN_SETTINGS_TYPES = {
    "run_id": "varchar",
    "started_at": "timestamp",
    "reporting_currency": "varchar",
    "tier_policy": "varchar",
    "timezone": "varchar",
    "first_month": "date",
    "closing_month": "date",
    "changed_since": "date",
    "late_changed_since": "date",
    "months_at_once": "bigint",
    "recent_months": "bigint",
    "code_version": "varchar",
    "config_sha256": "varchar",
    "policy_sha256": "varchar",
}


def shaping_sha256(*hashes: str) -> str:
    """Hash of several hashes: of all that shapes figures besides the loads."""
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def write_run_settings(
    connection: duckdb.DuckDBPyConnection, lake: Lake, values: Mapping[str, object]
) -> None:
    """Write the one row; a column of RUN_SETTINGS_TYPES that `values` lacks is null."""
    values = {name: values.get(name) for name in RUN_SETTINGS_TYPES}
    columns = ", ".join(f"cast(${n} as {t}) as {n}" for n, t in RUN_SETTINGS_TYPES.items())
    write_parquet(connection, f"select {columns}", lake.run_settings, values)
