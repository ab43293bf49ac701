"""Suite of the mart dim_month: the months of the run, unbroken, closed or not."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.queries import ExpectMonthsToBeUnbroken
from expectations.suites.common import first_day, holds, key_rules, mart, present

DATASET = mart("dim_month", "month", owner="customer value team")


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "is_closed"),
            first_day(DATASET),
            holds(
                DATASET,
                "year_and_quarter_fit_month",
                "year and quarter are those of the month.",
                "year = extract(year from month) and quarter = extract(quarter from month)",
                "published contract",
                column="quarter",
            ),
            holds(
                DATASET,
                "closed_month_has_time",
                "A month has a closed_at if and only if it is closed.",
                "is_closed = (closed_at is not null)",
                "rulebook 0, closing month",
                column="closed_at",
            ),
            DATASET.expect(
                ExpectMonthsToBeUnbroken,
                "closed_months_are_unbroken",
                "From the first month to the closing month no month is missing.",
                "rulebook 0, closing month",
                column="month",
                counted="is_closed",
                keys=["last_month_before_gap"],
            ),
        ],
        "The months of the run, unbroken, closed or not.",
    )
