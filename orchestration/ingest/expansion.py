"""How much a delivered file may grow when it is decompressed: the guard against zip bombs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.ingest.files import FileRefusedError
from orchestration.ingest.sql import literal

JUDGED_FROM = 64 << 20  # bytes: below, even the worst ratio does no harm


@dataclass(frozen=True, slots=True)
class Expansion:
    """The largest content of one file, in bytes and as a multiple of its own size."""

    size: int = 200_000_000_000
    ratio: float = 200

    def require(self, packed: int, unpacked: int) -> None:
        """Raise FileRefusedError if `unpacked` bytes are too many for `packed` ones."""
        if unpacked > self.size:
            raise FileRefusedError(
                f"it holds more than {self.size:,} bytes once decompressed "
                "(expanded_size_limit); deliver it in parts"
            )
        if unpacked > JUDGED_FROM and unpacked > self.ratio * packed:
            raise FileRefusedError(
                f"it grows to more than {self.ratio:g} times its size once decompressed "
                "(expanded_ratio_limit), which no extract does; deliver it plain"
            )

    def require_parquet(
        self, connection: duckdb.DuckDBPyConnection, path: Path, packed: int
    ) -> None:
        """The same for Parquet, by its own metadata: a value counts as at least a byte."""
        try:
            row = connection.execute(
                "select coalesce(sum(greatest(total_uncompressed_size, num_values)), 0) "
                f"from parquet_metadata({literal(path)})"
            ).fetchone()
        except duckdb.Error as error:
            raise FileRefusedError("it is no sound Parquet file (damaged or truncated)") from error
        self.require(packed, int(row[0]) if row else 0)
