"""Suite of the mart reconciliation: the reconciliations of the run, all of them passed."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.tables import ExpectRowsToBePresent
from expectations.suites.common import holds, key_rules, mart, not_negative, present

DATASET = mart("reconciliation", "run_id", "control", owner="finance control", schema="audit")


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            DATASET.expect(
                ExpectRowsToBePresent,
                "has_rows",
                "The run has reconciliations.",
                "architecture, evidence",
            ),
            *key_rules(DATASET),
            *present(DATASET, "difference", "tolerance", "passed"),
            not_negative(DATASET, "tolerance", "critical", "architecture, evidence"),
            holds(
                DATASET,
                "difference_is_source_less_warehouse",
                "The difference is that of the two totals.",
                "abs(difference) = abs(source_total - warehouse_total)",
                "architecture, evidence",
                column="difference",
            ),
            holds(
                DATASET,
                "control_passed",
                "Every reconciliation is within its tolerance.",
                "passed and abs(difference) <= tolerance",
                "architecture, evidence",
                column="passed",
                amount="difference",
                money_unit="difference",
            ),
        ],
        "The reconciliations of the run, all of them passed.",
    )
