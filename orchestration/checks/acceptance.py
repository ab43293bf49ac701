"""The acceptance of raw data and of marts: Great Expectations as blocking asset checks."""

from collections.abc import Iterator, Sequence

import dagster as dg

from expectations.contract import Period
from expectations.results import ExpectationResult, Layer, SuiteResult, gravest_first, told_concern
from expectations.runner import MARTS, validate_layer
from orchestration.audit.run_page import run_page_path
from orchestration.checks.sources import contract_mapping, last_published_tiers, validation_source
from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import feed_contract
from orchestration.session import RunSession
from orchestration.warehouse.keys import raw_key, table_key

CHECK_NAME = "acceptance"
TITLES = {"raw": "Validate the raw data", "marts": "Validate the marts"}
_AUDIT_MARTS = {"reconciliation"}


def mart_key(mart: str) -> dg.AssetKey:
    """The asset a suite of the marts layer checks."""
    return table_key("audit" if mart in _AUDIT_MARTS else "marts", mart)


def raw_acceptance() -> dg.AssetChecksDefinition:
    """One check per raw feed; a critical failure keeps dbt from starting."""
    return _acceptance("raw", [(feed, raw_key(feed)) for feed in feed_contract()])


def marts_acceptance() -> dg.AssetChecksDefinition:
    """One check per mart; a critical failure keeps everything from being snapshotted."""
    return _acceptance("marts", [(mart, mart_key(mart)) for mart in MARTS])


def _acceptance(
    layer: Layer, datasets: Sequence[tuple[str, dg.AssetKey]]
) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name=f"validate_{layer}",
        specs=[
            dg.AssetCheckSpec(
                CHECK_NAME,
                asset=key,
                blocking=True,
                description=f"The Great Expectations suite {layer}_{name}.",
            )
            for name, key in datasets
        ],
        required_resource_keys={"session", "dbt"},
    )
    def validate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        session: RunSession = context.resources.session
        session.progress.phase(TITLES[layer])
        context.resources.dbt.make_ready()
        result = validate_layer(
            layer,
            home=session.home.root,
            run_id=session.run_id,
            connection=validation_source(layer, session.home, session.settings.engine_limit),
            contract=contract_mapping(),
            period=_period(session),
            acceptances=session.acceptances,
            tiers=last_published_tiers(session.home),
        )
        session.layers[layer] = result
        schema_of = {name: key.path[0] for name, key in datasets}
        for name, key in datasets:
            suite = result.suite(f"{schema_of[name]}.{name}")
            yield _check_result(session, suite, key)

    return validate


def _period(session: RunSession) -> Period:
    loaded = session.load_result
    if loaded is None:
        raise ConfigurationError(
            "A validation judges what its own run loaded: run the whole job `tierwise_run`."
        )
    return Period(
        loaded.closing_month, session.settings.reporting_currency, session.started_at.date()
    )


def _check_result(session: RunSession, suite: SuiteResult, key: dg.AssetKey) -> dg.AssetCheckResult:
    """A check passes when every expectation holds.

    Only a critical failure that nobody answers for is an error. `data_docs` leads to the
    suite's page of this run, `run_page` to the page that the run leaves when it ends.
    """
    failures = gravest_first(result for result in suite.results if not result.success)
    listed = "\n".join(map(_listed, failures))
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK_NAME,
        passed=suite.passed,
        severity=(
            dg.AssetCheckSeverity.ERROR if suite.blocking_failures else dg.AssetCheckSeverity.WARN
        ),
        metadata={
            "expectations": len(suite.results),
            "failed": len(failures),
            "failures": dg.MetadataValue.md(listed or "none"),
            "data_docs": dg.MetadataValue.path(str(suite.page)),
            "run_page": dg.MetadataValue.path(str(run_page_path(session.home, session.run_id))),
        },
    )


def _listed(failure: ExpectationResult) -> str:
    return (
        f"- {failure.severity}: {failure.expectation_id}, {failure.expectation} "
        f"({failure.observed or 'no detail'}) {told_concern(failure)}".rstrip()
    )
