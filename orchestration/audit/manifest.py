"""manifest.json: what a run is, from what, by which rules, checked by what, and what it gave.

Every run leaves one, whether it published or not, and each names the ones before it by
their hashes: nothing can be changed, left out or put in between without breaking that.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.results import ExpectationResult, LayerResult
from orchestration.audit.evidence import (
    DBT_MANIFEST,
    KEPT_RESULTS,
    evidence_of_run,
    keep_reference_set,
    lake_files,
    validation_of_earlier_runs,
)
from orchestration.audit.files import (
    as_written,
    file_sha256,
    listed,
    read_manifest,
    write_manifest,
)
from orchestration.audit.publication_log import event_files
from orchestration.audit.run_page import write_run_page
from orchestration.audit.runs import (
    RunRecord,
    RunStatus,
    finished_runs,
    record_of,
    runs_folder,
)
from orchestration.home import Home
from orchestration.ingest.lake import Lake
from orchestration.publish.publication import MANIFEST, PublishedOutput

if TYPE_CHECKING:
    from orchestration.session import RunSession

VERSION = 2
_SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class Published:
    """What a run published: the tables, and the folder they were written to."""

    folder: Path
    tables: list[PublishedOutput]


def keep_manifest(
    session: RunSession, status: RunStatus, published: Published | None = None
) -> RunRecord:
    """Put the evidence of a run together at its end; the row for the ledger of runs.

    Keeps the reference set in force and writes the run's own page on the way. The caller
    holds the home's lock.
    """
    home = session.home
    path = home.run_evidence(session.run_id) / MANIFEST
    manifest = as_written(_manifest(session, status, published))
    page = write_run_page(home, manifest)
    # A run that failed while it published has a page already: the new one stands for it.
    evidence = {entry["path"]: entry for entry in manifest["evidence"]}
    evidence |= {entry["path"]: entry for entry in listed([page], home.root)}
    manifest["evidence"] = [evidence[name] for name in sorted(evidence)]
    sha256 = write_manifest(path, manifest)
    return record_of(manifest, sha256)


def _manifest(
    session: RunSession, status: RunStatus, published: Published | None
) -> dict[str, Any]:
    home, run_id = session.home, session.run_id
    policy_sha256 = keep_reference_set(home)
    known = _files_known(home)
    return {
        "manifest_version": VERSION,
        "run": _run(session, status),
        "code": {"version": session.code_version},
        "configuration": _configuration(session, policy_sha256),
        "inputs": _inputs(home, run_id),
        **_validation(session),
        "reconciliation": _rows_of_warehouse(
            home,
            "select control, source_total, warehouse_total, difference, tolerance, passed "
            f"from audit.reconciliation where run_id = '{run_id}' order by control",
        ),
        "tiers_moved": _tiers_moved(session) if published else [],
        "dbt": _dbt(home, run_id),
        "outputs": [asdict(table) for table in published.tables] if published else [],
        "files": _published_files(published.folder) if published else [],
        "lake": listed(lake_files(home), home.root, known),
        "evidence": listed(evidence_of_run(home, run_id, policy_sha256), home.root),
        "earlier_validation": listed(validation_of_earlier_runs(home, run_id), home.root, known),
        "publication_log": listed(event_files(home), home.root),
        **_earlier_runs(home, run_id),
    }


def _run(session: RunSession, status: RunStatus) -> dict[str, Any]:
    loaded = session.load_result
    return {
        "run_id": session.run_id,
        "status": status,
        "started_at": session.started_at.astimezone(dt.UTC).isoformat(),
        "finished_at": dt.datetime.now(dt.UTC).isoformat(),
        "closing_month": loaded.closing_month if loaded else None,
        "first_month": loaded.first_month if loaded else None,
    }


def _configuration(session: RunSession, policy_sha256: str | None) -> dict[str, Any]:
    settings = session.settings
    return {
        "reporting_currency": settings.reporting_currency,
        "timezone": settings.timezone,
        "tier_policy": settings.tier_policy,
        "through": settings.through,
        "quarantine_share_limit": settings.quarantine_share_limit,
        "config_sha256": session.load_result.config_sha256 if session.load_result else None,
        "policy_sha256": policy_sha256,
        "reference": {
            path.stem: file_sha256(path) for path in sorted(session.home.reference.glob("*.csv"))
        },
    }


def _inputs(home: Home, run_id: str) -> list[dict[str, Any]]:
    """Every loaded file, with its place in the order of delivery; and what this run saw.

    Each with the control totals declared of it. `delivery_rank` is null for a load that no
    longer counts, or never did.
    """
    lake = Lake(home.root)
    if not any(lake.ledger.glob("*.parquet")):
        return []
    active = f"read_parquet('{lake.active_loads}')"
    if not lake.active_loads.exists():
        active = "(select '' as load_id, 0 as delivery_rank where false)"
    with duckdb.connect() as connection:
        inputs = _rows(
            connection,
            f"""
            select loads.load_id, loads.feed, loads.file_name, loads.file_sha256,
                loads.file_bytes, loads.delivered_at, loads.rows_in_file, loads.rows_loaded,
                loads.rows_quarantined, loads.rows_duplicate, loads.status, loads.reason,
                loads.run_id as loaded_by, active.delivery_rank
            from read_parquet('{lake.ledger}/*.parquet', union_by_name = true) as loads
            left join {active} as active on loads.load_id = active.load_id
            where loads.status = 'loaded' or loads.run_id = '{run_id}'
            order by loads.feed, loads.file_name, loads.loaded_at, loads.load_id
            """,
        )
        totals = _declared_totals(connection, lake)
    return [{**entry, "control_totals": totals.get(entry["load_id"], [])} for entry in inputs]


def _declared_totals(
    connection: duckdb.DuckDBPyConnection, lake: Lake
) -> dict[str, list[dict[str, Any]]]:
    """What the senders declared of their files and what was found, by load."""
    found: dict[str, list[dict[str, Any]]] = {}
    if any(lake.control_totals.glob("*.parquet")):
        for total in _rows(
            connection,
            "select load_id, measure, "
            "columns(['declared', 'loaded', 'quarantined', 'duplicate'])::varchar "
            f"from read_parquet('{lake.control_totals}/*.parquet') order by load_id, measure",
        ):
            found.setdefault(total.pop("load_id"), []).append(total)
    return found


def _validation(session: RunSession) -> dict[str, Any]:
    """Suites with their counts, every failure, and who answered for which."""
    layers = list(session.layers.values())
    failures = [result for layer in layers for result in layer.results if not result.success]
    accepted = {failure.expectation_id for failure in failures if failure.accepted_by}
    return {
        "validation": [line for layer in layers for line in _suites(layer)],
        "failures": [_failure(failure) for failure in failures],
        "acceptances": [
            {**asdict(answer), "is_used": answer.check in accepted}
            for answer in session.acceptances
        ],
    }


def _suites(layer: LayerResult) -> Iterable[dict[str, Any]]:
    for suite in layer.suites:
        yield {
            "suite": suite.suite,
            "layer": layer.layer,
            "dataset": suite.dataset,
            "checked": len(suite.results),
            "failed": {name: len(suite.failed(name)) for name in _SEVERITIES},
        }


def _failure(failure: ExpectationResult) -> dict[str, Any]:
    left_out = ("run_id", "success")
    return {name: value for name, value in asdict(failure).items() if name not in left_out}


def _tiers_moved(session: RunSession) -> list[dict[str, Any]]:
    loaded = session.load_result
    assert loaded is not None
    return _rows_of_warehouse(
        session.home,
        "select tier_from, tier_to, customers, revenue from marts.tier_migration_monthly "
        f"where month = date '{loaded.closing_month}' order by tier_from, tier_to",
    )


def _dbt(home: Home, run_id: str) -> dict[str, Any] | None:
    """Which dbt invocations built the tables, and the hash of the project they built."""
    folder = home.run_evidence(run_id) / "dbt"
    if not (folder / DBT_MANIFEST).exists():
        return None
    metadata = {
        path.name.removesuffix(KEPT_RESULTS): json.loads(path.read_text())["metadata"]
        for path in sorted(folder.glob(f"*{KEPT_RESULTS}"))
    }
    project = gzip.decompress((folder / DBT_MANIFEST).read_bytes())
    return {
        "dbt_version": json.loads(project)["metadata"]["dbt_version"],
        "invocation_ids": {step: found["invocation_id"] for step, found in metadata.items()},
        "manifest_sha256": hashlib.sha256(project).hexdigest(),
    }


def _published_files(folder: Path) -> list[dict[str, Any]]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return listed(found, folder)


def _earlier_runs(home: Home, run_id: str) -> dict[str, Any]:
    earlier = [
        {
            "run_id": record.run_id,
            "status": record.status,
            "manifest_sha256": record.manifest_sha256,
            "record_sha256": file_sha256(runs_folder(home) / f"{record.run_id}.parquet"),
        }
        for record in finished_runs(home)
        if record.run_id != run_id
    ]
    last = earlier[-1] if earlier else None
    return {
        "earlier_runs": earlier,
        "previous_run_id": last["run_id"] if last else None,
        "previous_manifest_sha256": last["manifest_sha256"] if last else None,
    }


def _files_known(home: Home) -> dict[str, dict[str, Any]]:
    """What the last run's manifest lists of the files that are written once."""
    manifests = sorted(home.evidence.glob(f"*/{MANIFEST}"))
    if not manifests:
        return {}
    last = read_manifest(manifests[-1])
    return {
        entry["path"]: entry
        for name in ("lake", "evidence", "earlier_validation")
        for entry in last[name]
    }


def _rows_of_warehouse(home: Home, query: str) -> list[dict[str, Any]]:
    """Rows of the warehouse; none where the run ended before the table was built."""
    if not home.warehouse.exists():
        return []
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        try:
            return _rows(connection, query)
        except duckdb.CatalogException:
            return []


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
