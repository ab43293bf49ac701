"""A database as a stream of rows: its address, its columns, its faults in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from orchestration.errors import ConfigurationError
from orchestration.extract.config import FeedSource, Source
from orchestration.extract.cursors import CursorValue, Row
from orchestration.ingest.contract import Column, Feed

BATCH_ROWS = 20_000
CONNECT_SECONDS = 10
DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
EXTRAS = {"psycopg": "postgres", "pymysql": "mysql"}
WITHOUT_VALUES = (
    exc.InterfaceError,
    exc.InternalError,
    exc.NotSupportedError,
    exc.OperationalError,
    exc.ProgrammingError,
)
SECRET_KEY = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What of a feed is read: its columns, in order; the cursor comes last of a row.

    `unread` are the columns of the database that the contract does not know.
    """

    relation: sa.FromClause
    names: Mapping[str, str]
    columns: tuple[Column, ...]
    cursor: str
    unread: tuple[str, ...]


class Database:
    """An open connection that reads and never writes. Made by `open_database`."""

    def __init__(self, connection: sa.Connection, url: sa.URL) -> None:
        self._connection = connection
        self._url = url

    def describe(self, where: str, feed: Feed, source: FeedSource) -> Delivered:
        """Matches the columns of a table or query with the contract.

        Raises ConfigurationError if the table, the cursor, a mapped or a required column
        is not there.
        """
        with _faults_told(where, self._url):
            found = list(self._connection.execute(_probe(source)).keys())
        thing = f"the table {source.table}" if source.table else "the query"
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            raise ConfigurationError(f"{where}: {thing} has the column {twice[0]} twice.")
        for name in (source.cursor, *source.columns.values()):
            if name not in found:
                kind = "cursor column" if name == source.cursor else "column"
                raise ConfigurationError(
                    f"{where}: {thing} has no {kind} {name}; it has {', '.join(found)}."
                )
        alike = {name.lower(): name for name in found}
        names = {
            column.name: source.columns.get(column.name, alike.get(column.name, ""))
            for column in feed.columns
        }
        names = {column: name for column, name in names.items() if name}
        columns = tuple(column for column in feed.columns if column.name in names)
        missing = [
            column.name
            for column in feed.columns
            if column.must_be_delivered and column.name not in names
        ]
        if missing:
            raise ConfigurationError(
                f"{where}: {thing} lacks the required {', '.join(missing)}; it has "
                f"{', '.join(found)}. Say which is which in columns, or use a query."
            )
        read = {*names.values(), source.cursor}
        unread = tuple(name for name in found if name not in read)
        return Delivered(_relation(source, found), names, columns, source.cursor, unread)

    def require_cursor_everywhere(self, where: str, delivered: Delivered) -> None:
        """Raises ConfigurationError if a row has no cursor: it would never be read."""
        cursor = delivered.relation.c[delivered.cursor]
        query = sa.select(sa.literal(1)).select_from(delivered.relation)
        with _faults_told(where, self._url):
            bare = self._connection.execute(query.where(cursor.is_(None)).limit(1)).first()
        if bare:
            raise ConfigurationError(
                f"{where}: the cursor {delivered.cursor} is null on some rows, which would "
                "never be read. Fill it, name another column, or use a query without them."
            )

    def rows(
        self, where: str, delivered: Delivered, since: CursorValue | None
    ) -> Iterator[list[Row]]:
        """The rows from a cursor value on, that value included, in its order, in batches.

        One statement: every row is as it was when the statement began.
        """
        cursor = delivered.relation.c[delivered.cursor]
        wanted = [delivered.relation.c[delivered.names[c.name]] for c in delivered.columns]
        labels = [column.label(f"c{index}") for index, column in enumerate([*wanted, cursor])]
        query = sa.select(*labels).order_by(cursor)
        if since is not None:
            query = query.where(cursor >= since)
        with _faults_told(where, self._url):
            streamed = self._connection.execution_options(
                stream_results=True, max_row_buffer=BATCH_ROWS
            )
            with streamed.execute(query) as result:
                for batch in result.partitions(BATCH_ROWS):
                    yield list(batch)


