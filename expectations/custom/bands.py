"""Rules that hold the newest month against the months before it."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from expectations.custom.base import QueryRule, parameter

CLOSING_MONTH = "select max(month) as closing_month from marts.dim_month where is_closed"


class ExpectMeasuresToStayInBand(QueryRule):
    """A measure of the closing month lies near its mean of the months before.

    The band is learned: parameter drift_deviations standard deviations of at most
    drift_months earlier months, at least the share drift_minimum_share of the mean, and at
    least `floor`, the name of a parameter. With fewer than drift_minimum_months nothing is
    judged. `measures` is SQL with the columns measure, month and value.
    """

    measures: str
    floor: str = ""
    success_keys: ClassVar[tuple[str, ...]] = (*QueryRule.success_keys, "measures", "floor")

    @override
    def query(self) -> str:
        floor = parameter(self.floor) if self.floor else "0"
        return f"""
with measured as ({self.measures}),
closing as ({CLOSING_MONTH}),
learned as (
    select
        measured.measure,
        avg(measured.value) as mean_value,
        stddev_pop(measured.value) as deviation
    from measured
    cross join closing
    where measured.month < closing.closing_month
        and datediff('month', measured.month, closing.closing_month)
            <= {parameter("drift_months")}
    group by measured.measure
    having count(measured.value) >= {parameter("drift_minimum_months")}
),
bands as (
    select
        measure,
        mean_value,
        greatest(
            {parameter("drift_deviations")} * deviation,
            {parameter("drift_minimum_share")} * abs(mean_value),
            {floor}
        ) as half_width
    from learned
)
select
    bands.measure,
    format('{{:.4g}}', cast(measured.value as double)) as observed,
    format('{{:.4g}}', cast(bands.mean_value - bands.half_width as double)) as low,
    format('{{:.4g}}', cast(bands.mean_value + bands.half_width as double)) as high,
    abs(measured.value - bands.mean_value) > bands.half_width as failed
from bands
cross join closing
inner join measured
    on measured.measure = bands.measure and measured.month = closing.closing_month
"""


class ExpectFeedToReachClosingMonth(QueryRule):
    """A delivered feed has rows of the closing month; an absent feed is not judged."""

    column: str
    success_keys: ClassVar[tuple[str, ...]] = (*QueryRule.success_keys, "column")

    @override
    def query(self) -> str:
        return f"""
with newest as (
    select cast(date_trunc('month', max({self.column})) as date) as last_month
    from {self.dataset}
)
select newest.last_month, newest.last_month < period.closing_month as failed
from newest
cross join checks.period as period
where newest.last_month is not null
"""
