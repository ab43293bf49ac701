"""Loading a publication into PostgreSQL beside the one in use, then switching in one step."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.errors import ConfigurationError, HomeLockedError
from orchestration.publish.contract import PUBLISHED_SCHEMAS
from orchestration.publish.postgres.connection import Address, opened

if TYPE_CHECKING:
    import psycopg

    from orchestration.publish.postgres.tables import ServedTable

OnTable = Callable[[str, int, int, int], None]
"""Told the table, its rows, how many tables are done, and of how many."""

STAGING = "tierwise_next_"
MARK = "Tierwise publication "
# What one load of a database holds, so that a second one waits its turn elsewhere.
ADVISORY_LOCK = 0x7469657277697365
# Below PostgreSQL's deadlock_timeout of a second: where the switch and a reader wait for
# each other, the switch gives way before the reader is cancelled.
LOCK_MILLISECONDS = 800
PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 600


def serve(
    folder: Path,
    address: Address,
    role: str | None,
    on_table: OnTable,
    patience_seconds: float = PATIENCE_SECONDS,
) -> int:
    """Serve a publication from PostgreSQL, in the schemas of the same names.

    The rows go into schemas of their own, by binary COPY and in batches; when all of them
    have keys, comments and grants, one transaction renames them. It waits for readers at
    work on the old tables and holds up new ones for a moment: a transaction sees one
    publication, whole.

    Args:
        folder: the publication.
        address: the database.
        role: who may read, besides the owner.
        on_table: told of each loaded table.
        patience_seconds: how long readers at work are waited for.

    Returns:
        The number of tables.

    Raises:
        ConfigurationError: the database cannot be reached or does not take it; what it
            served before is untouched.
        HomeLockedError: another load of the same database is at work.
    """
    from orchestration.publish.postgres.tables import served_tables

    try:
        tables = served_tables(folder)
        with address.faults_told(), opened(address) as connection:
            _take_turn(connection, address)
            _require_fit(connection, address, role)
            _load(connection, address, tables, role, on_table)
            _mark(connection, folder.name)
            _switch(connection, address, time.monotonic() + patience_seconds)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{error.filename} is missing: the publication was let go meanwhile, or is not "
            "whole. `tierwise publish list` shows what there is."
        ) from None
    return len(tables)


def _take_turn(connection: psycopg.Connection, address: Address) -> None:
    row = connection.execute("select pg_try_advisory_lock(%s)", [ADVISORY_LOCK]).fetchone()
    if row != (True,):
        raise HomeLockedError(f"Another publication is being loaded into {address.shown}.")


def _require_fit(connection: psycopg.Connection, address: Address, role: str | None) -> None:
    """What would fail at the end, or take from others what is theirs, is told before."""
    if (
        role
        and not connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
    ):
        raise ConfigurationError(
            f"{address.shown} has no role {role}. Create it first, or name another with --role."
        )
    foreign = connection.execute(
        "select nspname from pg_namespace where nspname = any(%s) "
        "and coalesce(obj_description(oid, 'pg_namespace'), '') not like %s order by nspname",
        [list(PUBLISHED_SCHEMAS), f"{MARK}%"],
    ).fetchone()
    if foreign:
        raise ConfigurationError(
            f"{address.shown} has a schema {foreign[0]} that Tierwise did not make and does not "
            "replace. Name a database of its own."
        )
    view = connection.execute(
        """
        select distinct format('%%s.%%s', view_room.nspname, view.relname),
            format('%%s.%%s', table_room.nspname, served.relname)
        from pg_depend
        inner join pg_rewrite on pg_depend.objid = pg_rewrite.oid
            and pg_depend.classid = 'pg_rewrite'::regclass
        inner join pg_class as view on pg_rewrite.ev_class = view.oid
        inner join pg_namespace as view_room on view.relnamespace = view_room.oid
        inner join pg_class as served on pg_depend.refobjid = served.oid
            and pg_depend.refclassid = 'pg_class'::regclass and served.oid <> view.oid
        inner join pg_namespace as table_room on served.relnamespace = table_room.oid
        where table_room.nspname = any(%s)
        order by 1, 2
        """,
        [list(PUBLISHED_SCHEMAS)],
    ).fetchone()
    if view:
        raise ConfigurationError(
            f"{address.shown}: the view {view[0]} reads {view[1]}, and would be lost when that "
            "table is replaced. Drop the view before and create it again after."
        )


def _load(
    connection: psycopg.Connection,
    address: Address,
    tables: list[ServedTable],
    role: str | None,
    on_table: OnTable,
) -> None:
    from adbc_driver_postgresql import dbapi
    from psycopg import sql

    _drop_staging(connection)
    try:
        for schema in PUBLISHED_SCHEMAS:
            staging = sql.Identifier(STAGING + schema)
            connection.execute(sql.SQL("create schema {}").format(staging))
        with dbapi.connect(address.conninfo, autocommit=True) as driver, driver.cursor() as cursor:
            for done, table in enumerate(tables, start=1):
                staging_name = STAGING + table.schema
                connection.execute(table.create(staging_name))
                cursor.adbc_ingest(
                    table.name, table.batches(), mode="append", db_schema_name=staging_name
                )
                _require_rows(connection, address, table)
                for statement in table.finish(staging_name):
                    connection.execute(statement)
                on_table(table.qualified_name, table.rows, done, len(tables))
        if role:
            _grant(connection, role)
    except BaseException:
        if not connection.closed:
            _drop_staging(connection)
        raise


def _require_rows(connection: psycopg.Connection, address: Address, table: ServedTable) -> None:
    from psycopg import sql

    relation = sql.Identifier(STAGING + table.schema, table.name)
    row = connection.execute(sql.SQL("select count(*) from {}").format(relation)).fetchone()
    if row != (table.rows,):
        raise ConfigurationError(
            f"{address.shown}: {table.qualified_name} arrived with {row[0] if row else 0:,} rows "
            f"of {table.rows:,}. What the database served before is untouched."
        )


def _grant(connection: psycopg.Connection, role: str) -> None:
    """Reading, and nothing else."""
    from psycopg import sql

    for schema in PUBLISHED_SCHEMAS:
        names = {"room": sql.Identifier(STAGING + schema), "role": sql.Identifier(role)}
        for statement in (
            "grant usage on schema {room} to {role}",
            "grant select on all tables in schema {room} to {role}",
        ):
            connection.execute(sql.SQL(statement).format(**names))


def _mark(connection: psycopg.Connection, run_id: str) -> None:
    """Say which publication it is, for people and for the next load."""
    from psycopg import sql

    for schema in PUBLISHED_SCHEMAS:
        connection.execute(
            sql.SQL("comment on schema {} is {}").format(
                sql.Identifier(STAGING + schema), sql.Literal(MARK + run_id)
            )
        )


def _drop_staging(connection: psycopg.Connection) -> None:
    """Remove what a load left that did not come to its end."""
    from psycopg import sql

    for schema in PUBLISHED_SCHEMAS:
        connection.execute(
            sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(STAGING + schema))
        )


def _switch(connection: psycopg.Connection, address: Address, deadline: float) -> None:
    """Put the new schemas in the place of the old ones, when no reader holds those."""
    from psycopg import errors

    while True:
        try:
            with connection.transaction():
                _rename(connection)
            return
        except (errors.QueryCanceled, errors.DeadlockDetected):
            if time.monotonic() > deadline:
                _drop_staging(connection)
                raise ConfigurationError(
                    f"{address.shown}: readers held the tables all the time. What the database "
                    "served before is untouched; end long transactions and load again."
                ) from None
            time.sleep(PAUSE_SECONDS)


def _rename(connection: psycopg.Connection) -> None:
    from psycopg import sql

    present = [
        str(row[0])
        for row in connection.execute(
            "select nspname from pg_namespace where nspname = any(%s)", [list(PUBLISHED_SCHEMAS)]
        )
    ]
    old = [
        (str(row[0]), str(row[1]))
        for row in connection.execute(
            "select schemaname, tablename from pg_tables where schemaname = any(%s) order by 1, 2",
            [present],
        )
    ]
    if old:
        tables = sql.SQL(", ").join(sql.Identifier(*name) for name in old)
        # All of them before anything changes: who reads one of them reads the others too.
        connection.execute(f"set local statement_timeout = {LOCK_MILLISECONDS}")
        connection.execute(sql.SQL("lock table {} in access exclusive mode").format(tables))
        connection.execute("set local statement_timeout = 0")
        # Without cascade: what others built on a table is not taken from them.
        connection.execute(sql.SQL("drop table {}").format(tables))
    for schema in present:
        connection.execute(sql.SQL("drop schema {}").format(sql.Identifier(schema)))
    for schema in PUBLISHED_SCHEMAS:
        connection.execute(
            sql.SQL("alter schema {} rename to {}").format(
                sql.Identifier(STAGING + schema), sql.Identifier(schema)
            )
        )
