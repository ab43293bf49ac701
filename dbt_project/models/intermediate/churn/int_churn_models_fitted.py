"""The fit of the churn model (rulebook 8): coefficients and honest measures, as a table.

Plain functions over arrays do the work, one row per customer-month and one column per
feature, nan where a feature is not measured; `model` feeds them and returns their result.
Two fits come out. `evaluation` never saw the test months and is what the measures speak
of; `final` scores the customers. Scoring itself is SQL (int_customer_churn_scored).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

DECIMALS = 9  # of everything returned: beyond them, engines and machines differ
KEYS = ("customer_id", "month", "month_number", "left_within_3m")


@dataclass(frozen=True)
class Rules:
    """The operator's numbers, from the reference table `parameters`."""

    training_months: int
    test_months: int
    minimum_events: int
    minimum_rows: int
    maximum_rows: int
    folds: int
    penalty: float
    clip_share: float


@dataclass(frozen=True)
class Months:
    """Month numbers: those to learn from, to be tested on, and of the last rate."""

    train: tuple[int, ...]
    test: tuple[int, ...]
    final: tuple[int, ...]


@dataclass(frozen=True)
class Scales:
    """Per feature: what its values are cut to and measured against."""

    lower: Any
    upper: Any
    centre: Any
    scale: Any
    measured: Any  # share of rows with a value

    def standardise(self, values: Any) -> Any:
        """Distances from the centre in units of the scale; 0 where not measured."""
        import numpy

        distances = numpy.clip(values, self.lower, self.upper)
        distances -= self.centre
        distances /= self.scale
        distances[numpy.isnan(distances)] = 0
        return distances


@dataclass(frozen=True)
class Fit:
    """A linear score of standardised features; a feature it does not use has 0."""

    intercept: float
    coefficients: Any
    scales: Scales

    def scores(self, values: Any) -> Any:
        """The log-odds of leaving, one per row."""
        return self.intercept + self.scales.standardise(values) @ self.coefficients

    def probabilities(self, values: Any) -> Any:
        """The probability to leave, one per row."""
        import numpy

        return 1 / (1 + numpy.exp(-self.scores(values)))

    def shifted(self, values: Any, rate: float) -> "Fit":
        """The same fit with its mean probability over the rows equal to the rate.

        A rate of 0 or 1 is no probability; it shifts nothing.
        """
        if not 0 < rate < 1:
            return self
        shift = intercept_shift(self.scores(values), rate)
        return Fit(round(self.intercept + shift, DECIMALS), self.coefficients, self.scales)


def intercept_shift(scores: Any, rate: float) -> float:
    """What to add to the scores so that the mean probability is the rate; by bisection."""
    import numpy

    low, high = -60.0, 60.0
    while high - low > 10.0 ** -(DECIMALS + 2):
        middle = (low + high) / 2
        if numpy.mean(1 / (1 + numpy.exp(-(scores + middle)))) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def split_months(events: dict[int, int], rules: Rules) -> Months:
    """Months to learn from and to be tested on, from the departures of each labelled one.

    Tested are the last labelled months, whatever happened in them; learnt from are the
    latest months with departures.
    """
    labelled = sorted(events)
    test = tuple(labelled[-rules.test_months :])
    final = tuple([month for month in labelled if events[month]][-rules.training_months :])
    return Months(tuple(month for month in final if month not in test), test, final)


def find_scales(values: Any, clip_share: float) -> Scales:
    """Extremes, mean and deviation of each feature, over the rows in which it is measured.

    Extremes are cut at a percentile on either side of the values other than the commonest
    one: a rare event is not an extreme of its absence.
    """
    import numpy

    count = values.shape[1]
    lower, upper, centre = (numpy.zeros(count) for _ in range(3))
    scale, measured = numpy.ones(count), numpy.zeros(count)
    for column in range(count):
        known = numpy.ascontiguousarray(values[:, column])
        known = known[~numpy.isnan(known)]
        if not known.size:
            continue
        ordered = numpy.sort(known)
        starts = numpy.flatnonzero(numpy.diff(ordered, prepend=-numpy.inf))
        commonest = ordered[starts[numpy.diff(starts, append=ordered.size).argmax()]]
        others = ordered[ordered != commonest]
        bounds = [commonest, commonest]
        if others.size:
            bounds += list(numpy.quantile(others, [clip_share, 1 - clip_share]))
        lower[column] = round(float(min(bounds)), DECIMALS)
        upper[column] = round(float(max(bounds)), DECIMALS)
        cut = numpy.clip(known, lower[column], upper[column])
        centre[column] = round(float(cut.mean()), DECIMALS)
        scale[column] = round(float(cut.std()), DECIMALS) or 1.0
        measured[column] = round(known.size / len(values), DECIMALS)
    return Scales(lower, upper, centre, scale, measured)


