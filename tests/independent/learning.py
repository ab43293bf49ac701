"""The churn model fitted again, by Newton's method in plain arrays (rulebook 8)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from tests.independent.loading import Row
from tests.independent.money import six_decimals
from tests.independent.months import first_day

HORIZON = 3
TEST_MONTHS = 3
TRAINING_MONTHS = 24
MINIMUM_EVENTS, MINIMUM_ROWS = 50, 500
PENALTY = 30.0
CLIP_SHARE = 0.01
FOLDS = 5
# Sides that tell of an absence or of something reassuring: counted, never told as a reason.
REASSURING = {
    *(f"{name} above" for name in ("in_contract", "contract_months_left", "mean_satisfaction")),
    *(
        f"{name} below"
        for name in (
            "revenue_drop_share",
            "complaints_3m",
            "complaints_12m",
            "open_complaints",
            "breaches_12m",
            "is_overdue",
            "overdue_months",
            "days_past_due",
            "plan_changes_12m",
            "manager_changes_6m",
            "outage_hours",
            "drop_rate",
            "competitor_known",
            "is_prepaid",
        )
    ),
}
REASONS = 3
STEPS = 60

Array = Any  # of floats, one row per customer-month
Place = tuple[str, int]


@dataclass(frozen=True)
class Fit:
    """Coefficients of standardised features; one that says nothing has 0."""

    coefficients: Array
    intercept: float
    low: Array
    high: Array
    centre: Array
    scale: Array

    def contributions(self, values: Array) -> Array:
        """What each feature adds to the log odds; an unmeasured one adds nothing."""
        return _standardised(self, values) * self.coefficients

    def probabilities(self, values: Array) -> Array:
        return _logistic(self.contributions(values).sum(axis=1) + self.intercept)


class Learning:
    """The fit of the test and the final one, from features and departures given."""

    def __init__(
        self,
        features: dict[Place, dict[str, Any]],
        has_left: Callable[[str, int], bool | None],
        closing_month: int,
    ) -> None:
        self.places = sorted(features)
        self.names = list(next(iter(features.values())))
        self.values = np.array(
            [
                [
                    np.nan if value is None else float(six_decimals(Decimal(value)))
                    for value in features[place].values()
                ]
                for place in self.places
            ]
        )
        self.months = np.array([month for _, month in self.places])
        left = [has_left(*place) for place in self.places]
        self.left = np.array([bool(each) for each in left])
        last = closing_month - HORIZON
        self.is_test = (self.months > last - TEST_MONTHS) & (self.months <= last)
        with_events = sorted(set(self.months[self.left & (self.months <= last)]))
        window = np.isin(self.months, with_events[-TRAINING_MONTHS:])
        self.is_train = window & ~self.is_test
        self.is_final = window
        assert self.left[self.is_train].sum() >= MINIMUM_EVENTS
        assert self.is_train.sum() >= MINIMUM_ROWS
        self.evaluation = self._fit(self.is_train)
        self.final = self._fit(self.is_final)

    def _fit(self, rows: Array) -> Fit:
        """Ridge regression on some of the rows, its intercept set to the last three months."""
        return _calibrated(
            _fitted(self.values[rows], self.left[rows]),
            self.values[rows],
            self.left[rows],
            self.months[rows],
        )

    @cached_property
    def risks(self) -> dict[Place, float]:
        """Probability to leave, by the final fit."""
        return self._risks(self.final)

    @cached_property
    def tested_risks(self) -> dict[Place, float]:
        """The same by the tested fit, in the months of the test."""
        risks = self._risks(self.evaluation)
        tested = zip(self.places, self.is_test, strict=True)
        return {place: risks[place] for place, is_tested in tested if is_tested}

    def _risks(self, fit: Fit) -> dict[Place, float]:
        return dict(zip(self.places, map(float, fit.probabilities(self.values)), strict=True))

    def measures(self) -> Row:
        """What churn_model says of the fits and how good the tested one is."""
        test = self.is_test
        scores = self.evaluation.probabilities(self.values[test])
        left = self.left[test]
        return {
            "auc": _auc(scores, left),
            "auc_unseen_customers": _auc(self._unseen(), left),
            "average_precision": _average_precision(scores, left),
            "top_decile_lift": _top_decile_lift(scores, left),
            "brier": float(np.mean((scores - left) ** 2)),
            "calibration_in_the_large": float(scores.mean() - left.mean()),
            "base_rate": float(left.mean()),
            "train_rows": int(self.is_train.sum()),
            "train_events": int(self.left[self.is_train].sum()),
            "test_rows": int(test.sum()),
            "test_events": int(left.sum()),
            "first_train_month": first_day(int(self.months[self.is_train].min())),
            "last_train_month": first_day(int(self.months[self.is_train].max())),
            "first_test_month": first_day(int(self.months[test].min())),
            "last_test_month": first_day(int(self.months[test].max())),
            "final_rows": int(self.is_final.sum()),
            "final_events": int(self.left[self.is_final].sum()),
        }

    def reasons(self) -> dict[Place, list[str]]:
        """The three features to act on that raise the score most above the average, and how."""
        contributions = self.final.contributions(self.values)
        above = self.values > self.final.centre
        found = {}
        for row, place in enumerate(self.places):
            raising = [
                f"{self.names[each]} {'above' if above[row, each] else 'below'}"
                for each in np.argsort(-contributions[row], kind="stable")
                if contributions[row, each] > 0
            ]
            found[place] = [side for side in raising if side not in REASSURING][:REASONS]
        return found

    def _unseen(self) -> Array:
        """Scores of the test, each by a fit that never saw the customer, not shifted."""
        parts = np.array([_part(customer) for customer, _ in self.places])
        scores = np.zeros(len(self.places))
        for part in range(FOLDS):
            seen = self.is_train & (parts != part)
            fit = _fitted(self.values[seen], self.left[seen])
            scores[parts == part] = fit.probabilities(self.values[parts == part])
        return scores[self.is_test]


def _part(customer: str) -> int:
    return int(hashlib.md5(customer.encode(), usedforsecurity=False).hexdigest(), 16) % FOLDS


def _logistic(log_odds: Array) -> Array:
    return 1 / (1 + np.exp(-log_odds))


def _standardised(fit: Fit, values: Array) -> Array:
    return np.nan_to_num((np.clip(values, fit.low, fit.high) - fit.centre) / fit.scale)


def _fitted(values: Array, left: Array) -> Fit:
    bounds = np.array([_bounds(column[~np.isnan(column)]) for column in values.T])
    low, high = bounds[:, 0], bounds[:, 1]
    clipped = np.clip(values, low, high)
    spread = np.nanstd(clipped, axis=0)
    fit = Fit(
        np.zeros(values.shape[1]),
        0.0,
        low,
        high,
        np.nanmean(clipped, axis=0),
        np.where(spread > 0, spread, 1.0),
    )
    weights = _ridge(_standardised(fit, values), left)
    return _with(fit, coefficients=weights[1:], intercept=float(weights[0]))


def _bounds(known: Array) -> tuple[float, float]:
    """The percentiles of what is not the commonest value, widened to hold that."""
    values, counts = np.unique(known, return_counts=True)
    commonest = values[counts.argmax()]
    others = known[known != commonest]
    if not len(others):
        return commonest, commonest
    low, high = np.quantile(others, [CLIP_SHARE, 1 - CLIP_SHARE])
    return min(low, commonest), max(high, commonest)


def _ridge(standardised: Array, left: Array) -> Array:
    """Intercept and coefficients at the minimum of log loss + penalty / 2 x squares."""
    matrix = np.column_stack([np.ones(len(standardised)), standardised])
    penalty = np.diag([0.0, *[PENALTY] * standardised.shape[1]])
    weights = np.zeros(matrix.shape[1])
    for _ in range(STEPS):
        chances = _logistic(matrix @ weights)
        slope = matrix.T @ (chances - left) + penalty @ weights
        curvature = (matrix * (chances * (1 - chances))[:, None]).T @ matrix + penalty
        step = np.linalg.solve(curvature, slope)
        weights = weights - step
        if np.abs(step).max() < 1e-13:
            break
    return weights


def _calibrated(fit: Fit, values: Array, left: Array, months: Array) -> Fit:
    """The mean chance of the last three months equals the share that left in them."""
    recent = months > months.max() - TEST_MONTHS
    rate = left[recent].mean()
    log_odds = fit.contributions(values[recent]).sum(axis=1)
    low, high = -30.0, 30.0
    while high - low > 1e-13:
        middle = (low + high) / 2
        if _logistic(log_odds + middle).mean() < rate:
            low = middle
        else:
            high = middle
    return _with(fit, intercept=(low + high) / 2)


def _with(fit: Fit, **changes: Any) -> Fit:
    return Fit(**{**fit.__dict__, **changes})


def _auc(scores: Array, left: Array) -> float:
    """Share of pairs in which who leaves is rated above who stays; equals count half."""
    stayers = np.sort(scores[~left])
    below = np.searchsorted(stayers, scores[left], side="left")
    not_above = np.searchsorted(stayers, scores[left], side="right")
    return float((below + not_above).sum() / 2 / (len(stayers) * left.sum()))


def _average_precision(scores: Array, left: Array) -> float:
    """Mean, over who leaves, of the share of leavers among those rated no lower."""
    precisions = []
    for score in scores[left]:
        rated = scores >= score
        precisions.append((rated & left).sum() / rated.sum())
    return float(np.mean(precisions))


def _top_decile_lift(scores: Array, left: Array) -> float:
    highest = np.argsort(-scores, kind="stable")[: -(-len(scores) // 10)]
    return float(left[highest].mean() / left.mean())
