"""Errors are told without a value of the data."""

from __future__ import annotations

import pytest

from expectations.errors import safe_message


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            '(duckdb.BinderException) Binder Error: Column "x" not found\nLINE 1: select x',
            'Binder Error: Column "x" not found',
        ),
        ("Conversion Error: Could not convert string 'Wang Fang' to DATE", "Conversion Error"),
        ("Out of Range Error: value 13900000000 cannot be cast", "Out of Range Error"),
        ("something with Wang Fang in it", "unknown error"),
        ("", "unknown error"),
    ],
)
def test_only_what_is_safe_is_told(message: str, told: str) -> None:
    assert safe_message(message) == told
