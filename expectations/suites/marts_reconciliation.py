"""Suite of the mart reconciliation: the reconciliations of the run, all of them passed."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.tables import ExpectRowsToBePresent
from expectations.suites.common import holds, key_rules, mart, not_negative, present

DATASET = mart("reconciliation", "run_id", "control", owner="finance control", schema="audit")

# The one control that compares two feeds as the operator delivered them.
AS_DELIVERED = "starts_with(control, 'charges_against_headers')"
# What the senders of the files say is in them.
DECLARED = "starts_with(control, 'control_totals_')"
# What earlier runs found stays in the table; they were judged then.
OF_EARLIER_RUN = "run_id <> (select max(run_id) from audit.reconciliation)"
HOLDS = "(passed and abs(difference) <= tolerance)"


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
                "warehouse_ties_exactly",
                "Nothing may differ between the delivery and what was built of it.",
                f"{AS_DELIVERED} or tolerance = 0",
                "architecture, evidence",
                column="tolerance",
            ),
            holds(
                DATASET,
                "control_passed",
                "What was built ties to what was delivered, rows and money.",
                f"{OF_EARLIER_RUN} or {AS_DELIVERED} or {DECLARED} or {HOLDS}",
                "architecture, evidence",
                column="passed",
                amount="difference",
                money_unit="difference",
            ),
            holds(
                DATASET,
                "control_totals_are_met",
                "What the senders declared in their control totals, rows and sums, is what was"
                " loaded, quarantined and found repeated.",
                f"{OF_EARLIER_RUN} or not {DECLARED} or {HOLDS}",
                "cross-feed reconciliation, control totals of the delivery",
                column="passed",
                amount="difference",
                money_unit="difference",
            ),
            holds(
                DATASET,
                "delivery_agrees_with_itself",
                "The charges of a currency add up to the invoices they itemise, but for the"
                " rounding of each.",
                f"{OF_EARLIER_RUN} or not {AS_DELIVERED} or {HOLDS}",
                "cross-feed reconciliation",
                severity="warning",
                column="passed",
                amount="difference",
                money_unit="difference",
            ),
        ],
        "The reconciliations of the run, all of them passed.",
    )
