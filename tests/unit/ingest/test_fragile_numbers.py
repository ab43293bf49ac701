"""Numbers in JSON that a binary float does not give back as they stood."""

from __future__ import annotations

import pytest

from orchestration.ingest import fragile_numbers
from orchestration.ingest.fragile_numbers import FragileNumbers

FRAGILE = [
    '{"a":8986001234567890123}',
    '{"a": 12345678901234.56}',
    '{"a":-12345678901234.56}',
    '{"a":0.1000000000000000055}',
    '{"a":1.00000000000000001}',
    '{"a":[1,\n1e5]}',
    '{"a":1e3}',
    '{"a":-1.5E+3}',
    '{"a":\t2e-7}',
]
SOUND = [
    "",
    "{",
    "1e",
    '{"a":1.50}',
    '{"a":-1234567890.2345}',
    '{"a":123456789012345}',
    '{"a":"8986001234567890123"}',
    '{"a":"-12345678901234.56"}',
    '{"a":"INV-20250101000000001"}',
    '{"a":"1e3"}',
    '{"a":"9f1e3-2e-9"}',
]


def found(text: str, pieces: int) -> bool:
    numbers = FragileNumbers()
    content = text.encode()
    for at in range(0, len(content), pieces):
        numbers.take(content[at : at + pieces])
    return numbers.found


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("text", FRAGILE)
def test_they_are_found_wherever_the_text_is_cut(text: str, pieces: int) -> None:
    assert found(text, pieces)
    assert found('{"n":1.5}\n' * 40 + text + '\n{"n":1.5}' * 40, pieces)


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("text", SOUND)
def test_numbers_that_come_back_and_digits_in_strings_are_none(text: str, pieces: int) -> None:
    assert not found(text, pieces)


@pytest.mark.parametrize("text", FRAGILE)
def test_they_are_found_where_two_steps_meet(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragile_numbers, "AT_ONCE", 64)
    assert all(found(" " * before + text, 1000) for before in range(64))
