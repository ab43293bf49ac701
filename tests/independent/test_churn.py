"""What stands behind the risk to leave: features, the tested fit, reasons."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.independent.comparing import differences, in_words
from tests.independent.conftest import Published
from tests.independent.marts import Marts
from tests.independent.months import number_of

pytestmark = pytest.mark.xdist_group("independent")

CUSTOMER_MONTH = ("customer_id", "month")
FIT_TOLERANCE = 1e-6
# The warehouse divides in floats: a ratio that ends in a 5 may be rounded either way.
FEATURE_TOLERANCE = 1.1e-6


def test_every_feature_is_what_was_known(marts: Marts, built: Published) -> None:
    own = marts.churn_features.rows()
    rows = built("select * from intermediate.int_customer_churn_features_measured")
    differing = differences(own, rows, CUSTOMER_MONTH, FEATURE_TOLERANCE)
    assert own and not differing, in_words(differing, len(rows))


def test_the_tested_fit_rates_as_a_second_one_does(marts: Marts, built: Published) -> None:
    rows = built(
        "select * from intermediate.int_customer_churn_scored"
        " where evaluated_probability is not null"
    )
    published = {
        (row["customer_id"], number_of(row["month"])): float(row["evaluated_probability"])
        for row in rows
    }
    assert published == pytest.approx(marts.learning.tested_risks, abs=FIT_TOLERANCE)


def test_reasons_are_the_features_that_raise_the_risk_most(
    marts: Marts, published: Published
) -> None:
    """Each feature has its own words for either side of the average."""
    words: dict[str, set[str]] = defaultdict(set)
    reasons: dict[str, set[str]] = defaultdict(set)
    own = marts.learning.reasons()
    for row in published("select * from marts.customer_risk_monthly"):
        told = [row[f"reason_{place}"] for place in (1, 2, 3)]
        expected = own[row["customer_id"], number_of(row["month"])]
        assert told[len(expected) :] == [None] * (3 - len(expected))
        for reason, text in zip(expected, told, strict=False):
            words[reason].add(text)
            reasons[text].add(reason)
    assert words and all(len(texts) == 1 for texts in words.values()), words
    assert all(len(meanings) == 1 for meanings in reasons.values()), reasons