def fit_logistic(values: Any, left: Any, rules: Rules) -> Fit:
    """A logistic regression with a ridge penalty; the classes keep their weights."""
    import numpy
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    scales = find_scales(values, rules.clip_share)
    standardised = scales.standardise(values)
    used = numpy.ptp(standardised, axis=0) > 0
    coefficients = numpy.zeros(values.shape[1])
    # One thread and a solver of second order: the same digits on every machine.
    with threadpool_limits(limits=1):
        regression = LogisticRegression(
            C=1 / rules.penalty, solver="newton-cholesky", tol=1e-10, max_iter=200
        ).fit(standardised.compress(used, axis=1), left)
    coefficients[used] = numpy.round(regression.coef_[0], DECIMALS)
    return Fit(round(float(regression.intercept_[0]), DECIMALS), coefficients, scales)


def prior_fit(
    values: Any, features: Sequence[str], prior: dict[str, float], clip_share: float
) -> Fit:
    """The scorecard: its coefficients count per unit, from the customers' average on."""
    import numpy

    scales = find_scales(values, clip_share)
    coefficients = numpy.array([prior.get(feature, 0.0) for feature in features])
    return Fit(
        prior["intercept"],
        numpy.where(scales.measured > 0, coefficients, 0.0),
        replace(scales, scale=numpy.ones(len(features))),
    )


def auc_of(scores: Any, left: Any) -> float:
    """The share of pairs of a leaver and a stayer that scores order rightly; ties count half.

    Whole numbers to the last division; there must be leavers and stayers.
    """
    import numpy

    ordered = numpy.sort(scores)
    leavers = scores[left > 0]
    # Twice the places of the leavers among all, less those among themselves.
    places = sum(int(ordered.searchsorted(leavers, side).sum()) for side in ("left", "right"))
    pairs = leavers.size * (scores.size - leavers.size)
    return (places - leavers.size**2) / (2 * pairs)


