"""Where a layer is read: a warehouse file, or views over the lake in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4


@dataclass(frozen=True)
class WarehouseFile:
    """A DuckDB file, opened read-only; `config` are DuckDB settings."""

    path: Path
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """What stands in the connection's address."""
        return str(self.path.resolve())

    def connect_args(self) -> dict[str, Any]:
        """What the dialect is given to connect."""
        return {"read_only": True, "config": dict(self.config), "statements": []}


@dataclass(frozen=True)
class LakeViews:
    """A database in memory; `statements` make the schemas and views to be checked.

    Its name is its own, so that Great Expectations' several connections share what was
    prepared once, and two validations in one process share nothing.
    """

    statements: Sequence[str]
    config: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: uuid4().hex)

    @property
    def database(self) -> str:
        """What stands in the connection's address."""
        return f":memory:{self.name}"

    def connect_args(self) -> dict[str, Any]:
        """What the dialect is given to connect."""
        return {"config": dict(self.config), "statements": list(self.statements)}


Source = WarehouseFile | LakeViews
