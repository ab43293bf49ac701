"""The results of a layer's validation as the audit reads them, and their file.

Nothing here needs Great Expectations: whoever only reads results imports it freely.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

Layer = Literal["raw", "marts"]

SCHEMA = pa.schema(
    [
        ("run_id", pa.string()),
        ("suite", pa.string()),
        ("expectation_id", pa.string()),
        ("layer", pa.string()),
        ("dataset", pa.string()),
        ("column_name", pa.string()),
        ("expectation", pa.string()),
        ("severity", pa.string()),
        ("success", pa.bool_()),
        ("evaluated", pa.int64()),
        ("unexpected", pa.int64()),
        ("unexpected_share", pa.float64()),
        ("affected_customers", pa.int64()),
        ("affected_revenue", pa.decimal128(18, 4)),
        ("observed", pa.string()),
        ("affected_tiers", pa.string()),
        ("owner", pa.string()),
        ("rule", pa.string()),
        ("accepted_by", pa.string()),
        ("accepted_reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class Acceptance:
    """A person answers for one critical failure of one run; `check` is its expectation_id."""

    check: str
    by: str
    reason: str


@dataclass(frozen=True)
class ExpectationResult:
    """One rule in one run; the fields are the columns of the results file, in order.

    `unexpected_share` is 0 to 1. What could not be counted is None, never 0. What a
    failure affects is said by `expectations.weights`; `rule` is where the rule comes
    from. A critical failure that a person answers for carries the name and the reason.
    """

    run_id: str
    suite: str
    expectation_id: str
    layer: str
    dataset: str
    column_name: str | None
    expectation: str
    severity: str
    success: bool
    evaluated: int | None
    unexpected: int | None
    unexpected_share: float | None
    affected_customers: int | None
    affected_revenue: Decimal | None
    observed: str | None
    affected_tiers: str | None
    owner: str
    rule: str
    accepted_by: str | None = None
    accepted_reason: str | None = None

    @property
    def is_blocking(self) -> bool:
        """Whether this alone stops the run."""
        return not self.success and self.severity == "critical" and self.accepted_by is None


def gravest_first(results: Iterable[ExpectationResult]) -> list[ExpectationResult]:
    """By severity, then by the revenue affected, then by name: what to read first."""
    order = {"critical": 0, "warning": 1, "info": 2}
    return sorted(
        results,
        key=lambda each: (
            order[each.severity],
            -(each.affected_revenue or Decimal(0)),
            each.expectation_id,
        ),
    )


@dataclass(frozen=True)
class SuiteResult:
    """What one suite found in its dataset, and its page in the validation report."""

    suite: str
    dataset: str
    results: tuple[ExpectationResult, ...]
    page: Path | None = None

    def failed(self, severity: str) -> tuple[ExpectationResult, ...]:
        """The failures of one severity."""
        return tuple(
            result for result in self.results if not result.success and result.severity == severity
        )

    @property
    def critical_failures(self) -> tuple[ExpectationResult, ...]:
        """What stops the run, unless a person answers for it."""
        return self.failed("critical")

    @property
    def blocking_failures(self) -> tuple[ExpectationResult, ...]:
        """What stops the run: critical failures that nobody answers for."""
        return tuple(result for result in self.results if result.is_blocking)

    @property
    def warnings(self) -> tuple[ExpectationResult, ...]:
        """What is reported and stops nothing."""
        return self.failed("warning")

    @property
    def passed(self) -> bool:
        """Whether every rule held, whatever its severity."""
        return all(result.success for result in self.results)


@dataclass(frozen=True)
class LayerResult:
    """What was found in a layer, suite by suite."""

    run_id: str
    layer: Layer
    suites: tuple[SuiteResult, ...]
    data_docs: Path
    seconds: float

    @property
    def results(self) -> tuple[ExpectationResult, ...]:
        """Every check of the layer."""
        return tuple(result for suite in self.suites for result in suite.results)

    @property
    def critical_failures(self) -> tuple[ExpectationResult, ...]:
        """What stops the run, unless a person answers for it."""
        return tuple(failure for suite in self.suites for failure in suite.critical_failures)

    @property
    def blocking_failures(self) -> tuple[ExpectationResult, ...]:
        """What stops the run: critical failures that nobody answers for."""
        return tuple(failure for suite in self.suites for failure in suite.blocking_failures)

    @property
    def warnings(self) -> tuple[ExpectationResult, ...]:
        """What is reported and stops nothing."""
        return tuple(failure for suite in self.suites for failure in suite.warnings)

    @property
    def is_blocking(self) -> bool:
        """Whether something critical failed that nobody answers for: the run must stop."""
        return bool(self.blocking_failures)

    def suite(self, dataset: str) -> SuiteResult:
        """The suite of a dataset (`raw.invoices`); KeyError if it was not checked."""
        for suite in self.suites:
            if suite.dataset == dataset:
                return suite
        raise KeyError(dataset)


def results_folder(home: Path) -> Path:
    """Where the results of all runs lie, one file per run and layer."""
    return home / "audit" / "validation"


def ensure_schema(home: Path) -> Path:
    """Make the results readable before there are any: a file of no rows."""
    path = results_folder(home) / "schema.parquet"
    if not path.exists():
        _write(path, ())
    return path


def write_results(home: Path, results: Sequence[ExpectationResult]) -> Path:
    """Write the results of one layer of one run, replacing an earlier try of it."""
    runs = {(result.run_id, result.layer) for result in results}
    if len(runs) != 1:
        raise ValueError(f"results of one run and layer belong together, got {runs}")
    run_id, layer = runs.pop()
    path = results_folder(home) / f"{run_id}-{layer}.parquet"
    _write(path, results)
    return path


def _write(path: Path, results: Iterable[ExpectationResult]) -> None:
    names = [field.name for field in fields(ExpectationResult)]
    rows = [dict(zip(names, astuple(result), strict=True)) for result in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), temporary)
    temporary.replace(path)


def read_failures(home: Path, run_id: str) -> dict[str, ExpectationResult]:
    """What failed in a run, layer by layer as far as it was checked, by expectation id."""
    failures: dict[str, ExpectationResult] = {}
    for path in results_folder(home).glob(f"{run_id}-*.parquet"):
        rows = pq.read_table(path, filters=[("success", "=", False)]).to_pylist()
        failures |= {row["expectation_id"]: ExpectationResult(**row) for row in rows}
    return failures


def told_concern(failure: ExpectationResult) -> str:
    """Whom a failure concerns, with how much revenue, and who answers for it."""
    told = []
    if failure.affected_customers:
        tiers = f" ({failure.affected_tiers})" if failure.affected_tiers else ""
        ending = "s" * (failure.affected_customers != 1)
        told.append(f"Concerns {failure.affected_customers:,} customer{ending}{tiers}")
    if failure.affected_revenue:
        revenue = f"{failure.affected_revenue:,.2f} of revenue"
        told.append(f"with {revenue}" if told else f"Concerns {revenue}")
    sentence = f"{' '.join(told)}." if told else ""
    if failure.accepted_by:
        sentence += f" Accepted by {failure.accepted_by}: {failure.accepted_reason}"
    return sentence.strip()


@dataclass(frozen=True)
class SuiteCount:
    """How many checks a suite made in a run, and how many failed by severity."""

    checks: int
    failures: dict[str, int]


def count_suites(home: Path) -> dict[tuple[str, str], SuiteCount]:
    """Checks and failures of every suite in every run, by run_id and suite."""
    counts: dict[tuple[str, str], SuiteCount] = {}
    rows = duckdb.execute(
        """
        select
            run_id,
            suite,
            count(*),
            count(case when not success and severity = 'critical' then 1 end),
            count(case when not success and severity = 'warning' then 1 end),
            count(case when not success and severity = 'info' then 1 end)
        from read_parquet(?)
        group by run_id, suite
        """,
        [str(results_folder(home) / "*.parquet")],
    ).fetchall()
    for run_id, suite, checks, critical, warning, info in rows:
        failures = {"critical": critical, "warning": warning, "info": info}
        counts[run_id, suite] = SuiteCount(checks=checks, failures=failures)
    return counts
