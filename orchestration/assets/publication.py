"""The last asset: the accepted marts, published under the run's name."""

import datetime as dt
from typing import Any

import dagster as dg

from orchestration.audit.manifest import (
    dbt_evidence,
    evidence_tables,
    file_sha256,
    outputs,
    published_files,
    write_manifest,
)
from orchestration.audit.runs import published_record, record_run
from orchestration.errors import ConfigurationError
from orchestration.ingest.load import LoadResult
from orchestration.publish.contract import PUBLISHED_SCHEMAS, PublishedTable, published_tables
from orchestration.publish.publication import (
    MANIFEST,
    current_publication,
    finish_publication,
    write_publication,
)
from orchestration.session import RunSession
from orchestration.warehouse.keys import PUBLICATION, table_key


def publication_asset(tables: list[PublishedTable]) -> dg.AssetsDefinition:
    """The publication: marts.duckdb, Parquet and manifest.json, switched in one step."""

    @dg.asset(
        key=PUBLICATION,
        deps=[table_key(table.schema, table.name) for table in tables],
        group_name="publication",
        kinds={"duckdb", "parquet"},
        required_resource_keys={"session"},
        description="What BI tools read: published/current.",
    )
    def publication(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        session: RunSession = context.resources.session
        session.progress.phase("Publish")
        loaded = session.load_result
        if loaded is None:
            raise ConfigurationError(
                "A publication holds what its own run loaded and validated: "
                "run the whole job `tierwise_run`, not the publication alone."
            )
        current_tables = published_tables(session.home.dbt / "manifest.json")
        done = 0

        def on_table(table: PublishedTable, rows: int) -> None:
            nonlocal done
            done += 1
            session.progress.step(f"{table.qualified_name}, {rows:,} rows", done, len(tables))

        unfinished, published = write_publication(
            session.home, session.run_id, current_tables, on_table
        )
        manifest = {
            **_identity(session, loaded),
            **evidence_tables(unfinished, session.run_id),
            "dbt": dbt_evidence(session.home),
            "outputs": outputs(published),
            "files": published_files(unfinished),
            "previous_manifest_sha256": _previous_manifest(session),
        }
        manifest_sha256 = write_manifest(unfinished / MANIFEST, manifest)
        folder = finish_publication(session.home, session.run_id, unfinished)
        record_run(session.home, published_record(folder / MANIFEST))
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(folder)),
                "manifest_sha256": manifest_sha256,
                "tables": len(published),
                "dagster/row_count": sum(output.rows for output in published),
                "schemas": ", ".join(PUBLISHED_SCHEMAS),
            }
        )

    return publication


def _identity(session: RunSession, loaded: LoadResult) -> dict[str, Any]:
    settings = session.settings
    return {
        "manifest_version": 1,
        "run": {
            "run_id": session.run_id,
            "started_at": session.started_at.astimezone(dt.UTC).isoformat(),
            "finished_at": dt.datetime.now(dt.UTC).isoformat(),
            "closing_month": loaded.closing_month.isoformat(),
            "first_month": loaded.first_month.isoformat(),
        },
        "code": {"version": session.code_version},
        "configuration": {
            "reporting_currency": settings.reporting_currency,
            "timezone": settings.timezone,
            "tier_policy": settings.tier_policy,
            "config_sha256": loaded.config_sha256,
            "policy_sha256": loaded.policy_sha256,
            "reference": {
                path.stem: file_sha256(path)
                for path in sorted(session.home.reference.glob("*.csv"))
            },
        },
    }


def _previous_manifest(session: RunSession) -> str | None:
    previous = current_publication(session.home)
    if previous is None:
        return None
    path = session.home.published / previous / MANIFEST
    return file_sha256(path) if path.exists() else None
