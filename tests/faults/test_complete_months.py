"""A refused file stops the run unless earlier content of its name reaches the month."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import DataBlockedError
from tests.support.loading import SmallOperator

HOURS_TO_APRIL = -61 * 24  # the small operator's files arrive on 1 June; 1 April is so far back
USAGE = "subscription_id,usage_month,voice_minutes\n"
MANAGERS = "manager_id,manager_name,region_code,updated_at\nM1,Li,GD,2025-01-01 00:00:00\n"


@pytest.fixture
def operator(tmp_path: Path) -> SmallOperator:
    """Months January to March 2025, everything delivered on 1 June."""
    return SmallOperator(tmp_path)


def after_refusal(operator: SmallOperator, feed: str, name: str) -> str:
    """Deliver an empty file under the name: what the run that refuses it says."""
    operator.write(feed, name, "", hour=1)
    try:
        (warning,) = operator.load().warnings
    except DataBlockedError as blocked:
        return str(blocked)
    return f"goes on: {warning}"


def test_refused_correction_leaves_the_accepted_content_in_force(operator: SmallOperator) -> None:
    operator.load()
    said = after_refusal(operator, "invoices", "2025-02.csv.gz")
    assert said.startswith(
        "goes on: invoices/2025-02.csv.gz was refused: it is empty (0 bytes); what was accepted "
        "under this name on 2025-06-01 00:00 UTC (load invoices-"
    )
    assert said.endswith(") stays in force")
    assert operator.query("select count(*) from raw.invoices") == [(12,)]
    assert operator.query("select status, reason from ledger where reason like 'it is%'") == [
        ("rejected", "it is empty (0 bytes)")
    ]


def test_refused_file_of_a_new_name_stops_the_run_even_for_a_later_month(
    operator: SmallOperator,
) -> None:
    operator.load()
    said = after_refusal(operator, "invoices", "2025-04.csv.gz")
    assert f"{operator.landing / 'invoices' / '2025-04.csv.gz'} was refused: it is empty" in said


def test_a_sound_file_of_the_same_month_does_not_stand_for_the_refused_one(
    operator: SmallOperator,
) -> None:
    operator.load()
    said = after_refusal(operator, "invoices", "2025-03 part 2.csv")
    assert "part 2.csv was refused: it is empty" in said


@pytest.mark.parametrize(
    ("months", "outcome"),
    [(("2025-01", "2025-02"), "does not reach the end of 2025-03"), (("2025-03",), "goes on")],
)
def test_growing_monthly_file_must_reach_the_closing_month(
    operator: SmallOperator, months: tuple[str, ...], outcome: str
) -> None:
    rows = "".join(f"S-C1,{month}-01,1\n" for month in months)
    operator.write("usage", "usage.csv", USAGE + rows)
    operator.load()
    assert outcome in after_refusal(operator, "usage", "usage.csv")


@pytest.mark.parametrize(
    ("hour", "outcome"),
    [
        (HOURS_TO_APRIL - 8 - 0.01, "does not reach the end of 2025-03"),
        (HOURS_TO_APRIL - 8, "goes on"),
    ],
)
def test_state_delivered_before_the_month_ended_in_its_time_zone_is_no_whole_month(
    operator: SmallOperator, hour: float, outcome: str
) -> None:
    operator.write("managers", "managers.csv", MANAGERS, hour=hour)
    operator.load()
    assert outcome in after_refusal(operator, "managers", "managers.csv")


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("2025-02.csv", "goes on"),
        ("payments_202502.csv", "goes on"),
        ("payments-20250228.csv", "goes on"),
        ("2025-02 to 2025-03.csv", "does not reach the end of 2025-03"),
        ("february.csv", "does not reach the end of 2025-03"),
    ],
)
def test_month_in_a_name_says_what_the_file_stands_for(
    operator: SmallOperator, name: str, outcome: str
) -> None:
    (operator.landing / "payments" / "2025-02.csv").rename(operator.landing / "payments" / name)
    operator.deliver(operator.landing / "payments" / name, hour=HOURS_TO_APRIL - 48)
    operator.load()
    assert outcome in after_refusal(operator, "payments", name)


def test_wrong_control_file_harms_new_files_only(operator: SmallOperator) -> None:
    operator.load()
    (operator.landing / "payments" / "_control.json").write_text("{")
    assert len(operator.load().warnings) == 3
    operator.write("payments", "x.csv", "payment_id\n")
    with pytest.raises(DataBlockedError, match=r"x.csv was refused: the control totals beside"):
        operator.load()
