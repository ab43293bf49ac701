"""What all rules share: measured in SQL, failing rows shown as keys and capped.

A rule that looks at one row at a time is counted by the metric `tierwise.aggregate`;
Great Expectations puts all such metrics of a suite into one query, so a suite reads
its table once however many rules it holds. A rule that needs a query of its own (sums
over groups, several tables) counts by it, and what a count does not need is not computed.
Nothing else is fetched than counts and, if a rule fails, the keys of a few failing rows:
those with the most money, where rows have any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import (
    TableMetricProvider,
)
from great_expectations.validator.metric_configuration import MetricConfiguration
from typing_extensions import override

SAMPLE_LIMIT = 5


class AggregateMetric(TableMetricProvider):
    """One SQL aggregate over the table that is checked."""

    metric_name = "tierwise.aggregate"
    value_keys = ("expression",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,  # noqa: N805 - the decorator makes it a class method
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> Any:
        expression = metric_value_kwargs["expression"]
        return sa.literal_column(f"({expression})"), metric_domain_kwargs, {}


class Rule(BatchExpectation):
    """A rule on one dataset (`schema.table`), with the keys that name a failing row."""

    dataset: str
    keys: Sequence[str] = ()
    money_unit: str = ""

    success_keys: ClassVar[tuple[str, ...]] = ("dataset", "keys", "money_unit")

    def aggregates(self) -> dict[str, str]:
        """SQL aggregates to measure over the dataset, by the name of the measure."""
        return {}

    def failing_rows_sql(self) -> str:
        """The SQL whose rows are the failing rows, with at least the key columns."""
        raise NotImplementedError

    @override
    def get_validation_dependencies(
        self,
        execution_engine: Any = None,
        runtime_configuration: Any = None,
    ) -> Any:
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        domain = {"batch_id": self.configuration.kwargs.get("batch_id")}
        for name, expression in self.aggregates().items():
            dependencies.set_metric_configuration(
                metric_name=name,
                metric_configuration=MetricConfiguration(
                    metric_name=AggregateMetric.metric_name,
                    metric_domain_kwargs=domain,
                    metric_value_kwargs={"expression": expression},
                ),
            )
        return dependencies

    def sample(self, execution_engine: Any, amount: str | None) -> list[dict[str, Any]]:
        """The keys of a few failing rows: of those with the most of `amount`, if it is given."""
        if not self.keys:
            return []
        columns = ", ".join(self.keys)
        order = f"abs({amount}) desc nulls last, {columns}" if amount else columns
        return fetch(
            execution_engine,
            f"select {columns} from ({self.failing_rows_sql()}) as failing_rows"
            f" order by {order} limit {SAMPLE_LIMIT}",
        )

    def outcome(
        self,
        *,
        evaluated: int,
        failing: int,
        money: object = None,
        sample: Sequence[dict[str, Any]] = (),
        observed: str | None = None,
    ) -> dict[str, Any]:
        """The result in the shape of Great Expectations' own row expectations."""
        text = observed or _observed(failing, sample, money, self.money_unit)
        return {
            "success": failing == 0,
            "result": {
                "element_count": evaluated,
                "unexpected_count": failing,
                "unexpected_percent": 100.0 * failing / evaluated if evaluated else 0.0,
                "partial_unexpected_list": [_texts(row) for row in sample],
                "observed_value": text,
            },
        }


class RowRule(Rule):
    """A rule that each row keeps or breaks by itself.

    `amount` is an SQL expression for the money a row carries; it is summed over the
    failing rows and named in the result, in `money_unit`.
    """

    amount: str | None = None

    success_keys: ClassVar[tuple[str, ...]] = (*Rule.success_keys, "amount")

    def failing(self) -> str:
        """SQL condition that is true for a row that breaks the rule."""
        raise NotImplementedError

    @override
    def aggregates(self) -> dict[str, str]:
        # The money is summed when something fails, which is seldom: the engine would look up
        # a reference once for the count and once more for the sum.
        return {
            "evaluated": "count(*)",
            "failing": f"count(case when {self.failing()} then 1 end)",
        }

    @override
    def failing_rows_sql(self) -> str:
        return f"select * from {self.dataset} where {self.failing()}"

    @override
    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        failing = int(metrics["failing"])
        money: object = None
        if failing and self.amount:
            (summed,) = fetch(
                execution_engine,
                f"select sum({self.amount}) as money"
                f" from ({self.failing_rows_sql()}) as failing_rows",
            )
            money = summed["money"]
        return self.outcome(
            evaluated=int(metrics["evaluated"]),
            failing=failing,
            money=money,
            sample=self.sample(execution_engine, self.amount) if failing else [],
        )


class QueryRule(Rule):
    """A rule that needs a query of its own, which runs once if nothing fails.

    The query gives one row per thing compared (a month, an invoice, a customer): the
    key columns, a boolean `failed` and, where money is at stake, `amount`.
    `amount_is_revenue` says that it is revenue in the reporting currency.
    """

    has_amount: bool = False
    amount_is_revenue: bool = False

    success_keys: ClassVar[tuple[str, ...]] = (
        *Rule.success_keys,
        "has_amount",
        "amount_is_revenue",
    )

    def query(self) -> str:
        """SQL with the key columns, `failed` and perhaps `amount`."""
        raise NotImplementedError

    @override
    def failing_rows_sql(self) -> str:
        return f"select * from ({self.query()}) as compared where failed"

    @override
    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        money = "sum(case when failed then amount end)" if self.has_amount else "null"
        (totals,) = fetch(
            execution_engine,
            "select count(*) as evaluated, count(case when failed then 1 end) as failing,"
            f" {money} as money from ({self.query()}) as compared",
        )
        failing = int(totals["failing"])
        weight = "amount" if self.has_amount else None
        return self.outcome(
            evaluated=int(totals["evaluated"]),
            failing=failing,
            money=totals["money"],
            sample=self.sample(execution_engine, weight) if failing else [],
        )


def fetch(execution_engine: Any, statement: str) -> list[dict[str, Any]]:
    """Run a statement that gives few rows, within an open connection."""
    with execution_engine.get_connection() as connection:
        result = connection.execute(sa.text(statement.replace(":", r"\:")))
        return [dict(row) for row in result.mappings().fetchall()]


def parameter(name: str) -> str:
    """SQL for a row of `reference.parameters`, as a decimal."""
    return (
        "(select cast(max(value) as decimal(18, 6)) from reference.parameters"
        f" where name = '{name}')"
    )


def quoted(codes: Iterable[str]) -> str:
    """Codes as an SQL list of strings."""
    return ", ".join("'" + code.replace("'", "''") + "'" for code in codes)


def _texts(row: dict[str, Any]) -> dict[str, str | None]:
    return {key: None if value is None else str(value) for key, value in row.items()}


def _observed(failing: int, sample: Sequence[dict[str, Any]], money: object, unit: str) -> str:
    if not failing:
        return "none failing"
    text = f"{failing} failing"
    if money is not None:
        text += f" with {money} {unit}".rstrip()
    if sample:
        shown = "; ".join(
            ", ".join(f"{key} {value}" for key, value in row.items()) for row in sample
        )
        text += f", e.g. {shown}"
    return text
