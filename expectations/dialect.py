"""The SQLAlchemy dialect through which Great Expectations reads DuckDB."""

from __future__ import annotations

from typing import Any

import duckdb
import duckdb_engine
from sqlalchemy.dialects import registry

URL_SCHEME = "duckdb+validation"
_PREPARED = "prepared_for_validation"


def _connection_of(wrapper: duckdb_engine.ConnectionWrapper) -> duckdb.DuckDBPyConnection:
    """DuckDB's own connection, which the wrapper keeps under a private name."""
    connection: duckdb.DuckDBPyConnection = wrapper.__dict__["_ConnectionWrapper__c"]
    return connection


class _ReadingCursor(duckdb_engine.CursorWrapper):
    """A cursor that lets go of the database when it is closed."""

    def close(self) -> None:
        cursor: duckdb.DuckDBPyConnection = self.__dict__["_CursorWrapper__c"]
        cursor.close()


class _ReadingConnection(duckdb_engine.ConnectionWrapper):
    """A connection that gives every statement a cursor of its own."""

    def cursor(self) -> Any:
        # Great Expectations closes the connection before it fetches: with a shared
        # cursor the pending rows would be lost.
        return _ReadingCursor(_connection_of(self).cursor(), self)


class ValidationDialect(duckdb_engine.Dialect):
    """DuckDB for readers: no transactions, statements to run once per database.

    `connect_args["statements"]` prepare a database in memory (views over the lake for
    the raw layer) before anything is checked.
    """

    driver = "validation"
    supports_statement_cache = True

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        """Open the database; the first connection to it runs the statements."""
        statements = cparams.pop("statements", ())
        connection = _connection_of(super().connect(*cargs, **cparams))
        if statements and not _is_prepared(connection):
            for statement in [*statements, f"create schema {_PREPARED}"]:
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


def _is_prepared(connection: duckdb.DuckDBPyConnection) -> bool:
    marks = connection.execute(
        "select schema_name from duckdb_schemas() where schema_name = ?", [_PREPARED]
    )
    return marks.fetchone() is not None
