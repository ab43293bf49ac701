"""The SQLAlchemy dialect through which Great Expectations reads DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import duckdb_engine
from sqlalchemy.dialects import registry

URL_SCHEME = "duckdb+validation"


class _ReadingConnection(duckdb_engine.ConnectionWrapper):
    """A connection that gives every statement a cursor of its own."""

    def cursor(self) -> Any:
        # Great Expectations closes the connection before it fetches: with a shared
        # cursor the pending rows would be lost.
        connection: duckdb.DuckDBPyConnection = getattr(self, "_ConnectionWrapper__c")
        return duckdb_engine.CursorWrapper(connection.cursor(), self)


class ValidationDialect(duckdb_engine.Dialect):
    """DuckDB for readers: no transactions, statements to run at connect.

    `connect_args["statements"]` are run once on each new connection, before anything
    is checked (views over the lake for the raw layer).
    """

    driver = "validation"
    supports_statement_cache = True

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        statements = cparams.pop("statements", ())
        opened = super().connect(*cargs, **cparams)
        connection: duckdb.DuckDBPyConnection = getattr(opened, "_ConnectionWrapper__c")
        for statement in statements:
            connection.execute(statement)
        return _ReadingConnection(connection)

    def do_begin(self, connection: Any) -> None:
        """Nothing to begin: validation only reads."""

    def do_commit(self, connection: Any) -> None:
        """Nothing to commit: validation only reads."""

    def do_rollback(self, connection: Any) -> None:
        """A rollback would drop the result that is still to be fetched."""


def register() -> None:
    """Make `duckdb+validation://` known to SQLAlchemy; calling it again is harmless."""
    registry.register("duckdb.validation", __name__, ValidationDialect.__name__)
