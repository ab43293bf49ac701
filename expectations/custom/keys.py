"""Uniqueness of keys, exact and cheap."""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override

from expectations.custom.base import SAMPLE_LIMIT, Rule, fetch


class ExpectKeysToBeUnique(Rule):
    """No key occurs twice.

    Distinct 64-bit hashes are counted, at a fraction of the cost of distinct texts. Hashes
    that several rows share are a suspicion: equal keys have equal hashes, so nothing is
    missed, and should two different keys share a hash, the exact count that follows clears
    them.
    """

    columns: list[str]
    success_keys: ClassVar[tuple[str, ...]] = (*Rule.success_keys, "columns")

    @override
    def aggregates(self) -> dict[str, str]:
        return {
            "evaluated": "count(*)",
            "suspected": f"count(*) - count(distinct hash({', '.join(self.columns)}))",
        }

    @override
    def failing_rows_sql(self) -> str:
        columns = ", ".join(self.columns)
        return (
            f"select {columns}, count(*) - 1 as repeats from {self.dataset}"
            f" group by {columns} having count(*) > 1"
        )

    @override
    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        evaluated = int(metrics["evaluated"])
        if not int(metrics["suspected"]):
            return self.outcome(evaluated=evaluated, failing=0)
        shown = ", ".join(self.keys or self.columns)
        rows = fetch(
            execution_engine,
            f"select cast(sum(repeats) over () as bigint) as repeats_total, {shown}"
            f" from ({self.failing_rows_sql()}) as repeated"
            f" order by {', '.join(self.columns)} limit {SAMPLE_LIMIT}",
        )
        failing = int(rows[0]["repeats_total"]) if rows else 0
        sample = [{key: row[key] for key in self.keys or self.columns} for row in rows]
        return self.outcome(evaluated=evaluated, failing=failing, sample=sample)
