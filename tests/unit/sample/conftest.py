"""The bundled sample as tables, and small samples written for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

REPOSITORY = Path(__file__).parents[3]
SAMPLE = REPOSITORY / "seeds" / "sample"
SQL_TYPES = {"string": "varchar", "integer": "bigint"}


@pytest.fixture(scope="session")
def feeds() -> dict[str, Any]:
    """The feed contract."""
    text = (REPOSITORY / "orchestration/ingest/feeds.yml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.fixture(scope="session")
def bundled(feeds: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    """One table per feed of the bundled sample, typed as the contract says."""
    with duckdb.connect() as connection:
        for feed, contract in feeds.items():
            types = {
                name: SQL_TYPES.get(column["type"], column["type"])
                for name, column in contract["columns"].items()
            }
            paths = sorted(str(path) for path in (SAMPLE / "landing" / feed).iterdir())
            reader = (
                f"read_parquet({paths})"
                if paths[0].endswith("parquet")
                else f"read_csv({paths}, header = true, delim = ',', quote = '\"', "
                f"escape = '\"', columns = {types})"
            )
            columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
            connection.execute(f"create table {feed} as select {columns} from {reader}")
        yield connection


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
