"""Validates a layer: one validation definition per suite."""

from __future__ import annotations

import gc
import importlib
import logging
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from expectations.context import (
    DATA_DOCS_SITE,
    data_docs_folder,
    open_context,
)
from expectations.contract import Contract, Period
from expectations.engine import LakeViews, Source
from expectations.errors import error_of, without_values
from expectations.prepared import check_views
from expectations.results import (
    Acceptance,
    ExpectationResult,
    Layer,
    LayerResult,
    SuiteResult,
    ensure_schema,
    write_results,
)
from expectations.weights import Weight, weigh

if TYPE_CHECKING:
    from great_expectations import ValidationDefinition
    from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.file_data_context import (
        FileDataContext,
    )
    from great_expectations.data_context.types.resource_identifiers import (
        ValidationResultIdentifier,
    )

    Outcome = Mapping[ValidationResultIdentifier, ExpectationSuiteValidationResult]

MARTS = (
    "dim_customer",
    "dim_region",
    "dim_product",
    "dim_manager",
    "dim_month",
    "fct_revenue_monthly",
    "fct_revenue_movement",
    "fct_invoice",
    "fct_complaint",
    "fct_contact",
    "customer_monthly",
    "customer_value_monthly",
    "customer_delivered_value_monthly",
    "customer_star_monthly",
    "customer_tier_monthly",
    "customer_tier_history",
    "tier_migration_monthly",
    "policy_comparison",
    "revenue_concentration_monthly",
    "region_summary_monthly",
    "complaint_service_monthly",
    "customer_risk_monthly",
    "churn_model",
    "churn_backtest",
    "retention_worklist",
    "contract_renewal",
    "campaign_result",
    "proposal_economics",
    "manager_scorecard_monthly",
    "reconciliation",
)


def validate_layer(
    layer: Layer,
    *,
    home: Path,
    run_id: str,
    connection: Source,
    contract: Contract,
    period: Period,
    acceptances: Sequence[Acceptance] = (),
    tiers: Path | None = None,
    datasets: Sequence[str] | None = None,
) -> LayerResult:
    """Check every dataset of a layer and keep the evidence under the home's audit.

    `contract` is the content of the feed contract. For the raw layer `connection` must
    offer the views `raw.<feed>` (all active rows, with `_load_id`), `latest.<feed>` (those
    of them that no later delivery supersedes) and `reference.<table>`; for the marts it is
    the warehouse file.
    `period` is what the run closes. `acceptances` are the critical failures a person
    answers for, should they occur. `tiers` is the folder of the dim_customer published
    last, by which failures of the raw layer tell the tiers concerned. `datasets` limits the
    check to some feeds or marts, by name.

    Writes the results file and the Data Docs of the run. A failed rule is no error:
    whether the run may go on is for the caller to read from the result.
    """
    started = time.perf_counter()
    with _quiet():
        suites = build_suites(layer, contract, datasets)
        context = open_context(home)
        source = _prepared(layer, connection, contract, period)
        definitions = _definitions(context, layer, suites, source)
        try:
            outcome = _run(definitions, run_id)
            _forget_values(context, outcome)
            weights = _weights(context, layer, suites, outcome, tiers)
        finally:
            _let_go(context, layer)
        found = _accepted(_suite_results(run_id, layer, suites, outcome, weights), acceptances)
        ensure_schema(home)
        write_results(home, [result for suite in found for result in suite.results])
        pages = _build_data_docs(context, outcome)
    found = tuple(replace(suite, page=pages[suite.suite]) for suite in found)
    return LayerResult(
        run_id=run_id,
        layer=layer,
        suites=found,
        data_docs=data_docs_folder(home) / "index.html",
        seconds=time.perf_counter() - started,
    )


