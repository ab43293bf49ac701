"""A past run built once more in a scratch home, from what it read, and compared."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from expectations.contract import Period
from expectations.results import Acceptance, Layer, ensure_schema
from expectations.runner import validate_layer
from orchestration.audit.chain import Difference, Link
from orchestration.audit.files import file_sha256, read_manifest
from orchestration.audit.runs import ensure_ledger
from orchestration.checks.sources import (
    contract_mapping,
    published_tiers,
    validation_source,
)
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.ingest.lake import Lake, create_raw_views, make_folder, write_schemas
from orchestration.ingest.ledger import write_active_loads, write_ledger_schema
from orchestration.ingest.load import settle_months, settle_settings
from orchestration.ingest.quarantine import write_quarantine_schema
from orchestration.ingest.reference import compose_reference
from orchestration.ingest.sql import connect
from orchestration.ingest.superseded import write_superseded_rows
from orchestration.publish.content_hash import content_hash
from orchestration.publish.publication import MANIFEST
from orchestration.publish.retention import NEEDED_BY_THE_NEXT_RUN, publication_or_kept_part
from orchestration.settings import Settings, engine_limit
from orchestration.warehouse.project import (
    PROJECT_DIR,
    REFERENCE_DEFAULTS,
    code_version,
    dbt_environment,
    dbt_executable,
)

OnStep = Callable[[str], None]
SNAPSHOT = "snapshots.customer_tier_snapshot"
RECONCILIATION = "audit.reconciliation"
_SNAPSHOT_FOLDER = f"parquet/{SNAPSHOT.replace('.', '/')}"
# Tests are no output: they are left out, as unit tests are in a run.
_DBT_BUILD = ("build", "--exclude-resource-type", "unit_test", "test")
_EVIDENCE = "tag:evidence"


@dataclass
class Reproduction:
    """What came of building a run again; `differences` name inputs or tables."""

    tables: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether every table came out as it was published."""
        return not self.differences


def reproduce(
    home: Home, link: Link, scratch: Home, memory_limit: str, on_step: OnStep
) -> Reproduction:
    """Build a published run again and compare the content of every table.

    The run gets what it had: the rows of its loads, the load ledger and the ledger of
    runs as they stood, its reference set, settings and start, and the beliefs about tiers
    that the publication before it holds. Where an input is no longer what the run read,
    nothing is built.

    Raises:
        ConfigurationError: the run published nothing, or evidence it needs is gone.
    """
    manifest = link.manifest
    if manifest is None or manifest["run"]["status"] != "published":
        raise ConfigurationError(
            f"Run {link.run_id} published nothing: there is nothing to reproduce. "
            "`tierwise audit list` shows the runs that published."
        )
    found = Reproduction()
    if manifest["code"]["version"] != code_version():
        found.notes.append(
            f"The run was made by {manifest['code']['version']}, this is {code_version()}: a "
            "difference may come from the code."
        )
    if link.let_go and not (home.published / link.run_id).is_dir():
        found.notes.append(
            f"The publication of run {link.run_id} was let go ({link.let_go.told()}); its tables "
            "are compared with the content hashes of its manifest."
        )
    on_step("Compare the inputs with their hashes")
    found.differences += _inputs_changed(home, manifest)
    if found.differences:
        return found
    on_step("Put the inputs in place")
    settings = _place_inputs(home, manifest, scratch, memory_limit)
    _place_beliefs(home, manifest, scratch)
    _build(home, manifest, settings, scratch, on_step)
    on_step("Compare the tables")
    found.tables = len(manifest["outputs"])
    found.differences += _tables_differing(manifest, scratch)
    return found