def measure(probabilities: Any, left: Any) -> dict[str, float | None]:
    """How well probabilities told who left. Rankings need leavers and stayers.

    calibration_in_the_large is the mean probability less the rate that came true.
    """
    import numpy
    from sklearn.metrics import average_precision_score

    if not len(left):
        return {}
    rate = float(left.mean())
    measures: dict[str, float | None] = {
        "brier": float(numpy.mean((probabilities - left) ** 2)),
        "calibration_in_the_large": float(probabilities.mean()) - rate,
        "base_rate": rate,
    }
    if 0 < rate < 1:
        top = numpy.argsort(-probabilities, kind="stable")[: -(-len(left) // 10)]
        measures["auc"] = auc_of(probabilities, left)
        measures["average_precision"] = float(average_precision_score(left, probabilities))
        measures["top_decile_lift"] = float(left[top].mean()) / rate
    return measures


def single_aucs(values: Any, left: Any) -> Any:
    """How well each feature alone, either way round, tells who left; nan if it cannot.

    A feature that knows what is yet to come shows here.
    """
    import numpy

    found = numpy.full(values.shape[1], numpy.nan)
    for column in range(values.shape[1]):
        known = ~numpy.isnan(values[:, column])
        if known.any() and 0 < left[known].mean() < 1:
            auc = auc_of(values[known, column], left[known])
            found[column] = max(auc, 1 - auc)
    return found


def fold_of(customer_id: str, folds: int) -> int:
    """The part a customer belongs to, whatever else is delivered."""
    return int(hashlib.md5(customer_id.encode(), usedforsecurity=False).hexdigest(), 16) % folds


def numbered(customers: Any) -> tuple[list[str], Any]:
    """The distinct customers in their order, and the place of each row's customer there."""
    import numpy

    distinct = sorted(set(customers))
    places = {customer: place for place, customer in enumerate(distinct)}
    return distinct, numpy.fromiter((places[each] for each in customers), int, len(customers))


def auc_of_unseen_customers(
    values: Any, left: Any, folds: Any, train: Any, test: Any, rules: Rules
) -> float | None:
    """The AUC over the test months when each customer is scored by a fit without it.

    None where a part of the customers has no departure to learn from.
    """
    import numpy

    if not 0 < left[test].mean() < 1:
        return None
    scores = numpy.zeros(len(left))
    for fold in range(rules.folds):
        seen = train & (folds != fold)
        if not 0 < left[seen].mean() < 1:
            return None
        unseen = test & (folds == fold)
        scores[unseen] = fit_logistic(values[seen], left[seen], rules).probabilities(values[unseen])
    return auc_of(scores[test], left[test])


@dataclass(frozen=True)
class Result:
    """Both fits, the measures of each, and what each feature tells alone."""

    evaluation: Fit
    final: Fit
    measures: dict[str, dict[str, float | None]]
    aucs: Any


def fit_models(
    rows: dict[str, Any], features: Sequence[str], prior: dict[str, float], rules: Rules
) -> Result:
    """Fit, test, refit and calibrate; the prior scorecard where departures are too few.

    `rows` holds the arrays customer_id, month_number, left (nan while not known) and
    values, in any order.
    """
    import numpy

    customers, places = numbered(rows["customer_id"])
    order = numpy.lexsort((rows["month_number"], places))
    month, left, values = (rows[name][order] for name in ("month_number", "left", "values"))
    labelled = ~numpy.isnan(left)
    months = split_months(
        {int(each): int(left[labelled & (month == each)].sum()) for each in set(month[labelled])},
        rules,
    )
    train, test, final = (
        labelled & numpy.isin(month, each) for each in (months.train, months.test, months.final)
    )
    is_fitted = left[train].sum() >= rules.minimum_events and train.sum() >= rules.minimum_rows
    unseen = None
    if is_fitted:
        recent = train & numpy.isin(month, months.train[-rules.test_months :])
        evaluated = fit_logistic(values[train], left[train], rules)
        evaluated = evaluated.shifted(values[recent], float(left[recent].mean()))
        refitted = fit_logistic(values[final], left[final], rules)
        refitted = refitted.shifted(values[test], float(left[test].mean()))
        parts = numpy.array([fold_of(customer, rules.folds) for customer in customers])
        folds = parts[places[order]]
        unseen = auc_of_unseen_customers(values, left, folds, train, test, rules)
    else:
        evaluated = refitted = prior_fit(values, features, prior, rules.clip_share)
    return Result(
        evaluated,
        refitted,
        {
            "evaluation": {
                **measure(evaluated.probabilities(values[test]), left[test]),
                "auc_unseen_customers": unseen,
                "is_fitted": float(is_fitted),
                **_extent("train", month, left, train),
                **_extent("test", month, left, test),
            },
            "final": {
                "is_fitted": float(is_fitted),
                **_extent("train", month, left, final),
            },
        },
        single_aucs(values[final], left[final]),
    )


def _extent(name: str, month: Any, left: Any, rows: Any) -> dict[str, float | None]:
    """How many rows and departures there are, and their first and last month."""
    return {
        f"{name}_rows": float(rows.sum()),
        f"{name}_events": float(left[rows].sum()),
        f"first_{name}_number": float(month[rows].min()) if rows.any() else None,
        f"last_{name}_number": float(month[rows].max()) if rows.any() else None,
    }


def result_rows(result: Result, features: Sequence[str]) -> list[dict[str, Any]]:
    """The figures of both fits as rows of the table; nan becomes null."""
    import numpy

    rows: list[dict[str, Any]] = []
    for name, fit in (("evaluation", result.evaluation), ("final", result.final)):
        rows += [
            {"fit": name, "kind": "measure", "name": each, "value": value}
            for each, value in result.measures[name].items()
        ]
        rows.append(
            {"fit": name, "kind": "coefficient", "name": "intercept", "value": fit.intercept}
        )
        for column, feature in enumerate(features):
            auc = result.aucs[column]
            rows.append(
                {
                    "fit": name,
                    "kind": "coefficient",
                    "name": feature,
                    "value": float(fit.coefficients[column]),
                    "centre": float(fit.scales.centre[column]),
                    "scale": float(fit.scales.scale[column]),
                    "lower_bound": float(fit.scales.lower[column]),
                    "upper_bound": float(fit.scales.upper[column]),
                    "measured_share": float(fit.scales.measured[column]),
                    "single_auc": None if numpy.isnan(auc) else float(auc),
                }
            )
    return [{key: _rounded(figure) for key, figure in row.items()} for row in rows]


def _rounded(figure: Any) -> Any:
    return round(figure, DECIMALS) if isinstance(figure, float) else figure


def sample_bound(rows: int, maximum_rows: int) -> str:
    """The MD5 below which the customers of the sample lie: about the share allowed."""
    share = min(1.0, maximum_rows / max(rows, 1))
    return f"{int(share * 16**8):08x}" if share < 1 else "g"


def model(dbt: Any, session: Any) -> Any:
    """Both fits on the latest months of the run, as an Arrow table."""
    import numpy
    import pyarrow

    dbt.config(materialized="table")
    numbers = dict(dbt.ref("parameters").project("name, value").fetchall())
    rules = Rules(
        training_months=int(numbers["churn_training_months"]),
        test_months=int(numbers["churn_test_months"]),
        minimum_events=int(numbers["churn_minimum_events"]),
        minimum_rows=int(numbers["churn_minimum_rows"]),
        maximum_rows=int(numbers["churn_maximum_rows"]),
        folds=int(numbers["churn_folds"]),
        penalty=float(numbers["churn_penalty"]),
        clip_share=float(numbers["churn_clip_share"]),
    )
    prior = {
        name: float(value)
        for name, value in dbt.ref("churn_prior").project("feature, coefficient").fetchall()
    }
    measured = dbt.ref("int_customer_churn_features_measured")
    features = [name for name in measured.columns if name not in KEYS]
    events = dict(
        measured.filter("left_within_3m is not null")
        .aggregate("month_number, sum(case when left_within_3m then 1 else 0 end)", "month_number")
        .fetchall()
    )
    months = split_months({int(key): int(value) for key, value in events.items()}, rules)
    wanted = sorted({*months.final, *months.test})
    # Without a month that came true the scorecard takes its averages from all.
    listed = ", ".join(map(str, wanted))
    latest = measured.filter(f"month_number in ({listed})") if wanted else measured
    bound = sample_bound(latest.aggregate("count(*)").fetchone()[0], rules.maximum_rows)
    sample = latest.filter(f"md5(customer_id) < '{bound}'").project(
        "customer_id, month_number, cast(left_within_3m as double) as left_within, "
        + ", ".join(features)
    )
    columns = sample.fetchnumpy()
    rows = {
        "customer_id": columns["customer_id"],
        "month_number": numpy.asarray(columns["month_number"], dtype=numpy.int64),
        "left": _with_nan(columns["left_within"]),
        "values": numpy.column_stack([_with_nan(columns[name]) for name in features]),
    }
    schema = pyarrow.schema(
        [("fit", pyarrow.string()), ("kind", pyarrow.string()), ("name", pyarrow.string())]
        + [
            (name, pyarrow.float64())
            for name in (
                "value",
                "centre",
                "scale",
                "lower_bound",
                "upper_bound",
                "measured_share",
                "single_auc",
            )
        ]
    )
    result = fit_models(rows, features, prior, rules)
    return pyarrow.Table.from_pylist(result_rows(result, features), schema=schema)


def _with_nan(column: Any) -> Any:
    """Numbers with nan for null."""
    import numpy

    return numpy.ma.filled(numpy.ma.asarray(column, dtype=numpy.float64), numpy.nan)
