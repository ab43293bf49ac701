"""Complaint clocks against rulebook 9, on generated complaints and the models' own SQL.

dbt renders the two models once; DuckDB runs that SQL on every example. Complaints are
generated as instants of real time and written in the operator's local time, so that what
passed between them is known without any calendar.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.landing import write_small_operator
from tests.support.scratch_home import ScratchHome

ZONES = ("Asia/Shanghai", "Europe/Paris", "America/New_York", "Australia/Lord_Howe")
CLOSING = dt.date(2025, 11, 1)
LEVELS = {
    ("gold", "critical"): (Decimal(2), Decimal(12)),
    ("gold", "minor"): (Decimal(8), Decimal(72)),
    ("standard", "critical"): (Decimal(8), Decimal(48)),
    ("standard", "minor"): (Decimal(48), Decimal(360)),
}
REPEAT = dt.timedelta(days=30)
REGULATORY = Decimal(15 * 24)
# Customer C1 is gold in October and standard otherwise; C2 has no tier at all.
TIERS = [("C1", month, "gold" if month == 10 else "standard") for month in range(1, 13)]

UPSTREAM = f"""
attach ':memory:' as warehouse;
create schema warehouse.intermediate; create schema warehouse.staging;
create schema warehouse.reference; use warehouse.intermediate;
create table int_complaints_deduplicated (
    complaint_id varchar, customer_id varchar, kind varchar, category varchar,
    severity varchar, status varchar, first_owner varchar, owner_changes bigint,
    reopened_count bigint, satisfaction bigint, compensation decimal(18, 2),
    mediated boolean, opened_at timestamp, acknowledged_at timestamp,
    resolved_at timestamp, closed_at timestamp, updated_at timestamp,
    delivery_rank bigint, row_number bigint
);
create table int_customers_latest as select unnest(['C1', 'C2']) as customer_id;
create table int_customers_ranged as
    select customer_id, 'GZ' as region_code, 0 as month_from_number, 99999 as month_to_number
    from int_customers_latest;
create table int_customer_tiers_decided as
    select
        customer_id, 2025 * 12 + month - 1 as month_number, tier as tier_code,
        tier as service_class
    from (values {", ".join(map(str, TIERS))}) as tiers (customer_id, month, tier);
create table warehouse.reference.service_levels as
    select
        service_class, severity, cast(respond as decimal(18, 6)) as respond_hours,
        cast(resolve as decimal(18, 6)) as resolve_hours
    from (values {", ".join(str((*key, str(a), str(b))) for key, (a, b) in LEVELS.items())})
        as levels (service_class, severity, respond, resolve);
create table warehouse.reference.parameters as
    select name, cast(value as decimal(18, 6)) as value
    from (values ('regulatory_days', 15), ('repeat_days', 30)) as parameters (name, value);
