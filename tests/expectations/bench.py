"""A workbench for suites: good tables in memory, one fault at a time, checked by the library.

Each suite is validated by Great Expectations through the project's own dialect, as a run
does it; only the stores of a home are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

import duckdb
import great_expectations as gx
from great_expectations.core.batch import Batch
from great_expectations.core.batch_definition import BatchDefinition

from expectations import dialect
from expectations.custom.base import QueryRule, RowRule, Rule
from expectations.errors import error_of
from expectations.runner import dataset_of

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Outcome:
    """What a suite said of a dataset: failed expectation ids with what was observed."""

    failed: dict[str, str]
    errors: dict[str, str]


class Bench:
    """An in-memory database whose tables can be broken and mended."""

    def __init__(self, good: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        dialect.register()
        self._good = good
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        self._source = self._context.data_sources.add_sql(
            name="bench",
            connection_string=f"{dialect.URL_SCHEME}:///:memory:{uuid4().hex}",
            create_temp_table=False,
        )
        self.connection = self._source.get_execution_engine().engine.raw_connection().cursor()
        self._tables: list[tuple[str, str]] = []
        self._batches: dict[str, BatchDefinition] = {}

    def mend(self) -> None:
        """Put every table back into its good state, from a copy of it."""
        if not self._tables:
            self._good(self.connection)
            self.connection.execute(
                "select schema_name || '.' || table_name, 'good.' || schema_name || table_name"
                " from duckdb_tables()"
            )
            self._tables = self.connection.fetchall()
            self.connection.execute("create schema good")
            for table, copy in self._tables:
                self.connection.execute(f"create table {copy} as from {table}")
        for table, copy in self._tables:
            self.connection.execute(f"create or replace table {table} as from {copy}")

    def check(self, suite: gx.ExpectationSuite) -> Outcome:
        """Validate a suite against the tables as they are now."""
        batch = self._batch(dataset_of(suite))
        found = batch.validate(suite)
        results = found.results
        return Outcome(
            failed={
                result.expectation_config.meta["expectation_id"]: str(
                    (result.result or {}).get("observed_value")
                )
                for result in results
                if not result.success
            },
            errors={
                result.expectation_config.meta["expectation_id"]: error
                for result in results
                if (error := error_of(result))
            },
        )

    def _batch(self, dataset: str) -> Batch:
        if dataset not in self._batches:
            schema, table = dataset.split(".")
            asset = self._source.add_table_asset(dataset, table_name=table, schema_name=schema)
            self._batches[dataset] = asset.add_batch_definition_whole_table("all")
        return self._batches[dataset].get_batch()


def create_table(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    rows: Rows,
) -> None:
    """A table of typed columns; a column that a row leaves out is null."""
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create or replace table {table} ({declared})")
    for row in rows:
        assert set(row) <= set(columns), set(row) - set(columns)
        names, marks = ", ".join(row), ", ".join("?" for _ in row)
        connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def reads(rule: Rule, column: str) -> bool:
    """Whether a rule's SQL names a column, so that a fault there may break it too."""
    if isinstance(rule, RowRule):
        return column in rule.failing()
    if isinstance(rule, QueryRule):
        # What is told of invoices and bills comes from charges, accounts and rates too.
        return column in rule.query() or any(
            f"checks.{told}" in rule.query() for told in ("invoices", "bills", "awaited_bills")
        )
    return True
