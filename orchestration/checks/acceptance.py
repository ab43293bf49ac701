"""The acceptance of raw data and of marts: Great Expectations as blocking asset checks."""

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from expectations.contract import Period
from expectations.engine import LakeViews, Source, WarehouseFile
from expectations.results import Layer, SuiteResult, gravest_first
from expectations.runner import MARTS, validate_layer
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.lake import raw_view_sql
from orchestration.ingest.sql import literal
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
        required_resource_keys={"session"},
    )
    def validate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        session: RunSession = context.resources.session
        session.progress.phase(TITLES[layer])
        result = validate_layer(
            layer,
            home=session.home.root,
            run_id=session.run_id,
            connection=_source(layer, session.home, session.settings.memory_limit),
            contract=_contract_mapping(),
            period=_period(session),
        )
        session.layers[layer] = result
        schema_of = {name: key.path[0] for name, key in datasets}
        for name, key in datasets:
            suite = result.suite(f"{schema_of[name]}.{name}")
            yield _check_result(suite, key, result.data_docs)

    return validate


def _period(session: RunSession) -> Period:
    loaded = session.load_result
    if loaded is None:
        raise ConfigurationError(
            "A validation judges what its own run loaded: run the whole job `tierwise_run`."
        )
    return Period(loaded.closing_month, session.settings.reporting_currency)


def _contract_mapping() -> dict[str, Any]:
    """The feed contract as plain YAML: suites know nothing of the loader's objects."""
    text = files("orchestration.ingest").joinpath("feeds.yml").read_text(encoding="utf-8")
    mapping: dict[str, Any] = yaml.safe_load(text)
    return mapping


def _source(layer: Layer, home: Home, memory_limit: str) -> Source:
    config = {"memory_limit": memory_limit, "temp_directory": str(home.temporary)}
    if layer == "marts":
        return WarehouseFile(home.warehouse, config)
    return LakeViews(_lake_statements(home), config)


def _lake_statements(home: Home) -> list[str]:
    """The views the raw suites read: active rows of each feed, and the reference set."""
    statements = ["create schema raw", "create schema reference"]
    for feed in feed_contract():
        statements.append(
            f"create view raw.{feed} as select *, _delivery_rank as delivery_rank "
            f"from ({raw_view_sql(home.root, feed)})"
        )
    for table in sorted(home.reference.glob("*.csv")):
        statements.append(
            f"create view reference.{table.stem} as select * "
            f"from read_csv({literal(table)}, header = true, all_varchar = true)"
        )
    return statements


def _check_result(suite: SuiteResult, key: dg.AssetKey, data_docs: Path) -> dg.AssetCheckResult:
    """A check passes when every expectation holds; only a critical failure is an error."""
    failures = gravest_first(result for result in suite.results if not result.success)
    listed = "\n".join(
        f"- {failure.severity}: {failure.expectation} ({failure.observed or 'no detail'})"
        for failure in failures
    )
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK_NAME,
        passed=suite.passed,
        severity=(
            dg.AssetCheckSeverity.ERROR if suite.critical_failures else dg.AssetCheckSeverity.WARN
        ),
        metadata={
            "expectations": len(suite.results),
            "failed": len(failures),
            "failures": dg.MetadataValue.md(listed or "none"),
            "data_docs": dg.MetadataValue.path(str(data_docs)),
        },
    )