create table warehouse.staging.stg_control__run_settings (
    timezone varchar, closing_month date
);
"""


@dataclass(frozen=True)
class Complaint:
    """A complaint in real time (UTC)."""

    number: int
    customer: str
    category: str
    severity: str
    kind: str
    status: str
    opened: dt.datetime
    acknowledged: dt.datetime | None
    resolved: dt.datetime | None
    closed: dt.datetime | None


@dataclass(frozen=True)
class Clock:
    """What the rulebook says of one complaint."""

    is_open: bool
    respond_hours: Decimal | None
    resolve_hours: Decimal | None
    respond_breached: bool | None
    resolve_breached: bool | None
    regulatory_breached: bool | None
    is_repeat: bool | None


def is_plain(instant: dt.datetime, zone: ZoneInfo) -> bool:
    """Whether its local time names this instant alone (not an hour that is repeated)."""
    local = instant.astimezone(zone).replace(tzinfo=None)
    return all(
        local.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) == instant for fold in (0, 1)
    )


def naive(instant: dt.datetime | None, zone: ZoneInfo) -> dt.datetime | None:
    return None if instant is None else instant.astimezone(zone).replace(tzinfo=None)


@st.composite
def complaints(draw: st.DrawFn, zone: ZoneInfo) -> list[Complaint]:
    """Up to eight complaints around month ends and the changes of the clocks."""
    anchors = st.sampled_from(
        [
            dt.datetime(2025, 3, 29, tzinfo=dt.UTC),
            dt.datetime(2025, 4, 5, tzinfo=dt.UTC),
            dt.datetime(2025, 10, 25, tzinfo=dt.UTC),
            dt.datetime(2025, 10, 31, tzinfo=dt.UTC),
            dt.datetime(2025, 11, 29, tzinfo=dt.UTC),
        ]
    )
    waits = st.one_of(
        st.integers(0, 3 * 86_400_000_000),
        st.integers(0, 60 * 86_400_000_000),
        st.sampled_from([hours * 3_600_000_000 for hours in (2, 8, 12, 48, 72, 360, 720)]),
    )

    def later(start: dt.datetime) -> dt.datetime:
        return start + dt.timedelta(microseconds=draw(waits))

    found = []
    for number in range(draw(st.integers(1, 8))):
        opened = later(draw(anchors))
        acknowledged = later(opened) if draw(st.booleans()) else None
        resolved = later(opened) if draw(st.booleans()) else None
        closed = later(resolved or opened) if draw(st.booleans()) else None
        if all(
            is_plain(moment, zone) for moment in (opened, acknowledged, resolved, closed) if moment
        ):
            found.append(
                Complaint(
                    number,
                    draw(st.sampled_from(["C1", "C2"])),
                    draw(st.sampled_from(["billing", "other"])),
                    draw(st.sampled_from(["critical", "minor"])),
                    draw(st.sampled_from(["complaint", "fault", "enquiry"])),
                    draw(st.sampled_from(["open", "acknowledged", "resolved", "closed"])),
                    opened,
                    acknowledged,
                    resolved,
                    closed,
                )
            )
    return found


def hours(elapsed: dt.timedelta) -> Decimal:
    exact = Decimal(elapsed // dt.timedelta(microseconds=1)) / Decimal(3_600_000_000)
    return exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def breached(elapsed: dt.timedelta, limit: Decimal, *, is_running: bool) -> bool | None:
    if elapsed > dt.timedelta(microseconds=int(limit * 3_600_000_000)):
        return True
    return None if is_running else False


def expected(delivered: list[Complaint], zone: ZoneInfo) -> dict[str, Clock]:
    """Rulebook 9, word for word, in real time."""
    end = dt.datetime(2025, 12, 1, tzinfo=zone).astimezone(dt.UTC)

    def happened(moment: dt.datetime | None) -> dt.datetime | None:
        return moment if moment is not None and moment < end else None

    seen = [each for each in delivered if each.opened < end]
    resolved_at = {
        each.number: happened(each.resolved or each.closed)
        if each.status in ("resolved", "closed")
        else None
        for each in seen
    }
    clocks = {}
    for each in seen:
        resolved = resolved_at[each.number]
        if each.kind == "enquiry":
            clocks[f"K{each.number}"] = Clock(resolved is None, *[None] * 6)
            continue
        local_month = each.opened.astimezone(zone).month
        tier = "gold" if each.customer == "C1" and local_month - 1 == 10 else "standard"
        respond_limit, resolve_limit = LEVELS[tier, each.severity]
        answered = happened(each.acknowledged) or resolved
        respond = (answered or end) - each.opened
        resolve = (resolved or end) - each.opened
        clocks[f"K{each.number}"] = Clock(
            is_open=resolved is None,
            respond_hours=hours(respond),
            resolve_hours=hours(resolve),
            respond_breached=breached(respond, respond_limit, is_running=answered is None),
            resolve_breached=breached(resolve, resolve_limit, is_running=resolved is None),
            regulatory_breached=breached(resolve, REGULATORY, is_running=resolved is None),
            is_repeat=any(
                earlier.customer == each.customer
                and earlier.category == each.category
                and earlier.kind != "enquiry"
                and earlier.opened < each.opened
                and (done := resolved_at[earlier.number]) is not None
                and dt.timedelta(0) <= each.opened - done <= REPEAT
                for earlier in seen
            ),
        )
    return clocks


class Models:
    """The two models as dbt renders them, over tables that a test fills."""

    def __init__(self, folder: Path) -> None:
        scratch = ScratchHome(folder)
        write_small_operator(folder)
        scratch.load("compiled")
        names = ("int_complaints_dated", "int_complaints_clocked")
        scratch.dbt("compile", "--select", *names)
        rendered = {path.stem: path for path in scratch.home.dbt.rglob("compiled/**/*.sql")}
        self._statements = [
            f"create or replace table {name} as {rendered[name].read_text()}" for name in names
        ]
        self._connection = duckdb.connect()
        self._connection.execute(UPSTREAM)

    def clocks(self, delivered: list[Complaint], zone: ZoneInfo) -> dict[str, Clock]:
        """What the models make of these complaints."""
        run = self._connection.execute
        run("delete from int_complaints_deduplicated")
        run("delete from warehouse.staging.stg_control__run_settings")
        run(
            "insert into warehouse.staging.stg_control__run_settings values (?, ?)",
            [zone.key, CLOSING],
        )
        for each in delivered:
            run(
                "insert into int_complaints_deduplicated values (?, ?, ?, ?, ?, ?, 'desk', 0, 0,"
                " null, 0, false, ?, ?, ?, ?, timestamp '2025-01-01', 0, ?)",
                [
                    f"K{each.number}",
                    each.customer,
                    each.kind,
                    each.category,
                    each.severity,
                    each.status,
                    naive(each.opened, zone),
                    naive(each.acknowledged, zone),
                    naive(each.resolved, zone),
                    naive(each.closed, zone),
                    each.number,
                ],
            )
        for statement in self._statements:
            run(statement)
        rows = run(
            "select complaint_id, is_open, respond_hours, resolve_hours, respond_breached,"
            " resolve_breached, regulatory_breached, is_repeat from int_complaints_clocked"
        ).fetchall()
        return {row[0]: Clock(*row[1:]) for row in rows}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("clocks"))


@pytest.mark.parametrize("zone", ZONES)
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_clocks_run_in_real_time(models: Models, zone: str, data: st.DataObject) -> None:
    here = ZoneInfo(zone)
    delivered = data.draw(complaints(here))
    assert models.clocks(delivered, here) == expected(delivered, here)


def test_an_hour_that_the_clocks_skip_is_no_wait(models: Models) -> None:
    """From 1:30 to 3:30 on the night of 30 March 2025 one hour passes in Paris."""
    paris = ZoneInfo("Europe/Paris")
    opened = dt.datetime(2025, 3, 30, 0, 30, tzinfo=dt.UTC)
    complaint = Complaint(
        1, "C2", "other", "minor", "fault", "resolved", opened, None,
        opened + dt.timedelta(hours=1), None,
    )  # fmt: skip
    assert models.clocks([complaint], paris)["K1"].resolve_hours == Decimal(1)
