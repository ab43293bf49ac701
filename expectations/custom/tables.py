"""Rules on a table as a whole."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from expectations.custom.base import Rule


class ExpectRowsToBePresent(Rule):
    """The table holds at least one row."""

    @override
    def aggregates(self) -> dict[str, str]:
        return {"evaluated": "count(*)"}

    @override
    def failing_rows_sql(self) -> str:
        return f"select count(*) as row_count from {self.dataset} having count(*) = 0"

    @override
    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        rows = int(metrics["evaluated"])
        return self.outcome(
            evaluated=rows,
            failing=0 if rows else 1,
            observed=f"{rows} rows",
        )
