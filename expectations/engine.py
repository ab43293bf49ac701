"""Where a layer is read: a warehouse file, or views over the lake in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class WarehouseFile:
    """A DuckDB file, opened read-only; `config` are DuckDB settings."""

    path: Path
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return str(self.path.resolve())

    def connect_args(self) -> dict[str, Any]:
        return {"read_only": True, "config": dict(self.config), "statements": []}


@dataclass(frozen=True)
class LakeViews:
    """A database in memory; `statements` make the schemas and views to be checked."""

    statements: Sequence[str]
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def database(self) -> str:
        return ":memory:"

    def connect_args(self) -> dict[str, Any]:
        return {"config": dict(self.config), "statements": list(self.statements)}


Source = WarehouseFile | LakeViews
