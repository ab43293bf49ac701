"""Dagster's event log in SQLite, with connections that stay open.

Dagster's own storage opens a new engine for every event, which costs a run of a few hundred
assets more than the events themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import RLock
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event


class PooledSqliteEventLogStorage(SqliteEventLogStorage):
    """One engine per file, kept; the files and their tables are Dagster's own."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        self._batch: _Transactions | None = None
        super().__init__(base_dir, inst_data)
        # A batch holds it while it stores its events one by one.
        self._db_lock = RLock()  # type: ignore[assignment]

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> PooledSqliteEventLogStorage:
        """Made by Dagster from dagster.yaml."""
        return cls(inst_data=inst_data, **config_value)

    def dispose(self) -> None:
        """Close the files."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store events in one transaction per file: what a run plans comes by the hundred."""
        with self._db_lock, ExitStack() as transactions:
            self._batch = _Transactions(self._engine_of, transactions)
            try:
                for event in events:
                    self.store_event(event)
            finally:
                self._batch = None

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if self._batch is not None:
                yield self._batch[shard]
                return
            with self._engine_of(shard).begin() as connection:
                yield connection

    def _engine_of(self, shard: str) -> Engine:
        if shard not in self._engines:
            self._engines[shard] = self._open(shard)
        return self._engines[shard]

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard),
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )

        # With a write-ahead log a crash of the machine can cost the last events, never the file.
        @event.listens_for(engine, "connect")
        def set_synchronous(connection: Any, _: Any) -> None:
            connection.execute("pragma synchronous = normal")

        self._initdb(engine)
        return engine


class _Transactions(dict[str, Connection]):
    """A transaction per file, begun when it is first asked for."""

    def __init__(self, engine_of: Callable[[str], Engine], until: ExitStack) -> None:
        self._engine_of = engine_of
        self._until = until

    def __missing__(self, shard: str) -> Connection:
        self[shard] = self._until.enter_context(self._engine_of(shard).begin())
        return self[shard]
