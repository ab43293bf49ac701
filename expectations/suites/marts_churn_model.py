"""Suite of the mart churn_model: what the churn model learnt from and how well it foretells."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    compared,
    holds,
    key_rules,
    mart,
    not_negative,
    present,
    ranged,
)
from expectations.suites.marts_customer_risk_monthly import MODELS

DATASET = mart("churn_model", "model", "fitted_at", owner="customer value team")

COUNTS = (
    "train_rows",
    "train_events",
    "test_rows",
    "test_events",
    "final_rows",
    "final_events",
)

ENOUGH = """
select
    models.model,
    models.fitted_at,
    (models.model = 'logistic_regression') <> (
        models.train_events >= numbers.events and models.train_rows >= numbers.row_count
    ) as failed
from marts.churn_model as models
cross join (
    select
        max(case when name = 'churn_minimum_events' then value end) as events,
        max(case when name = 'churn_minimum_rows' then value end) as row_count
    from reference.parameters
) as numbers
"""

TOO_GOOD = """
select
    models.model,
    models.fitted_at,
    greatest(models.auc, models.auc_unseen_customers) > leak.value as failed
from marts.churn_model as models
cross join (
    select value from reference.parameters where name = 'churn_leak_auc'
) as leak
"""

FEATURES_TOO_GOOD = """
select
    figures.name as feature,
    figures.single_auc > leak.value as failed
from intermediate.int_churn_models_fitted as figures
cross join (
    select value from reference.parameters where name = 'churn_leak_auc'
) as leak
where figures.fit = 'final' and figures.kind = 'coefficient'
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, *COUNTS),
            coded(DATASET, "model", MODELS, "rulebook 8"),
            ranged(DATASET, "auc", 0, 1, "rulebook 8"),
            ranged(DATASET, "auc_unseen_customers", 0, 1, "rulebook 8"),
            ranged(DATASET, "average_precision", 0, 1, "rulebook 8"),
            ranged(DATASET, "brier", 0, 1, "rulebook 8"),
            ranged(DATASET, "base_rate", 0, 1, "rulebook 8"),
            ranged(DATASET, "calibration_in_the_large", -1, 1, "rulebook 8"),
            not_negative(DATASET, "top_decile_lift", "critical", "rulebook 8"),
            holds(
                DATASET,
                "events_are_among_the_rows",
                "No more customer-months left than there are, and base_rate is the share of"
                " those of the test that did.",
                "train_events between 0 and train_rows and final_events between 0 and final_rows"
                " and test_events between 0 and test_rows"
                " and coalesce(abs(base_rate * test_rows - test_events) < 0.01, test_rows = 0)",
                "rulebook 8",
                column="test_events",
            ),
            compared(
                DATASET,
                "model_is_fitted_where_there_is_enough_to_learn_from",
                "The model is a logistic regression if and only if the months to learn from"
                " hold the departures and rows that the parameters ask for.",
                ENOUGH,
                "rulebook 8, prior scorecard",
                keys=["model", "fitted_at"],
                column="model",
            ),
            holds(
                DATASET,
                "model_beats_chance",
                "A fitted model ranks the leavers of the test above chance: AUC above 0.5 and"
                " average precision above the base rate.",
                "model <> 'logistic_regression' or auc is null"
                " or (auc > 0.5 and average_precision > base_rate)",
                "rulebook 8, evaluation",
                severity="warning",
                column="auc",
            ),
            compared(
                DATASET,
                "model_is_not_too_good_to_be_true",
                "The AUC is below what an honest model can reach; above it, some feature knows"
                " the future.",
                TOO_GOOD,
                "rulebook 8, leakage",
                severity="warning",
                keys=["model", "fitted_at"],
                column="auc",
            ),
            compared(
                DATASET,
                "no_feature_alone_is_too_good_to_be_true",
                "No single feature tells leavers from stayers better than an honest model can.",
                FEATURES_TOO_GOOD,
                "rulebook 8, leakage",
                severity="warning",
                keys=["feature"],
            ),
        ],
        "What the churn model learnt from, and how well it foretells.",
    )
