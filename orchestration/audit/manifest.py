"""manifest.json: what a publication is, from what, by which rules, checked by what."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from orchestration.home import Home
from orchestration.publish.publication import DATABASE, MANIFEST, PublishedOutput


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest as it was written."""
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def write_manifest(path: Path, manifest: dict[str, Any]) -> str:
    """Write a manifest in one canonical form and return its SHA-256."""
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text)
    return file_sha256(path)


def published_files(folder: Path) -> list[dict[str, Any]]:
    """Path, size and SHA-256 of every file of a publication but the manifest itself."""
    return [
        {
            "path": path.relative_to(folder).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": file_sha256(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    ]


def evidence_tables(publication: Path, run_id: str) -> dict[str, Any]:
    """Inputs, validation and reconciliations of a run, read from its own publication."""
    with duckdb.connect(str(publication / DATABASE), read_only=True) as connection:
        return {
            "inputs": _rows(
                connection,
                """
                select feed, file_name, file_sha256, file_bytes, rows_in_file, rows_loaded,
                    rows_quarantined, rows_duplicate, status, reason, run_id as loaded_by
                from audit.load order by feed, file_name, loaded_at, load_id
                """,
            ),
            "validation": _rows(
                connection,
                f"""
                select suite, count(*) as checked,
                    sum(case when not success then 1 else 0 end)::bigint as failed,
                    sum(case when not success and severity = 'critical' then 1 else 0 end)::bigint
                        as failed_critical
                from audit.validation where run_id = '{run_id}' group by suite order by suite
                """,
            ),
            "reconciliation": _rows(
                connection,
                f"""
                select control, source_total::varchar as source_total,
                    warehouse_total::varchar as warehouse_total,
                    difference::varchar as difference, passed
                from audit.reconciliation where run_id = '{run_id}' order by control
                """,
            ),
        }


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def outputs(published: list[PublishedOutput]) -> list[dict[str, Any]]:
    """Rows and content hash of every published table."""
    return [asdict(output) for output in published]


def dbt_evidence(home: Home) -> dict[str, Any]:
    """Which dbt invocation built the publication, and the hash of what it compiled."""
    results = json.loads((home.dbt / "run_results.json").read_text())
    return {
        "dbt_version": results["metadata"]["dbt_version"],
        "invocation_id": results["metadata"]["invocation_id"],
        "manifest_sha256": file_sha256(home.dbt / "manifest.json"),
    }
