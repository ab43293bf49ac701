"""The ledger of runs: one small Parquet file per finished run, never changed afterwards."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.audit.manifest import file_sha256, read_manifest
from orchestration.home import Home
from orchestration.publish.publication import MANIFEST, current_publication, list_publications

RunStatus = Literal["published", "blocked", "failed"]

_SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("started_at", pa.timestamp("us")),
        ("finished_at", pa.timestamp("us")),
        ("status", pa.string()),
        ("closing_month", pa.date32()),
        ("code_version", pa.string()),
        ("config_sha256", pa.string()),
        ("policy_sha256", pa.string()),
        ("manifest_sha256", pa.string()),
        ("previous_manifest_sha256", pa.string()),
    ]
)


@dataclass(frozen=True)
class RunRecord:
    """One finished run; times are UTC, hashes are SHA-256 in hexadecimal."""

    run_id: str
    started_at: dt.datetime
    finished_at: dt.datetime
    status: RunStatus
    closing_month: dt.date | None
    code_version: str
    config_sha256: str | None
    policy_sha256: str | None
    manifest_sha256: str | None = None
    previous_manifest_sha256: str | None = None


def _folder(home: Home) -> Path:
    return home.audit / "runs"


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    temporary = path.with_suffix(".unfinished")
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), temporary)
    temporary.replace(path)


def _without_zone(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def ensure_ledger(home: Home) -> None:
    """Create the ledger with an empty file, so that it can always be read as a whole."""
    _folder(home).mkdir(parents=True, exist_ok=True)
    schema = _folder(home) / "schema.parquet"
    if not schema.exists():
        _write(schema, [])


def record_run(home: Home, record: RunRecord) -> None:
    """Add a finished run to the ledger."""
    ensure_ledger(home)
    row = {
        **record.__dict__,
        "started_at": _without_zone(record.started_at),
        "finished_at": _without_zone(record.finished_at),
    }
    _write(_folder(home) / f"{record.run_id}.parquet", [row])


def is_recorded(home: Home, run_id: str) -> bool:
    """Whether a run stands in the ledger."""
    return (_folder(home) / f"{run_id}.parquet").exists()


def finished_runs(home: Home) -> list[RunRecord]:
    """All finished runs, oldest first."""
    if not _folder(home).is_dir():
        return []
    rows = pq.read_table(_folder(home), schema=_SCHEMA).to_pylist()
    return sorted((RunRecord(**row) for row in rows), key=lambda record: record.run_id)


def recover_publications(home: Home) -> None:
    """Bring publications and ledger into agreement after a killed run.

    A publication that readers already see is entered; one that was never switched to is
    removed, since nobody has seen it and its run will be done again.
    """
    for run_id in list_publications(home):
        if is_recorded(home, run_id):
            continue
        folder = home.published / run_id
        if current_publication(home) == run_id:
            record_run(home, published_record(folder / MANIFEST))
        else:
            shutil.rmtree(folder)


def published_record(manifest_path: Path) -> RunRecord:
    """The ledger's row of a publication, from its manifest."""
    manifest = read_manifest(manifest_path)
    run = manifest["run"]
    return RunRecord(
        run_id=run["run_id"],
        started_at=dt.datetime.fromisoformat(run["started_at"]),
        finished_at=dt.datetime.fromisoformat(run["finished_at"]),
        status="published",
        closing_month=dt.date.fromisoformat(run["closing_month"]),
        code_version=manifest["code"]["version"],
        config_sha256=manifest["configuration"]["config_sha256"],
        policy_sha256=manifest["configuration"]["policy_sha256"],
        manifest_sha256=file_sha256(manifest_path),
        previous_manifest_sha256=manifest["previous_manifest_sha256"],
    )
