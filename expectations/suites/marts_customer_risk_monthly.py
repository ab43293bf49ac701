"""Suite of the mart customer_risk_monthly: the probability to leave, its band and reasons."""

from __future__ import annotations

from great_expectations.core import ExpectationSuite

from expectations.suites.common import (
    coded,
    compared,
    first_day,
    holds,
    key_rules,
    mart,
    present,
    ranged,
    refers,
)

DATASET = mart("customer_risk_monthly", "customer_id", "month", owner="customer value team")

MODELS = ("logistic_regression", "prior_scorecard")

SAME_ROWS = """
select
    customer_id,
    month,
    customers.customer_id is null or risks.customer_id is null as failed
from (
    select customer_id, month from marts.customer_monthly
    where relationship in ('on_net', 'returned', 'dormant')
) as customers
full join marts.customer_risk_monthly as risks using (customer_id, month)
"""

BANDS = """
with bands as (
    select
        risk_band,
        lower_bound,
        coalesce(lead(lower_bound) over (order by lower_bound), 2) as upper_bound
    from reference.risk_bands
)
select
    risks.customer_id,
    risks.month,
    bands.risk_band is null as failed
from marts.customer_risk_monthly as risks
left join bands
    on risks.risk_band = bands.risk_band
    and risks.churn_probability >= bands.lower_bound
    and risks.churn_probability < bands.upper_bound
"""

# A departure shows as a month without a subscription in customer_monthly.
DEPARTURES = """
with horizon as (
    select to_months(cast(value as integer)) as months
    from reference.parameters where name = 'churn_horizon_months'
),
inactive as (
    select customer_id, month from marts.customer_monthly where active_subscriptions = 0
),
closing as (
    select max(month) as month from marts.customer_monthly
)
select
    risks.customer_id,
    risks.month,
    risks.left_within_3m is distinct from case
        when risks.month + horizon.months <= closing.month
        then exists (
            select 1 from inactive
            where inactive.customer_id = risks.customer_id
                and inactive.month > risks.month
                and inactive.month <= risks.month + horizon.months
        )
    end as failed
from marts.customer_risk_monthly as risks
cross join horizon
cross join closing
"""

CALIBRATION = """
with numbers as (
    select
        max(case when name = 'churn_test_months' then value end) as months,
        max(case when name = 'churn_calibration_tolerance' then value end) as tolerance
    from reference.parameters
),
known as (
    select
        model,
        month,
        churn_probability,
        case when left_within_3m then 1 else 0 end as left_flag,
        dense_rank() over (order by month desc) as age
    from marts.customer_risk_monthly
    where left_within_3m is not null
)
select
    known.model,
    abs(avg(known.churn_probability) - avg(known.left_flag)) > max(numbers.tolerance) as failed
from known
cross join numbers
where known.age <= numbers.months
group by known.model
"""


def build() -> ExpectationSuite:
    """The suite."""
    return DATASET.build_suite(
        [
            *key_rules(DATASET),
            *present(DATASET, "churn_probability", "risk_band", "model"),
            first_day(DATASET),
            refers(DATASET, "customer_id", "marts.dim_customer"),
            ranged(DATASET, "churn_probability", 0, 1, "rulebook 8"),
            coded(DATASET, "model", MODELS, "rulebook 8"),
            holds(
                DATASET,
                "reasons_come_in_order",
                "A further reason follows an earlier one and differs from it.",
                "(reason_1 is not null or reason_2 is null)"
                " and (reason_2 is not null or reason_3 is null)"
                " and coalesce(reason_1 <> reason_2, true)"
                " and coalesce(reason_1 <> reason_3, true)"
                " and coalesce(reason_2 <> reason_3, true)",
                "rulebook 8, reasons",
                column="reason_1",
            ),
            compared(
                DATASET,
                "bands_agree_with_the_probability",
                "risk_band is the band of risk_bands.csv that the probability lies in.",
                BANDS,
                "rulebook 8, bands",
                keys=["customer_id", "month"],
                column="risk_band",
            ),
            compared(
                DATASET,
                "every_ranked_customer_month_has_a_risk",
                "A customer-month of customer_monthly has a risk if and only if it is on_net,"
                " returned or dormant.",
                SAME_ROWS,
                "rulebook 8, target",
                keys=["customer_id", "month"],
            ),
            compared(
                DATASET,
                "departures_agree_with_customer_monthly",
                "left_within_3m says whether a month of the horizon has no active subscription,"
                " and is empty until all of them have come true.",
                DEPARTURES,
                "rulebook 8, target",
                keys=["customer_id", "month"],
                column="left_within_3m",
            ),
            compared(
                DATASET,
                "probabilities_are_calibrated",
                "Over the last months that have come true, the mean probability is the share that"
                " left, within the tolerance of the parameters. The scorecard need not be.",
                CALIBRATION,
                "rulebook 8, calibration",
                severity="warning",
                keys=["model"],
                column="churn_probability",
            ),
        ],
        "How likely each ranked customer is to leave, and why.",
    )
