"""The numbers of the business that Python needs: rows of the reference table parameters."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from orchestration.errors import ConfigurationError


def parameter(reference_set: Path, name: str) -> Decimal:
    """A parameter of a reference set in force, in the unit the table tells.

    Raises:
        ConfigurationError: the set is gone, or was made before there was such a parameter.
    """
    path = reference_set / "parameters.csv"
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for row in csv.DictReader(stream):
                if row["name"] == name:
                    return Decimal(row["value"])
    raise ConfigurationError(
        f"{path} holds no parameter '{name}'. Publish anew with `tierwise run`."
    )
