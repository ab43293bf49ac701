"""The last asset: the accepted marts, published under the run's name."""

import dagster as dg

from expectations.docs.index import write_index
from orchestration.audit.manifest import Published
from orchestration.audit.run_page import run_page_path
from orchestration.errors import ConfigurationError
from orchestration.publish.contract import PUBLISHED_SCHEMAS, PublishedTable, published_tables
from orchestration.publish.publication import DATABASE_FOR_READERS
from orchestration.publish.release import release
from orchestration.publish.writing import write_publication
from orchestration.report.page import REPORT, report_page, subject_of_run
from orchestration.session import RunSession
from orchestration.warehouse.keys import PUBLICATION, table_key


def publication_asset(tables: list[PublishedTable]) -> dg.AssetsDefinition:
    """The publication: marts.duckdb, Parquet, report and manifest, switched in one step."""

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
        session.progress.phase("Write the publication")
        if session.load_result is None:
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
            session.home,
            session.run_id,
            current_tables,
            on_table,
            memory_limit=session.settings.engine_limit,
        )
        session.progress.phase("Draw the report")
        page = report_page(unfinished / DATABASE_FOR_READERS, subject_of_run(session))
        (unfinished / REPORT).write_text(page, encoding="utf-8", newline="\n")
        session.progress.phase("Publish")
        released = release(session, Published(unfinished, published))
        session.is_published = True
        write_index(session.home.root)
        return dg.MaterializeResult(
            metadata={
                "path": dg.MetadataValue.path(str(released.folder)),
                "report": dg.MetadataValue.path(str(released.folder / REPORT)),
                "manifest_sha256": str(released.record.manifest_sha256),
                "run_page": dg.MetadataValue.path(str(run_page_path(session.home, session.run_id))),
                "tables": len(published),
                "dagster/row_count": sum(output.rows for output in published),
                "schemas": ", ".join(PUBLISHED_SCHEMAS),
                "publications_let_go": ", ".join(released.let_go) or "none",
            }
        )

    return publication
