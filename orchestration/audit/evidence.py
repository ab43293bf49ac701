"""What a run leaves as evidence, where each piece lies, and who may take it away."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

from expectations.context import context_folder, data_docs_folder
from expectations.results import results_folder
from orchestration.home import Home
from orchestration.ingest.lake import SCHEMA_FILE, Lake
from orchestration.ingest.reference import reference_sha256
from orchestration.warehouse.dbt_worker import RUN_RESULTS

DBT_MANIFEST = "manifest.json.gz"
KEPT_RESULTS = f".{RUN_RESULTS}"


def keep_dbt_artifacts(home: Home, run_id: str, step: str) -> None:
    """Keep what dbt says of the invocation just made; the next one overwrites it.

    A dbt that could not begin, or was killed, leaves no results.
    """
    folder = home.run_evidence(run_id) / "dbt"
    folder.mkdir(parents=True, exist_ok=True)
    if (home.dbt / RUN_RESULTS).is_file():
        shutil.copyfile(home.dbt / RUN_RESULTS, folder / f"{step}{KEPT_RESULTS}")
    manifest = (home.dbt / "manifest.json").read_bytes()
    (folder / DBT_MANIFEST).write_bytes(gzip.compress(manifest, compresslevel=6, mtime=0))


def keep_reference_set(home: Home) -> str | None:
    """Keep the reference set in force under its hash; the hash, or None without a set."""
    if not any(home.reference.glob("*.csv")):
        return None
    sha256 = reference_sha256(home.reference)
    target = home.reference_set(sha256)
    if not target.is_dir():
        unfinished = target.with_name(f".unfinished-{sha256}")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for table in home.reference.glob("*.csv"):
            shutil.copyfile(table, unfinished / table.name)
        unfinished.rename(target)
    return sha256


def evidence_of_run(home: Home, run_id: str, policy_sha256: str | None) -> Iterator[Path]:
    """The files a run leaves beside its publication, but its manifest.

    Validation results, what Great Expectations stored, its pages, dbt's artifacts and the
    reference set. Pages of a run's own lie in `data_docs/<room>/<run_id>…`.
    """
    docs = data_docs_folder(home.root)
    stored = context_folder(home.root) / "uncommitted" / "validations"
    yield from results_folder(home.root).glob(f"{run_id}-*.parquet")
    yield from stored.glob(f"*/{run_id}/*/*.json")
    yield from docs.glob(f"validations/*/{run_id}/*/*.html")
    yield from docs.glob(f"*/{run_id}*.html")
    yield from (home.run_evidence(run_id) / "dbt").glob("*.gz")
    yield from (home.run_evidence(run_id) / "dbt").glob("*.json")
    if policy_sha256:
        yield from home.reference_set(policy_sha256).glob("*.csv")


def validation_of_earlier_runs(home: Home, run_id: str) -> Iterator[Path]:
    """The results files that stood beside this run's own: the audit tables hold them all."""
    for path in results_folder(home.root).glob("*.parquet"):
        if path.name != SCHEMA_FILE and not path.name.startswith(f"{run_id}-"):
            yield path


def lake_files(home: Home) -> Iterator[Path]:
    """The ledger, and the rows of every load in it: what a run builds its figures from.

    With them the links of released rows, which audit.quarantine tells.
    """
    lake = Lake(home.root)
    for folder in (lake.ledger, lake.quarantine, lake.releases, lake.root / "raw"):
        for path in folder.rglob("*.parquet"):
            if path.name != SCHEMA_FILE:
                yield path
