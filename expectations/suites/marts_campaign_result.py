"""Suite of the mart campaign_result: whom campaigns reached and what they brought."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.custom.queries import ExpectTotalsToAgree
from expectations.suites.common import (
    coded,
    holds,
    in_order,
    key_rules,
    mart,
    not_negative,
    present,
)

DATASET = mart("campaign_result", "campaign_id", owner="customer value team")

COUNTS = (
    "accepted",
    "uplift_customers",
    "control_customers",
    "customers_left_out",
    "customers_unplaced",
    "customers_unmeasured",
    "cells_counted",
    "cells_left_out",
)

CELLS_ARE_LARGE = """
coalesce(
    least(uplift_customers, control_customers) >= cells_counted
        * (select value from reference.parameters where name = 'uplift_minimum'),
    true
)
and (uplift_margin is not null) = (coalesce(cells_counted, 0) > 0)
"""

ROI_FITS = """
roi is not distinct from
    cast(uplift_margin - cost as double) / nullif(cast(cost as double), 0)
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "campaign_name", "objective", "fixed_cost", "contact_cost", "cost"),
            coded(
                DATASET,
                "objective",
                ["acquisition", "upsell", "renewal", "retention", "win_back"],
                "feed contract",
            ),
            *[not_negative(DATASET, column, "critical", "rulebook 10") for column in COUNTS],
            not_negative(DATASET, "fixed_cost"),
            not_negative(DATASET, "contact_cost"),
            in_order(DATASET, "starts_on", "ends_on"),
            holds(
                DATASET,
                "cost_is_fixed_cost_and_contacts",
                "cost is fixed_cost and contact_cost together.",
                "cost = fixed_cost + contact_cost",
                "rulebook 10",
                column="cost",
            ),
            holds(
                DATASET,
                "parts_are_of_those_contacted",
                "No more accepted than were reached, were reached than contacted, or were"
                " contacted than contacts made.",
                "coalesce(accepted <= reached and reached <= contacted"
                " and contacted <= contacts, true)",
                "rulebook 10",
                column="contacted",
            ),
            holds(
                DATASET,
                "nobody_contacted_is_forgotten",
                "Those contacted are those of the uplift and those left out of it, for each"
                " reason counted.",
                "contacted is not distinct from uplift_customers + customers_left_out"
                " + customers_unplaced + customers_unmeasured",
                "rulebook 10",
                column="contacted",
            ),
            holds(
                DATASET,
                "cells_that_count_are_large",
                "Cells that count have at least uplift_minimum customers on either side, and"
                " only with such a cell is there an uplift.",
                CELLS_ARE_LARGE,
                "rulebook 10",
                column="uplift_margin",
            ),
            holds(
                DATASET,
                "roi_is_the_return_on_cost",
                "roi is (uplift_margin - cost) / cost, and empty where either is missing.",
                ROI_FITS,
                "rulebook 10",
                column="roi",
            ),
            DATASET.expect(
                ExpectTotalsToAgree,
                "contacted_agrees_with_fct_contact",
                "Each campaign, contacted counts the customers of its contacts in fct_contact.",
                "rulebook 10",
                column="contacted",
                left=f"{DATASET.table}",
                left_total="sum(contacted)",
                right="(select * from marts.fct_contact where campaign_id is not null) as contacts",
                right_total="count(distinct customer_id)",
                by=["campaign_id"],
                keys=["campaign_id"],
            ),
        ],
        "Whom campaigns reached, what they cost and what they brought.",
    )
