"""The dbt models as assets: two invocations, before and after the marts are accepted."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import dbt_assets
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from orchestration.audit.evidence import keep_dbt_artifacts
from orchestration.errors import BuildFailedError, DataBlockedError, TierwiseError
from orchestration.publish.contract import PUBLISHED_SCHEMAS
from orchestration.report.page import make_ready as make_report_ready
from orchestration.resources import Dbt
from orchestration.session import RunSession
from orchestration.warehouse.built import forget_built, remember_built
from orchestration.warehouse.dbt_worker import LOG_NAME, RUN_RESULTS
from orchestration.warehouse.keys import dbt_key
from orchestration.warehouse.translator import WarehouseTranslator

EVERYTHING = "fqn:*"
EVIDENCE = "tag:evidence"
MEMORY_RAN_OUT = "Out of Memory Error"  # as DuckDB says it
BUILD_ARGUMENTS = ("build", "--exclude-resource-type", "unit_test")


def warehouse_assets(manifest_path: Path) -> list[dg.AssetsDefinition]:
    """The models up to the marts, and the evidence: snapshot and audit tables.

    Logic is proven by dbt's unit tests when the project is tested, not at every run; data
    tests run with the models and stand in Dagster as asset checks.
    """
    manifest: dict[str, Any] = json.loads(manifest_path.read_text())
    titles = {
        "build_marts": "Build the marts",
        "build_evidence": "Snapshot the tiers and write the audit tables",
    }

    def build(
        name: str, select: str = EVERYTHING, exclude: str | None = None
    ) -> dg.AssetsDefinition:
        @dbt_assets(
            manifest=manifest,
            name=name,
            dagster_dbt_translator=WarehouseTranslator(),
            required_resource_keys={"session", "dbt"},
            select=select,
            exclude=exclude,
        )
        def build_models(context: dg.AssetExecutionContext) -> Iterator[Any]:
            session: RunSession = context.resources.session
            session.progress.phase(titles[name])
            is_marts = name == "build_marts"
            if is_marts:
                forget_built(session.home)
            try:
                yield from _run_dbt(context, context.resources.dbt, session, manifest)
            except TierwiseError:
                keep_dbt_artifacts(session.home, session.run_id, name)
                raise
            keep_dbt_artifacts(session.home, session.run_id, name)
            if not is_marts:
                context.resources.dbt.close()
            if is_marts and session.load_result and not context.is_subset:
                remember_built(session.home, session.load_result.built)

        return build_models

    return [build("build_marts", exclude=EVIDENCE), build("build_evidence", select=EVIDENCE)]


def _run_dbt(
    context: dg.AssetExecutionContext,
    dbt: Dbt,
    session: RunSession,
    manifest: Mapping[str, Any],
) -> Iterator[Any]:
    """Run one dbt invocation and pass its events on while it works.

    Published tables wait for the end, to be shown with their rows: these are read from
    DuckDB's catalogue, and an open reader would make dbt's next write fail. What waits for
    something that dbt did not tell of would be left out without a word, so all must be told.
    """
    invocation = dbt.build(BUILD_ARGUMENTS, context, session.home.dbt)
    # dbt works in a process of its own; this one has time for what comes after.
    Thread(target=make_report_ready, daemon=True).start()
    total = _selected_nodes(context)
    told = 0
    waiting: list[tuple[dg.Output[Any], tuple[str, ...]]] = []
    try:
        for event in invocation.stream():
            told += isinstance(event, dg.Output | dg.AssetCheckResult)
            session.progress.step(_name_of(event), told, total)
            table = _table_of(event, manifest) if isinstance(event, dg.Output) else ()
            if isinstance(event, dg.Output) and table and table[0] in PUBLISHED_SCHEMAS:
                waiting.append((event, table))
            else:
                yield event
    except DagsterDbtCliRuntimeError as error:
        raise _told(session) from error
    finally:
        # The warehouse holds names in clear: it is for the owner of the home alone.
        if session.home.warehouse.exists():
            session.home.warehouse.chmod(0o600)
    if told != total:
        raise BuildFailedError(
            f"dbt ended well but told of {told} of {total} models and tests. Nothing was "
            f"published; the last publication is untouched. {session.home.dbt / LOG_NAME} shows "
            "what it did. Run again."
        )
    rows = _row_counts(session)
    for event, table in waiting:
        yield event.with_metadata({**event.metadata, "dagster/row_count": rows[table]})


def _told(session: RunSession) -> DataBlockedError | BuildFailedError:
    """What failed, by name: an invariant of the models, a model itself, or dbt."""
    log = session.home.dbt / LOG_NAME
    path = session.home.dbt / RUN_RESULTS
    results = json.loads(path.read_text())["results"] if path.is_file() else []
    failed = [result for result in results if result["status"] in ("fail", "error")]
    if not failed:
        return BuildFailedError(
            "dbt ended before it had built everything. Nothing was published; the last "
            f"publication is untouched. {log} shows why. If another program has "
            f"{session.home.warehouse} open, close it; if memory ran out, lower the setting "
            "memory_limit. Then run again."
        )
    names = ", ".join(result["unique_id"].split(".")[2] for result in failed)
    if all(result["status"] == "fail" for result in failed):
        session.is_refused = True
        return DataBlockedError(
            f"Blocked: these invariants of the models do not hold: {names}. Nothing was "
            f"published; the last publication is untouched. {log} shows the rows that fail."
        )
    if any(MEMORY_RAN_OUT in (result["message"] or "") for result in failed):
        return BuildFailedError(
            f"memory ran out while dbt built: {names}. Nothing was published; the last "
            "publication is untouched. Raise the setting memory_limit (now "
            f"{session.settings.memory_limit}) and run again; {log} shows what was needed."
        )
    return BuildFailedError(
        f"dbt could not build: {names}. Nothing was published; the last publication is "
        f"untouched. {log} shows why; this is a fault of the models, not of the delivery."
    )


def _selected_nodes(context: dg.AssetExecutionContext) -> int:
    return len(context.selected_asset_keys) + len(context.selected_asset_check_keys)


def _name_of(event: Any) -> str:
    if isinstance(event, dg.AssetCheckResult):
        return str(event.check_name)
    return str(event.output_name) if isinstance(event, dg.Output) else type(event).__name__


def _row_counts(session: RunSession) -> dict[tuple[str, ...], int]:
    with duckdb.connect(str(session.home.warehouse), read_only=True) as connection:
        return {
            (schema, table): size
            for schema, table, size in connection.execute(
                "select schema_name, table_name, estimated_size from duckdb_tables()"
            ).fetchall()
        }


def _table_of(output: dg.Output[Any], manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Schema and name of the table an output tells of; empty if it tells of none."""
    unique_id = output.metadata.get("unique_id")
    node = manifest["nodes"].get(unique_id.value) if unique_id else None
    return tuple(dbt_key(node).path) if node else ()
