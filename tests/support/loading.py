"""The loader in tests: one file judged alone, or a small operator loaded again and again."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingest.changes import Built
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.control_totals import ControlTotals
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.file_load import load_file
from orchestration.ingest.files import fingerprint
from orchestration.ingest.judged_rows import FileCounts
from orchestration.ingest.lake import SCHEMA_FILE, Lake, open_lake, raw_rows
from orchestration.ingest.landing import DeliveredFile, format_of
from orchestration.ingest.load import LoadResult, load
from orchestration.ingest.sources import CONTRACT, FeedSource
from orchestration.settings import load_settings
from tests.support.landing import write_small_operator

DELIVERED_FROM = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Judged:
    """What became of one file: rows loaded, rows quarantined, counts."""

    rows: list[dict[str, Any]]
    quarantine: list[dict[str, Any]]
    counts: FileCounts
    unknown_columns: tuple[str, ...]

    @property
    def reasons(self) -> list[str]:
        return [row["reasons"] for row in self.quarantine]


def judge(
    feed: str,
    path: Path,
    home: Path,
    timezone: str = "Asia/Shanghai",
    totals: ControlTotals | None = None,
    declared: FeedSource = CONTRACT,
    threads: int | None = None,
) -> Judged:
    """Load one file of a feed into an empty lake."""
    kind = format_of(path.name)
    assert kind
    lake = Lake(home)
    taken = fingerprint(path, kind)
    file = DeliveredFile(feed, path.name, path, kind, totals)
    with duckdb.connect(config={"threads": threads} if threads else {}) as connection:
        loaded = load_file(
            connection,
            lake,
            feed_contract()[feed],
            file,
            taken,
            "the-load",
            timezone,
            Expansion(),
            declared,
        )
        return Judged(
            rows=rows_of_files(connection, lake.raw(feed), "_row_number"),
            quarantine=rows_of_files(connection, lake.quarantine, "row_number"),
            counts=loaded.counts,
            unknown_columns=loaded.unknown_columns,
        )


def rows_of_files(
    connection: duckdb.DuckDBPyConnection, folder: Path, order: str
) -> list[dict[str, Any]]:
    """The rows of the files of a folder of the lake, each as the lake's readers see it."""
    files = sorted(path for path in folder.rglob("*.parquet") if path.name != SCHEMA_FILE)
    if not files:
        return []
    is_raw = "raw" in folder.parts
    rows = raw_rows(files) if is_raw else f"read_parquet({[str(path) for path in files]})"
    relation = connection.execute(f"select * from {rows} order by {order}")
    names = [column[0] for column in relation.description or []]
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


@dataclass
class SmallOperator:
    """The small operator of tests.support.landing, its home, and a clock of deliveries."""

    folder: Path
    months: int = 3
    landing: Path = field(init=False)
    reference: Path = field(init=False)
    runs: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.landing, self.reference = write_small_operator(self.folder, self.months)
        for path in sorted(self.landing.rglob("*.*")):
            self.deliver(path, hour=0)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def deliver(self, path: Path, hour: float) -> Path:
        """Let a file have arrived that many hours after the first delivery."""
        moment = (DELIVERED_FROM + dt.timedelta(hours=hour)).timestamp()
        os.utime(path, (moment, moment))
        return path

    def write(self, feed: str, name: str, text: str | bytes, hour: float = 0) -> Path:
        path = self.landing / feed / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return self.deliver(path, hour)

    def load(
        self,
        home: Path | None = None,
        built: Built | None = None,
        code_version: str = "test",
        **overrides: Any,
    ) -> LoadResult:
        settings = load_settings(
            home or self.home,
            **{"landing": self.landing, "reference": self.reference, **overrides},
        )
        return load(
            settings,
            run_id=f"run-{next(self.runs):03}",
            started_at=dt.datetime.now(dt.UTC),
            code_version=code_version,
            built=built,
        )

    def query(self, sql: str, home: Path | None = None) -> list[tuple[Any, ...]]:
        """A query on the lake: views raw.<feed>, ledger, quarantine, active_loads."""
        lake = Lake(home or self.home)
        with open_lake(lake.home) as connection:
            for name, files in {
                "ledger": lake.ledger / "*.parquet",
                "quarantine": lake.quarantine / "**" / "*.parquet",
                "active_loads": lake.active_loads,
                "run_settings": lake.run_settings,
                "superseded_rows": lake.superseded_rows,
            }.items():
                if "*" in files.name or files.exists():
                    connection.execute(f"create view {name} as from read_parquet('{files}')")
            return connection.execute(sql).fetchall()


def lake_content(home: Path) -> dict[str, bytes]:
    """Every file of the lake but the ledger, which tells of the runs themselves."""
    lake = Lake(home)
    apart = (lake.ledger, lake.run_settings.parent)
    content = {
        path.relative_to(lake.root).as_posix(): path.read_bytes()
        for path in sorted(lake.root.rglob("*"))
        if path.is_file() and not any(path.is_relative_to(place) for place in apart)
    }
    return {name: data for name, data in content.items() if not name.endswith(SCHEMA_FILE)}


def settled(home: Path) -> list[tuple[Any, ...]]:
    """What the ledger and the active loads say, without times and runs."""
    lake = Lake(home)
    with duckdb.connect() as connection:
        return connection.execute(
            "select loads.load_id, loads.feed, loads.file_name, loads.file_sha256, "
            "loads.file_bytes, loads.delivered_at, loads.rows_in_file, loads.rows_loaded, "
            "loads.rows_quarantined, loads.rows_duplicate, active.delivery_rank "
            f"from read_parquet('{lake.ledger}/*.parquet') as loads "
            f"left join read_parquet('{lake.active_loads}') as active using (load_id) "
            "where loads.status = 'loaded' order by all"
        ).fetchall()