def _inputs_changed(home: Home, manifest: dict[str, Any]) -> Iterator[Difference]:
    """Files the run read that are gone or changed; its rule tables among them."""
    reference = manifest["configuration"]
    tables = [
        {"path": f"audit/reference_sets/{reference['policy_sha256']}/{name}.csv", "sha256": sha256}
        for name, sha256 in reference["reference"].items()
    ]
    earlier = _evidence_of_earlier_runs(home, manifest)
    for entry in (*manifest["lake"], *manifest["earlier_validation"], *tables, *earlier):
        path = home.root / entry["path"]
        if not path.is_file():
            yield Difference(entry["path"], "an input of the run is missing")
        elif file_sha256(path) != entry["sha256"]:
            yield Difference(entry["path"], "an input of the run was changed")


def _evidence_of_earlier_runs(home: Home, manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Records, manifests, and what the run took from the publication before it.

    Each with the hash it should have. Of a publication that was let go, that part stays.
    """
    for run in manifest["earlier_runs"]:
        kept = f"audit/evidence/{run['run_id']}/{MANIFEST}"
        yield {"path": kept, "sha256": run["manifest_sha256"]}
        yield {"path": f"audit/runs/{run['run_id']}.parquet", "sha256": run["record_sha256"]}
    before = _published_before(manifest)
    if before and (home.run_evidence(before) / MANIFEST).is_file():
        for entry in read_manifest(home.run_evidence(before) / MANIFEST)["files"]:
            if entry["path"].startswith(NEEDED_BY_THE_NEXT_RUN):
                path = publication_or_kept_part(home, before) / entry["path"]
                yield {**entry, "path": path.relative_to(home.root).as_posix()}


def _published_before(manifest: dict[str, Any]) -> str | None:
    """The last run before this one that published."""
    published = [r["run_id"] for r in manifest["earlier_runs"] if r["status"] == "published"]
    return published[-1] if published else None


def _place_inputs(
    home: Home, manifest: dict[str, Any], scratch: Home, memory_limit: str
) -> Settings:
    """Lake, ledgers, reference set and settings as the run had them."""
    scratch.prepare()
    records = [f"audit/runs/{earlier['run_id']}.parquet" for earlier in manifest["earlier_runs"]]
    for name in ("lake", "earlier_validation"):
        records += [entry["path"] for entry in manifest[name]]
    for path in records:
        _link_or_copy(home.root / path, scratch.root / path)
    ensure_ledger(scratch)
    ensure_schema(scratch.root)
    configuration, run = manifest["configuration"], manifest["run"]
    settings = Settings(
        home=scratch.root,
        reporting_currency=configuration["reporting_currency"],
        timezone=configuration["timezone"],
        tier_policy=configuration["tier_policy"],
        through=dt.date.fromisoformat(configuration["through"])
        if configuration["through"]
        else None,
        quarantine_share_limit=configuration["quarantine_share_limit"],
        memory_limit=memory_limit,
    )
    lake = Lake(scratch.root)
    make_folder(lake.reference)
    reference = compose_reference(
        REFERENCE_DEFAULTS,
        home.reference_set(configuration["policy_sha256"]),
        lake.reference,
        tier_policy=settings.tier_policy,
    )
    make_folder(lake.scratch)
    connection = connect(engine_limit(memory_limit), lake.scratch / "spill")
    try:
        write_ledger_schema(connection, lake)
        write_quarantine_schema(connection, lake)
        write_schemas(connection, lake)
        write_active_loads(connection, lake)
        write_superseded_rows(connection, lake)
        create_raw_views(connection, lake.home)
        started_at = dt.datetime.fromisoformat(run["started_at"])
        settle_settings(
            connection,
            lake,
            settings,
            settle_months(connection, lake, settings, started_at),
            run_id=run["run_id"],
            started_at=started_at,
            code_version=manifest["code"]["version"],
            config_sha256=configuration["config_sha256"],
            policy_sha256=reference.sha256,
        )
    finally:
        connection.close()
        shutil.rmtree(lake.scratch, ignore_errors=True)
    return settings


def _link_or_copy(source: Path, target: Path) -> None:
    """The file under another name; a copy where the disk is another."""
    make_folder(target.parent)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _place_beliefs(home: Home, manifest: dict[str, Any], scratch: Home) -> None:
    """The snapshot as the publication before the run left it.

    Beliefs of runs that never published play no part: each run undoes them first.
    """
    before = _published_before(manifest)
    if before is None:
        return
    folder = publication_or_kept_part(home, before) / _SNAPSHOT_FOLDER
    with duckdb.connect(str(scratch.warehouse)) as connection:
        connection.execute("create schema if not exists snapshots")
        connection.execute(
            f"create table {SNAPSHOT} as select * from read_parquet('{folder}/*.parquet')"
        )


def _build(
    home: Home, manifest: dict[str, Any], settings: Settings, scratch: Home, on_step: OnStep
) -> None:
    """What a run does between loading and publishing, in the same order."""
    on_step("Validate the raw data")
    _validate("raw", home, manifest, settings, scratch)
    on_step("Build the marts")
    _dbt(settings, scratch, "--exclude", _EVIDENCE)
    _add_earlier_reconciliations(home, manifest, scratch)
    on_step("Validate the marts")
    _validate("marts", home, manifest, settings, scratch)
    on_step("Snapshot the tiers and write the audit tables")
    _dbt(settings, scratch, "--select", _EVIDENCE)


def _validate(
    layer: Layer, home: Home, manifest: dict[str, Any], settings: Settings, scratch: Home
) -> None:
    run, before = manifest["run"], _published_before(manifest)
    validate_layer(
        layer,
        home=scratch.root,
        run_id=run["run_id"],
        connection=validation_source(layer, scratch, settings.engine_limit),
        contract=contract_mapping(),
        period=Period(
            dt.date.fromisoformat(run["closing_month"]),
            settings.reporting_currency,
            dt.datetime.fromisoformat(run["started_at"]).date(),
        ),
        acceptances=[
            Acceptance(answer["check"], answer["by"], answer["reason"])
            for answer in manifest["acceptances"]
        ],
        tiers=published_tiers(home, before) if before else None,
    )


def _dbt(settings: Settings, scratch: Home, *selection: str) -> None:
    outcome = subprocess.run(
        [dbt_executable(), "--quiet", *_DBT_BUILD, *selection, "--project-dir", str(PROJECT_DIR)],
        env={**os.environ, **dbt_environment(scratch, settings.memory_limit)},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise ConfigurationError(
            "dbt could not build the run again with the models installed here:\n"
            + (outcome.stdout + outcome.stderr).strip()
        )


def _add_earlier_reconciliations(home: Home, manifest: dict[str, Any], scratch: Home) -> None:
    """The table keeps what earlier runs reconciled; their manifests say what."""
    with duckdb.connect(str(scratch.warehouse)) as connection:
        for earlier in manifest["earlier_runs"]:
            for control in read_manifest(home.run_evidence(earlier["run_id"]) / MANIFEST)[
                "reconciliation"
            ]:
                columns = {"run_id": earlier["run_id"], **control}
                connection.execute(
                    f"insert into {RECONCILIATION} ({', '.join(columns)}) "
                    f"values ({', '.join('?' for _ in columns)})",
                    list(columns.values()),
                )


def _tables_differing(manifest: dict[str, Any], scratch: Home) -> Iterator[Difference]:
    with duckdb.connect(str(scratch.warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for output in manifest["outputs"]:
            try:
                found = content_hash(connection, output["table"])
            except duckdb.CatalogException:
                yield Difference(output["table"], "is not built by the models installed here")
                continue
            if found != output["content_hash"]:
                rows = int(found.split("-")[0])
                told = (
                    f"{rows:,} rows, published were {output['rows']:,}"
                    if rows != output["rows"]
                    else f"other values in its {rows:,} rows"
                )
                yield Difference(output["table"], f"came out differently: {told}")
