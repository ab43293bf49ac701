"""The functions behind the churn model, on customers whose departures follow a known rule."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PATH = (
    Path(__file__).parents[2] / "dbt_project/models/intermediate/churn/int_churn_models_fitted.py"
)
FEATURES = ("told", "noise", "unmeasured", "constant", "rare")
PRIOR = {"intercept": -3.0, "told": 0.5, "unmeasured": 9.0}
MONTHS = 8
CUSTOMERS = 400


def load_fitter() -> Any:
    """The module of the Python model; dbt's model folders are no packages."""
    spec = importlib.util.spec_from_file_location("int_churn_models_fitted", PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


fitter = load_fitter()


def rules(**changes: Any) -> Any:
    numbers = {
        "training_months": 24,
        "test_months": 3,
        "minimum_events": 50,
        "minimum_rows": 500,
        "maximum_rows": 500_000,
        "folds": 5,
        "penalty": 1.0,
        "clip_share": 0.01,
    }
    return fitter.Rules(**{**numbers, **changes})


def operator(slope: float, *, rate: float = -2.0, seed: int = 1) -> dict[str, Any]:
    """Customers who leave by chance, the likelier the higher `told`, if the slope is not 0."""
    chance = np.random.default_rng(seed)
    customers = np.repeat([f"C{number:04}" for number in range(CUSTOMERS)], MONTHS)
    months = np.tile(np.arange(100, 100 + MONTHS), CUSTOMERS)
    count = len(months)
    told, noise = chance.normal(size=count), chance.normal(size=count)
    rare = (chance.random(count) < 0.005).astype(float)
    left = chance.random(count) < 1 / (1 + np.exp(-(rate + slope * told)))
    values = np.column_stack([told, noise, np.full(count, np.nan), np.full(count, 7.0), rare])
    return {
        "customer_id": customers.astype(object),
        "month_number": months,
        "left": left.astype(float),
        "values": values,
    }


def fitted(rows: dict[str, Any], **changes: Any) -> Any:
    return fitter.fit_models(rows, FEATURES, PRIOR, rules(**changes))


def test_what_tells_who_leaves_is_found() -> None:
    result = fitted(operator(slope=1.5))
    told, noise, unmeasured, constant, rare = result.final.coefficients
    measures = result.measures["evaluation"]
    assert measures["is_fitted"] == 1
    assert told == pytest.approx(1.5, abs=0.3)
    assert abs(noise) < 0.2
    assert (unmeasured, constant) == (0, 0)
    assert rare != 0, "a rare event is no extreme to be cut off"
    assert 0.75 < measures["auc"] < 0.9
    assert 0.75 < measures["auc_unseen_customers"] < 0.9
    assert measures["average_precision"] > 2 * measures["base_rate"]
    assert measures["top_decile_lift"] > 2


def test_chance_cannot_be_foretold() -> None:
    measures = fitted(operator(slope=0)).measures["evaluation"]
    assert 0.4 < measures["auc"] < 0.6
    assert 0.4 < measures["auc_unseen_customers"] < 0.6
    assert measures["top_decile_lift"] < 2


def test_a_feature_that_knows_the_future_stands_out() -> None:
    rows = operator(slope=1.5)
    rows["values"][:, 1] = rows["left"] + np.random.default_rng(2).normal(
        scale=0.05, size=len(rows["left"])
    )
    result = fitted(rows)
    assert result.aucs[1] > 0.97 > result.aucs[0]
    assert result.measures["evaluation"]["auc"] > 0.97
    listed = fitter.result_rows(result, FEATURES)
    (leak,) = [
        row["single_auc"] for row in listed if (row["fit"], row["name"]) == ("final", "noise")
    ]
    assert leak > 0.97


def test_the_test_months_teach_the_tested_fit_nothing() -> None:
    """Whoever leaves in the test months, the tested fit is the same; the refit is not."""
    before = fitted(operator(slope=1.5))
    rows = operator(slope=1.5)
    tested = rows["month_number"] >= 105
    rows["left"][tested] = 1 - rows["left"][tested]
    after = fitted(rows)
    assert np.array_equal(before.evaluation.coefficients, after.evaluation.coefficients)
    assert before.evaluation.intercept == after.evaluation.intercept
    assert not np.array_equal(before.final.coefficients, after.final.coefficients)


def test_the_mean_probability_is_the_rate_of_the_last_months() -> None:
    rows = operator(slope=1.5)
    last = rows["month_number"] >= 105
    rows["left"][~last & (np.arange(len(last)) // MONTHS % 2 == 0)] = 0
    result = fitted(rows)
    mean = result.final.probabilities(rows["values"][last]).mean()
    assert mean == pytest.approx(rows["left"][last].mean(), abs=1e-8)
    calibration = result.measures["evaluation"]["calibration_in_the_large"]
    assert calibration == pytest.approx(
        result.evaluation.probabilities(rows["values"][last]).mean() - rows["left"][last].mean()
    )
    assert calibration < 0, "half the departures of earlier months were taken away"


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_certainty_shifts_nothing(rate: float) -> None:
    fit = fitted(operator(slope=1.5)).final
    assert fit.shifted(operator(slope=1.5)["values"], rate) is fit


def test_the_same_rows_in_any_order_give_the_same_figures() -> None:
    rows = operator(slope=1.5)
    order = np.random.default_rng(3).permutation(len(rows["left"]))
    shuffled = {name: column[order] for name, column in rows.items()}
    listed, again = (fitter.result_rows(fitted(each), FEATURES) for each in (rows, shuffled))
    assert listed == again


def test_too_few_departures_leave_the_scorecard() -> None:
    rows = operator(slope=1.5)
    train = np.flatnonzero(rows["left"].astype(bool) & (rows["month_number"] < 105))
    rows["left"][train[49:]] = 0
    result = fitted(rows)
    assert result.measures["evaluation"]["is_fitted"] == 0
    assert result.measures["evaluation"]["train_events"] == 49
    assert result.final.intercept == -3
    assert list(result.final.coefficients) == [0.5, 0, 0, 0, 0]
    average = np.array([[result.final.scales.centre[0], 0, np.nan, 7, 0]])
    assert result.final.scores(average) == pytest.approx(-3)
    rows["left"][train[49]] = 1
    assert fitted(rows).measures["evaluation"]["is_fitted"] == 1


def test_too_few_rows_leave_the_scorecard() -> None:
    rows = operator(slope=1.5)
    count = int((rows["month_number"] < 105).sum())
    assert fitted(rows, minimum_rows=count).measures["evaluation"]["is_fitted"] == 1
    assert fitted(rows, minimum_rows=count + 1).measures["evaluation"]["is_fitted"] == 0


def test_nothing_has_come_true_yet() -> None:
    rows = operator(slope=1.5)
    rows["left"][:] = np.nan
    measures = fitted(rows).measures["evaluation"]
    assert measures["test_rows"] == 0
    assert measures["is_fitted"] == 0
    assert "auc" not in measures


def test_without_departures_only_calibration_can_be_measured() -> None:
    measures = fitter.measure(np.array([0.1, 0.3]), np.zeros(2))
    assert measures == pytest.approx(
        {"brier": 0.05, "calibration_in_the_large": 0.2, "base_rate": 0}
    )


def test_measures_of_four_customers() -> None:
    measures = fitter.measure(np.array([0.9, 0.2, 0.6, 0.1]), np.array([1.0, 1, 0, 0]))
    assert measures == pytest.approx(
        {
            "auc": 3 / 4,
            "average_precision": (1 + 2 / 3) / 2,
            "top_decile_lift": 2,
            "brier": (0.01 + 0.64 + 0.36 + 0.01) / 4,
            "calibration_in_the_large": -0.05,
            "base_rate": 0.5,
        }
    )


@pytest.mark.parametrize(
    ("events", "train", "test", "final"),
    [
        ({}, (), (), ()),
        ({1: 5, 2: 0}, (), (1, 2), (1,)),
        ({1: 5, 2: 0, 3: 5, 4: 5, 5: 0, 6: 5}, (1, 3), (4, 5, 6), (1, 3, 4, 6)),
        (dict.fromkeys(range(1, 31), 1), range(7, 28), (28, 29, 30), range(7, 31)),
    ],
)
def test_months_to_learn_from_and_to_be_tested_on(
    events: dict[int, int], train: Any, test: Any, final: Any
) -> None:
    months = fitter.split_months(events, rules())
    assert (months.train, months.test, months.final) == (tuple(train), test, tuple(final))


def test_extremes_are_cut_and_what_is_missing_is_average() -> None:
    values = np.array([[0.0], [0.0], [1.0], [1.0], [1000.0], [np.nan]])
    scales = fitter.find_scales(values, 0.5)
    assert (scales.lower[0], scales.upper[0]) == (0, 1)
    assert scales.centre[0] == pytest.approx(0.6)
    assert scales.measured[0] == pytest.approx(5 / 6)
    standardised = scales.standardise(np.array([[1000.0], [1.0], [np.nan]]))[:, 0]
    assert standardised[0] == standardised[1] > 0
    assert standardised[2] == 0


def test_a_sample_is_a_share_of_the_customers_whoever_else_there_is() -> None:
    assert fitter.sample_bound(500_000, 500_000) == "g"
    assert fitter.sample_bound(4, 1) == "40000000"
    assert fitter.sample_bound(0, 1) == "g"
