"""The ledger of runs: one small Parquet file per finished run, never changed afterwards."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.context import data_docs_folder
from expectations.docs.index import write_killed_pages
from orchestration.audit.files import file_sha256, read_manifest
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
        ("accepted_failures", pa.int64()),
    ]
)


@dataclass(frozen=True)
class RunRecord:
    """One finished run; times are UTC without a zone, hashes SHA-256 in hexadecimal.

    `accepted_failures` counts the critical failures a person answered for.
    """

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
    accepted_failures: int | None = 0


def runs_folder(home: Home) -> Path:
    """Where the ledger of runs lies."""
    return home.audit / "runs"


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    temporary = path.with_suffix(".unfinished")
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), temporary)
    temporary.replace(path)


def _without_zone(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def ensure_ledger(home: Home) -> None:
    """Create the ledger with an empty file, so that it can always be read as a whole."""
    runs_folder(home).mkdir(parents=True, exist_ok=True)
    schema = runs_folder(home) / "schema.parquet"
    if not schema.exists():
        _write(schema, [])


def record_run(home: Home, record: RunRecord) -> None:
    """Add a finished run to the ledger."""
    ensure_ledger(home)
    row = {
        **asdict(record),
        "started_at": _without_zone(record.started_at),
        "finished_at": _without_zone(record.finished_at),
    }
    _write(runs_folder(home) / f"{record.run_id}.parquet", [row])


def is_recorded(home: Home, run_id: str) -> bool:
    """Whether a run stands in the ledger."""
    return (runs_folder(home) / f"{run_id}.parquet").exists()


def finished_runs(home: Home) -> list[RunRecord]:
    """All finished runs, oldest first."""
    if not runs_folder(home).is_dir():
        return []
    rows = pq.read_table(runs_folder(home), schema=_SCHEMA).to_pylist()
    return sorted((RunRecord(**row) for row in rows), key=lambda record: record.run_id)


def read_record(source: Any) -> RunRecord:
    """One run from its file of the ledger (a path, or an open binary file)."""
    (row,) = pq.read_table(source, schema=_SCHEMA).to_pylist()
    return RunRecord(**row)


def record_of(manifest: dict[str, Any], manifest_sha256: str) -> RunRecord:
    """The ledger's row of a run, from its manifest."""
    run, configuration = manifest["run"], manifest["configuration"]
    closing_month = run["closing_month"]
    return RunRecord(
        run_id=run["run_id"],
        started_at=_without_zone(dt.datetime.fromisoformat(run["started_at"])),
        finished_at=_without_zone(dt.datetime.fromisoformat(run["finished_at"])),
        status=run["status"],
        closing_month=dt.date.fromisoformat(closing_month) if closing_month else None,
        code_version=manifest["code"]["version"],
        config_sha256=configuration["config_sha256"],
        policy_sha256=configuration["policy_sha256"],
        manifest_sha256=manifest_sha256,
        previous_manifest_sha256=manifest["previous_manifest_sha256"],
        accepted_failures=sum(answer["is_used"] for answer in manifest["acceptances"]),
    )


def recover_publications(home: Home) -> None:
    """Bring publications, evidence and ledger into agreement after a killed run.

    A publication that readers already see is entered; one that was never switched to is
    removed, since nobody has seen it and its run will be done again. A killed run keeps the
    pages of what it checked, with one of its own that says what became of it.
    """
    for run_id in list_publications(home):
        if is_recorded(home, run_id):
            continue
        manifest = home.published / run_id / MANIFEST
        if current_publication(home) == run_id:
            record_run(home, record_of(read_manifest(manifest), file_sha256(manifest)))
        else:
            shutil.rmtree(manifest.parent)
    for folder in home.evidence.glob("*"):
        if not is_recorded(home, folder.name):
            shutil.rmtree(folder)
    for page in data_docs_folder(home.root).glob("runs/*.html"):
        if not is_recorded(home, page.stem):
            page.unlink()
    write_killed_pages(home.root, lambda run_id: is_recorded(home, run_id))