def build_suites(
    layer: Layer, contract: Contract, datasets: Sequence[str] | None = None
) -> list[ExpectationSuite]:
    """The suites of a layer, in the order of the contract or of the marts."""
    names = datasets or (list(contract) if layer == "raw" else MARTS)
    suites = []
    for name in names:
        module = importlib.import_module(f"expectations.suites.{layer}_{name}")
        suites.append(module.build(contract) if layer == "raw" else module.build())
    return suites


def dataset_of(suite: ExpectationSuite) -> str:
    """The table a suite checks, with its schema (`raw.invoices`)."""
    return str((suite.meta or {})["dataset"])


def _prepared(layer: Layer, connection: Source, contract: Contract, period: Period) -> Source:
    if layer == "marts" or not isinstance(connection, LakeViews):
        return connection
    return LakeViews([*connection.statements, *check_views(contract, period)], connection.config)


def _accepted(
    suites: Sequence[SuiteResult], acceptances: Sequence[Acceptance]
) -> tuple[SuiteResult, ...]:
    """The results, with name and reason at each critical failure a person answers for."""
    answers = {acceptance.check: acceptance for acceptance in acceptances}

    def marked(result: ExpectationResult) -> ExpectationResult:
        answer = answers.get(result.expectation_id)
        if answer is None or not result.is_blocking:
            return result
        return replace(result, accepted_by=answer.by, accepted_reason=answer.reason)

    return tuple(replace(suite, results=tuple(map(marked, suite.results))) for suite in suites)


def _definitions(
    context: FileDataContext,
    layer: Layer,
    suites: Sequence[ExpectationSuite],
    connection: Source,
) -> list[ValidationDefinition]:
    """What is checked by which suite, made by every run from its own code.

    They are not stored: each result carries the rules it was checked by.
    """
    from expectations import dialect
    from expectations.definition import RunDefinition

    dialect.register()
    # The stub of this method lacks the arguments that it passes on.
    source = context.data_sources.add_or_update_sql(  # type: ignore[call-arg]
        name=layer,
        connection_string=f"{dialect.URL_SCHEME}:///{connection.database}",
        create_temp_table=False,
        kwargs={"connect_args": connection.connect_args()},
        assets=[_table_asset(suite) for suite in suites],
    )
    return [
        RunDefinition(
            name=suite.name,
            data=source.get_asset(suite.name).get_batch_definition(suite.name),
            suite=suite,
        )
        for suite in suites
    ]


def _table_asset(suite: ExpectationSuite) -> Any:
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.datasource.fluent.sql_datasource import TableAsset

    schema, table = dataset_of(suite).split(".")
    return TableAsset(
        name=suite.name,
        type="table",
        schema_name=schema,
        table_name=table,
        batch_definitions=[BatchDefinition(name=suite.name, partitioner=None)],
    )


def _run(definitions: Sequence[ValidationDefinition], run_id: str) -> Outcome:
    from great_expectations import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    run = RunIdentifier(run_name=run_id)
    outcome = {}
    for definition in definitions:
        found = definition.run(run_id=run, result_format="SUMMARY")
        suite = ExpectationSuiteIdentifier(name=definition.suite.name)
        outcome[ValidationResultIdentifier(suite, run, found.batch_id)] = found
    return outcome


def _forget_values(context: FileDataContext, outcome: Outcome) -> None:
    """Store the results of checks that could not be made again, without values of the data.

    The engine's error may quote the value it stumbled over, and stored results are packed.
    """
    for stored, found in outcome.items():
        failed = [checked for checked in found.results if error_of(checked)]
        for checked in failed:
            checked.exception_info = without_values(checked.exception_info)
        if failed:
            context.validation_results_store.set(stored, found)


def _engine_of(context: FileDataContext, layer: Layer) -> Any:
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

    source = context.data_sources.get(layer)
    assert isinstance(source, SQLDatasource)
    return source.get_execution_engine()


