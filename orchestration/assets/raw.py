"""The raw feeds and the loader's ledgers as assets: one step loads them all."""

from collections.abc import Iterator

import dagster as dg

from orchestration.errors import DataBlockedError
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.load import load
from orchestration.session import RunSession
from orchestration.warehouse.built import read_built
from orchestration.warehouse.keys import control_key, raw_key

LEDGERS = {
    "run_settings": "The run in progress: its settings and the months it covers.",
    "active_loads": "The loads whose rows count, in order of delivery.",
    "superseded_rows": "Rows that a later delivery of their key supersedes.",
    "loads": "The load ledger: every file a run saw.",
    "quarantined_rows": "Rows that could not be loaded, with their reasons.",
    "released_rows": "Corrected rows and the quarantined rows they stand for.",
    "finished_runs": "The ledger of runs.",
}


def raw_assets() -> dg.AssetsDefinition:
    """All feeds of the contract, loaded from the landing area into the lake."""
    feeds = feed_contract()
    specs = [
        dg.AssetSpec(
            raw_key(feed.name),
            group_name="raw",
            kinds={"parquet"},
            description=f"The {feed.name} feed ({feed.domain} data) in the lake, typed.",
        )
        for feed in feeds.values()
    ] + [
        dg.AssetSpec(control_key(name), group_name="control", description=description)
        for name, description in LEDGERS.items()
    ]

    @dg.multi_asset(specs=specs, name="load_landing", required_resource_keys={"session", "dbt"})
    def load_landing(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        session: RunSession = context.resources.session
        session.progress.phase("Load the landing area")
        context.resources.dbt.make_ready()
        try:
            result = load(
                session.settings,
                run_id=session.run_id,
                started_at=session.started_at,
                code_version=session.code_version,
                built=read_built(session.home),
                progress=lambda at: session.progress.step(
                    f"{at.feed}/{at.file_name}", at.done, at.total
                ),
            )
        except DataBlockedError:
            session.is_refused = True
            raise
        session.load_result = result
        for warning in result.warnings:
            context.log.warning(warning)
        for name in feeds:
            counts = result.feeds[name]
            yield dg.MaterializeResult(
                asset_key=raw_key(name),
                metadata={
                    "dagster/row_count": counts.rows_loaded,
                    "files": counts.files,
                    "files skipped (identical)": counts.files_skipped,
                    "rows in the files": counts.rows_in_file,
                    "rows quarantined": counts.rows_quarantined,
                    "rows duplicate": counts.rows_duplicate,
                },
            )
        for name in LEDGERS:
            yield dg.MaterializeResult(
                asset_key=control_key(name),
                metadata={"closing month": f"{result.closing_month:%Y-%m}"},
            )

    return load_landing
