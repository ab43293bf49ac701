"""Values keep every digit on their way into Arrow, or their column becomes text."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from orchestration.extract.values import (
    MisfitError,
    UnreadableError,
    Zones,
    arrow_column,
    as_text,
)

SHANGHAI = Zones(ZoneInfo("Asia/Shanghai"))
FROM_UTC = Zones(ZoneInfo("Asia/Shanghai"), ZoneInfo("UTC"))
MONEY = pa.decimal128(18, 2)
MOMENT = pa.timestamp("us")
EVENING = dt.datetime(2025, 6, 30, 17, 0)


@pytest.mark.parametrize(
    ("value", "wanted", "kept"),
    [
        (Decimal("1.5"), MONEY, Decimal("1.50")),
        (Decimal("1.500"), MONEY, Decimal("1.50")),
        (7, MONEY, Decimal("7.00")),
        (Decimal("9" * 16 + ".99"), MONEY, Decimal("9" * 16 + ".99")),
        (2**63 - 1, pa.int64(), 2**63 - 1),
        (True, pa.bool_(), True),
        (dt.date(2025, 6, 30), pa.date32(), dt.date(2025, 6, 30)),
        (dt.datetime(2025, 6, 30), pa.date32(), dt.date(2025, 6, 30)),
        (EVENING, MOMENT, EVENING),
        (EVENING.replace(tzinfo=dt.UTC), MOMENT, dt.datetime(2025, 7, 1, 1, 0)),
        (dt.date(2025, 6, 30), MOMENT, dt.datetime(2025, 6, 30)),
        ("007", pa.string(), "007"),
        (7, pa.string(), "7"),
        (UUID(int=7), pa.string(), "00000000-0000-0000-0000-000000000007"),
        (None, MONEY, None),
    ],
)
def test_a_value_that_fits_is_typed(value: object, wanted: pa.DataType, kept: object) -> None:
    column = arrow_column([value, None], wanted, SHANGHAI)
    assert column.type == wanted
    assert column.to_pylist() == [kept, None]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (Decimal("1.005"), MONEY),
        (Decimal("9" * 17), MONEY),
        (Decimal("NaN"), MONEY),
        (1.5, MONEY),
        ("1.50", MONEY),
        (2**63, pa.int64()),
        (Decimal("5"), pa.int64()),
        (5.5, pa.int64()),
        (True, pa.int64()),
        (True, MONEY),
        (1, pa.bool_()),
        (5, pa.date32()),
        (5, MOMENT),
        (5.5, MOMENT),
        (EVENING, pa.date32()),
        (dt.datetime(2025, 6, 30, tzinfo=dt.UTC), pa.date32()),
        ("2025-06-30", pa.date32()),
        ("2025-06-30 17:00:00", MOMENT),
    ],
)
def test_a_value_that_does_not_fit_is_never_bent(value: object, wanted: pa.DataType) -> None:
    with pytest.raises(MisfitError):
        arrow_column([None, value], wanted, SHANGHAI)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("100.00"), "100.00"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (False, "false"),
        (dt.date(2025, 6, 30), "2025-06-30"),
        (EVENING, "2025-06-30 17:00:00"),
        (EVENING.replace(tzinfo=dt.UTC), "2025-07-01 01:00:00"),
        ({"a": Decimal("1.10")}, '{"a": "1.10"}'),
        (None, None),
    ],
)
def test_text_has_every_digit(value: object, text: str | None) -> None:
    assert as_text(value, SHANGHAI) == text


def test_a_time_without_zone_is_of_the_zone_declared() -> None:
    assert as_text(EVENING, FROM_UTC) == "2025-07-01 01:00:00"
    assert arrow_column([EVENING], MOMENT, FROM_UTC).to_pylist() == [dt.datetime(2025, 7, 1, 1, 0)]


@pytest.mark.parametrize("value", [b"\x01", bytearray(b"a"), memoryview(b"a")])
def test_bytes_are_nobodys_text(value: object) -> None:
    with pytest.raises(UnreadableError):
        arrow_column(["a", value], pa.string(), SHANGHAI)
