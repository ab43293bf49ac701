"""A number of the business is read from the reference set, or missed by name."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.parameters import parameter


def test_a_parameter_is_read_as_it_stands(tmp_path: Path) -> None:
    table = "name,value,unit,source\na,0.10,share,\nwindow,6,months,\n"
    (tmp_path / "parameters.csv").write_text(table, encoding="utf-8-sig")
    assert parameter(tmp_path, "a") == Decimal("0.10")
    assert int(parameter(tmp_path, "window")) == 6


@pytest.mark.parametrize("made", [True, False])
def test_a_set_without_the_parameter_says_so(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "parameters.csv").write_text("name,value\na,1\n")
    with pytest.raises(ConfigurationError, match="holds no parameter 'window'"):
        parameter(tmp_path, "window")
