"""Rules that compare groups or tables; each runs one query."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from expectations.custom.base import QueryRule, parameter


class ExpectFindingsToBeNone(QueryRule):
    """A comparison written in SQL finds nothing that failed."""

    comparison: str
    success_keys: ClassVar[tuple[str, ...]] = (*QueryRule.success_keys, "comparison")

    @override
    def query(self) -> str:
        return self.comparison


class ExpectTotalsToAgree(QueryRule):
    """Sums of one measure in two tables are the same, group by group.

    A group that one side lacks counts as 0 there, so that nothing is lost silently.
    """

    left: str
    left_total: str
    right: str
    right_total: str
    by: list[str]
    tolerance: float = 0
    success_keys: ClassVar[tuple[str, ...]] = (
        *QueryRule.success_keys,
        "left",
        "left_total",
        "right",
        "right_total",
        "by",
        "tolerance",
    )

    @override
    def query(self) -> str:
        groups = ", ".join(self.by)
        return f"""
with left_side as (
    select {groups}, {self.left_total} as total from {self.left} group by {groups}
),
right_side as (
    select {groups}, {self.right_total} as total from {self.right} group by {groups}
)
select
    {groups},
    coalesce(left_side.total, 0) - coalesce(right_side.total, 0) as amount,
    abs(coalesce(left_side.total, 0) - coalesce(right_side.total, 0))
        > {self.tolerance:g} as failed
from left_side
full join right_side using ({groups})
"""


class ExpectHistoryToBeContinuous(QueryRule):
    """Stretches of one key follow each other without a gap or an overlap."""

    key: str
    starts: str
    ends: str
    success_keys: ClassVar[tuple[str, ...]] = (
        *QueryRule.success_keys,
        "key",
        "starts",
        "ends",
    )

    @override
    def query(self) -> str:
        return f"""
with stretches as (
    select
        {self.key},
        {self.starts},
        {self.ends},
        lead({self.starts}) over (partition by {self.key} order by {self.starts})
            as next_starts
    from {self.dataset}
)
select
    {self.key},
    {self.starts},
    {self.ends} is distinct from next_starts or {self.ends} <= {self.starts} as failed
from stretches
"""


class ExpectMonthsToBeUnbroken(QueryRule):
    """Between the first and the last month counted, no month is missing.

    `measure` is an SQL aggregate of money over `measured_in` (the dataset, if not named);
    a missing month is taken to have brought the mean of those beside the gap.
    """

    column: str
    counted: str = "true"
    measured_in: str = ""
    measure: str = "0"
    success_keys: ClassVar[tuple[str, ...]] = (
        *QueryRule.success_keys,
        "column",
        "counted",
        "measured_in",
        "measure",
    )

    @override
    def query(self) -> str:
        return f"""
with delivered as (
    select date_trunc('month', {self.column}) as month, {self.measure} as measure
    from {self.measured_in or self.dataset}
    where {self.column} is not null and {self.counted}
    group by date_trunc('month', {self.column})
),
followed as (
    select
        month,
        measure,
        lead(month) over (order by month) as next_month,
        lead(measure) over (order by month) as next_measure
    from delivered
)
select
    cast(month as date) as last_month_before_gap,
    cast(round(
        (measure + next_measure) / 2 * (datediff('month', month, next_month) - 1), 4
    ) as decimal(18, 4)) as amount,
    next_month > month + interval 1 month as failed
from followed
"""


class ExpectVolumeToHold(QueryRule):
    """A month brings its usual number of rows, measured by the months before.

    The share and the number of months compared are rows of `reference.parameters`,
    the same that choose the closing month. Months after it, and feeds whose usual month
    has fewer rows than parameter volume_minimum_rows, are not judged.
    """

    column: str
    counted: str = "true"
    success_keys: ClassVar[tuple[str, ...]] = (
        *QueryRule.success_keys,
        "column",
        "counted",
    )

    @override
    def query(self) -> str:
        return f"""
with settings as (
    select
        cast(max(case when name = 'closing_month_minimum_share' then value end)
            as decimal(18, 6)) as minimum_share,
        cast(max(case when name = 'closing_month_reference_months' then value end)
            as bigint) as reference_months
    from reference.parameters
),
days as (
    select cast({self.column} as date) as day, count(*) as row_count
    from checks.{self.dataset.split(".")[1]}
    where {self.counted}
    group by cast({self.column} as date)
),
volumes as (
    select
        cast(date_trunc('month', day) as date) as month,
        cast(sum(row_count) as bigint) as row_count
    from days
    group by date_trunc('month', day)
),
compared as (
    select
        volumes.month,
        volumes.row_count,
        avg(earlier.row_count) as usual_count
    from volumes
    cross join settings
    left join volumes as earlier
        on earlier.month < volumes.month
        and datediff('month', earlier.month, volumes.month)
            <= settings.reference_months
    group by volumes.month, volumes.row_count
)
select
    compared.month,
    compared.row_count < settings.minimum_share * compared.usual_count
        and compared.usual_count >= {parameter("volume_minimum_rows")} as failed
from compared
cross join settings
inner join checks.period as period on compared.month <= period.closing_month
"""
