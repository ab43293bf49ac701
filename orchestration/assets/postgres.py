"""The publication served from PostgreSQL, where the settings name a database."""

import dagster as dg

from orchestration.errors import ConfigurationError
from orchestration.publish.publication import current_publication
from orchestration.session import RunSession
from orchestration.warehouse.keys import POSTGRES, PUBLICATION


def postgres_asset() -> dg.AssetsDefinition:
    """The schemas marts, snapshots and audit of a database, switched in one step."""

    @dg.asset(
        key=POSTGRES,
        deps=[PUBLICATION],
        group_name="publication",
        kinds={"postgres"},
        required_resource_keys={"session"},
        description="The publication as PostgreSQL serves it.",
    )
    def postgres(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from orchestration.publish.postgres.connection import address_of
        from orchestration.publish.postgres.serve import serve

        session: RunSession = context.resources.session
        session.progress.phase("Load into PostgreSQL")
        run_id = current_publication(session.home)
        try:
            if run_id is None:
                raise ConfigurationError("Nothing is published yet.")
            address = address_of(None, session.settings.postgres_dsn_variable)
            tables = serve(
                session.home.published / run_id,
                address,
                session.settings.postgres_role,
                lambda table, rows, done, total: session.progress.step(
                    f"{table}, {rows:,} rows", done, total
                ),
            )
        except ConfigurationError as error:
            raise ConfigurationError(
                f"The publication {run_id} stands, but PostgreSQL did not get it: {error} "
                "Load it again with `tierwise publish postgres`."
            ) from None
        return dg.MaterializeResult(
            metadata={"address": address.shown, "publication": run_id, "tables": tables}
        )

    return postgres