@contextmanager
def open_database(name: str, source: Source) -> Iterator[Database]:
    """Connects to a declared source.

    Raises ConfigurationError, without password, if the address is not set, cannot be
    read, or leads nowhere.
    """
    where = f"Source {name}"
    url = _url(where, source.dsn_variable)
    try:
        engine = sa.create_engine(url, connect_args=_connect_arguments(url), poolclass=sa.NullPool)
    except exc.NoSuchModuleError:
        raise ConfigurationError(
            f"{where}: SQLAlchemy knows no database '{url.drivername}'. Install its dialect, "
            f"or correct the address in {source.dsn_variable}."
        ) from None
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(error.name or "")
        wanted = f"pip install 'tierwise[{extra}]'" if extra else f"pip install {error.name}"
        raise ConfigurationError(
            f"{where}: the driver {error.name} is not installed: {wanted}."
        ) from None
    try:
        with _faults_told(f"{where}: {_shown(url)} cannot be reached", url):
            connection = engine.connect()
        with connection:
            if url.get_backend_name() == "postgresql":
                connection.execution_options(postgresql_readonly=True)
            elif url.get_backend_name() in ("mysql", "mariadb"):
                connection.exec_driver_sql("set session transaction read only")
            yield Database(connection, url)
    finally:
        engine.dispose()


def _url(where: str, variable: str) -> sa.URL:
    address = os.environ.get(variable, "").strip()
    if not address:
        raise ConfigurationError(
            f"{where}: the environment variable {variable} is not set. It holds the address, "
            "e.g. postgresql://user:password@host:5432/database."
        )
    try:
        url = sa.make_url(address)
    except (exc.ArgumentError, ValueError):
        raise ConfigurationError(
            f"{where}: {variable} holds no address of the form "
            "postgresql://user:password@host:5432/database."
        ) from None
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def _connect_arguments(url: sa.URL) -> dict[str, Any]:
    """A host that does not answer is told of soon, not after the system's minutes."""
    knows_timeout = url.drivername in DRIVERS.values() and "connect_timeout" not in url.query
    return {"connect_timeout": CONNECT_SECONDS} if knows_timeout else {}


def _shown(url: sa.URL) -> str:
    """Where an address leads, without user and password."""
    host = url.host or url.query.get("host") or ""
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{host}{port}/{url.database or ''}"


def _probe(source: FeedSource) -> sa.Select[Any]:
    """A select of every column and no row."""
    return sa.select(sa.text("*")).select_from(_relation(source, [])).where(sa.text("1 = 0"))


def _relation(source: FeedSource, names: list[str]) -> sa.FromClause:
    columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in names]
    if source.table:
        schema, _, table = source.table.rpartition(".")
        return sa.table(table, *columns, schema=schema or None)
    # A colon would be read as the name of a parameter; these queries have none.
    query = (source.query or "").strip().rstrip(";").replace(":", r"\:")
    return sa.text(query).columns(*columns).subquery("delivered")


@contextmanager
def _faults_told(where: str, url: sa.URL) -> Iterator[None]:
    """Turns a fault of the database into one line without password and personal value."""
    try:
        yield
    except exc.DBAPIError as error:
        raise ConfigurationError(f"{where}: {_reason(error, url)}.") from None
    except exc.SQLAlchemyError as error:
        raise ConfigurationError(
            f"{where}: the database cannot be read this way ({type(error).__name__})."
        ) from None


def _reason(error: exc.DBAPIError, url: sa.URL) -> str:
    """The first line of what the database says; of faults in data only their kind.

    A database quotes the value at fault, which may be anybody's.
    """
    if isinstance(error, WITHOUT_VALUES):
        lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
        return _without_secrets(lines[0].strip().rstrip("."), url)
    return (
        f"it holds a value that its driver cannot read ({type(error.orig).__name__}); "
        "make text of it in a query, or leave it out"
    )


def _without_secrets(text: str, url: sa.URL) -> str:
    secrets = [str(url.password or "")]
    secrets += [str(value) for key, value in url.query.items() if SECRET_KEY.search(key)]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text
