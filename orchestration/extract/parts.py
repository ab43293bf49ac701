"""Files for the landing folder: Parquet written batch by batch, with control totals."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.errors import ConfigurationError
from orchestration.extract.cursors import Row
from orchestration.extract.state import write_json
from orchestration.extract.values import (
    MisfitError,
    UnreadableError,
    Zones,
    arrow_column,
    arrow_type,
)
from orchestration.ingest.contract import Column
from orchestration.ingest.control_totals import CONTROL_FILE

SUM_DIGITS = 38


class Shape:
    """The Arrow type of every column: the contract's, or text once a value did not fit."""

    def __init__(self, columns: Sequence[Column], zones: Zones) -> None:
        self._columns = columns
        self._zones = zones
        self._types = {column.name: arrow_type(column) for column in columns}

    def batch(self, where: str, rows: Sequence[Row]) -> pa.RecordBatch:
        """The rows, each column exact; what follows the columns in a row is left out.

        Raises ConfigurationError for a column of bytes.
        """
        columns = list(zip(*rows, strict=True))
        arrays = [
            self._array(where, column, values)
            for column, values in zip(self._columns, columns, strict=False)
        ]
        return pa.record_batch(arrays, names=[column.name for column in self._columns])

    def _array(self, where: str, column: Column, values: Sequence[object]) -> pa.Array:
        try:
            try:
                return arrow_column(values, self._types[column.name], self._zones)
            except MisfitError:
                self._types[column.name] = pa.string()
                return arrow_column(values, pa.string(), self._zones)
        except UnreadableError:
            raise ConfigurationError(
                f"{where}: {column.name} holds bytes; make text of it in a query."
            ) from None


class Part:
    """A Parquet file under a temporary name, and what its control totals will say."""

    def __init__(self, path: Path, schema: pa.Schema, columns: Sequence[Column]) -> None:
        self.path = path
        self.schema = schema
        self.rows = 0
        numeric = [c for c in columns if c.precision_and_scale or c.type == "integer"]
        self._scales = {
            column.name: (column.precision_and_scale or (0, 0))[1]
            for column in numeric
            # What is text may hold what is no number: it has no sum to promise.
            if not pa.types.is_string(schema.field(column.name).type)
        }
        self._sums = dict.fromkeys(self._scales, Decimal(0))
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        """Adds rows."""
        self._writer.write_batch(batch)
        self.rows += batch.num_rows
        for name, scale in self._scales.items():
            wide = batch.column(name).cast(pa.decimal128(SUM_DIGITS, scale))
            self._sums[name] += pc.sum(wide).as_py() or Decimal(0)

    def finish(self) -> dict[str, Any]:
        """Ends the file; returns its control totals."""
        self._writer.close()
        with self.path.open("rb") as stream:
            os.fsync(stream.fileno())
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        sums = {name: f"{value:f}" for name, value in self._sums.items()}
        return {"rows": self.rows, "sums": sums, "sha256": sha256}

    def discard(self) -> None:
        """Ends the file and removes it."""
        self._writer.close()
        self.path.unlink(missing_ok=True)


def has_content(path: Path, sha256: str) -> bool:
    """Whether the file is there and is the one of that hash."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == sha256


def set_control_totals(folder: Path, name: str, totals: Mapping[str, Any]) -> None:
    """Enters a file's totals among those of the folder.

    Raises ConfigurationError if the control file there cannot be read.
    """
    path = folder / CONTROL_FILE
    control: dict[str, Any] = {"files": {}}
    try:
        if path.exists():
            control = json.loads(path.read_text(encoding="utf-8"))
        files = {**control["files"], name: dict(totals)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read as control totals; correct or remove it."
        ) from error
    write_json(path, {**control, "files": files})
