"""The gate between the marts and what is kept of them: the results of both validations."""

import dagster as dg

from orchestration.errors import ConfigurationError
from orchestration.publish.contract import PublishedTable
from orchestration.session import RunSession
from orchestration.warehouse.keys import VALIDATION_RESULTS, table_key

LAYERS = ("raw", "marts")


def validation_results_asset(tables: list[PublishedTable]) -> dg.AssetsDefinition:
    """The validation results of the run.

    It depends on every mart, and the checks of the marts block what depends on them: so
    nothing behind this asset happens before all marts were accepted.
    """

    @dg.asset(
        key=VALIDATION_RESULTS,
        deps=[table_key(table.schema, table.name) for table in tables if table.schema == "marts"],
        group_name="control",
        required_resource_keys={"session"},
        description="One row per expectation checked by the run, for the audit tables.",
    )
    def validation_results(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        session: RunSession = context.resources.session
        missing = [layer for layer in LAYERS if layer not in session.layers]
        if missing:
            raise ConfigurationError(
                f"The {' and '.join(missing)} layer was not validated in this run: "
                "run the whole job `tierwise_run`."
            )
        results = [result for layer in session.layers.values() for result in layer.results]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(results),
                "failed": sum(not result.success for result in results),
                "data_docs": dg.MetadataValue.path(
                    str(session.home.audit / "data_docs" / "index.html")
                ),
            }
        )

    return validation_results