def _weights(
    context: FileDataContext,
    layer: Layer,
    suites: Sequence[ExpectationSuite],
    outcome: Outcome,
    tiers: Path | None,
) -> dict[str, Weight]:
    """What the failures stand for, by expectation id; only failures are looked into."""
    rules: dict[str, Any] = {
        (rule.meta or {})["expectation_id"]: rule for suite in suites for rule in suite.expectations
    }
    checks: list[Any] = [checked for validated in outcome.values() for checked in validated.results]
    failed = [
        checked.expectation_config.meta["expectation_id"]
        for checked in checks
        if not checked.success
        and not error_of(checked)
        and (checked.result or {}).get("unexpected_count")
    ]
    engine = _engine_of(context, layer)
    return {name: weigh(engine, layer, rules[name], tiers) for name in failed}


def _let_go(context: FileDataContext, layer: Layer) -> None:
    """Close every connection: a reader left open would keep the next writer out."""
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource

    source = context.data_sources.get(layer)
    assert isinstance(source, SQLDatasource)
    _engine_of(context, layer).close()
    source.get_engine().dispose()
    gc.collect()


def _build_data_docs(context: FileDataContext, outcome: Outcome) -> dict[str, Path]:
    """Add the run's pages to the report, by suite; RuntimeError if one could not be written."""
    written = list(outcome)
    context.build_data_docs(site_names=[DATA_DOCS_SITE], resource_identifiers=written)
    pages: dict[str, Path] = {}
    for page in written:
        suite = page.expectation_suite_identifier.name
        # The library logs a page that fails to render and goes on without it.
        address = context.get_docs_sites_urls(resource_identifier=page)[0]["site_url"]
        if address is None:
            raise RuntimeError(f"no validation report was written for {suite}")
        pages[suite] = Path(unquote(urlsplit(address).path)).resolve()
    return pages


def _suite_results(
    run_id: str,
    layer: Layer,
    suites: Sequence[ExpectationSuite],
    outcome: Outcome,
    weights: Mapping[str, Weight],
) -> tuple[SuiteResult, ...]:
    by_name = {found.suite_name: found for found in outcome.values()}
    return tuple(
        SuiteResult(
            suite=suite.name,
            dataset=dataset_of(suite),
            results=tuple(
                _result(run_id, layer, suite, checked, weights)
                for checked in sorted(by_name[suite.name].results, key=_order_of(suite))
            ),
        )
        for suite in suites
    )


def _order_of(suite: ExpectationSuite) -> Any:
    order = [(rule.meta or {})["expectation_id"] for rule in suite.expectations]
    return lambda checked: order.index(checked.expectation_config.meta["expectation_id"])


def _result(
    run_id: str,
    layer: Layer,
    suite: ExpectationSuite,
    checked: Any,
    weights: Mapping[str, Weight],
) -> ExpectationResult:
    rule = checked.expectation_config
    weight = weights.get(rule.meta["expectation_id"], Weight())
    error = error_of(checked)
    measured = checked.result or {}
    evaluated = measured.get("element_count")
    unexpected = measured.get("unexpected_count")
    return ExpectationResult(
        run_id=run_id,
        suite=suite.name,
        expectation_id=rule.meta["expectation_id"],
        layer=layer,
        dataset=dataset_of(suite),
        column_name=rule.meta["column"],
        expectation=rule.description,
        severity="critical" if error else rule.severity.value,
        success=bool(checked.success) and not error,
        evaluated=None if error else evaluated,
        unexpected=None if error else unexpected,
        unexpected_share=None
        if error or unexpected is None
        else (min(unexpected / evaluated, 1.0) if evaluated else float(unexpected > 0)),
        affected_customers=weight.customers,
        affected_revenue=weight.revenue,
        observed=error or measured.get("observed_value"),
        affected_tiers=weight.tiers,
        owner=rule.meta["owner"],
        rule=rule.meta["rule"],
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's log and warnings out of the run's own output.

    What goes wrong inside a check is not lost: it stands in the result.
    """
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
