"""A publication of many customers, made from one of few: each customer many times over.

It asks as much of a reader as a publication of so many customers does, tables, order and types
being those of a real one. Ids get a number behind them, places in a ranking stay distinct; the
tables of months, regions and policies stay as they are.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.publish.contract import PublishedTable, published_tables
from orchestration.publish.publication import MONTH, stored_order

# What a customer brings with it; a manager looks after as many customers as before.
OWN_IDS = {
    "account_id",
    "complaint_id",
    "contact_id",
    "contract_id",
    "customer_id",
    "group_id",
    "invoice_id",
    "manager_id",
    "proposal_id",
}
OF_CUSTOMERS = {"customer_id", "manager_id"}
PLACE = "rank"


def multiply(publication: Path, manifest: Path, times: int, target: Path) -> None:
    """Write a database with every customer of a publication `times` times.

    Args:
        publication: the database to start from.
        manifest: of the dbt project; says what is published and by which keys.
        times: how often each customer is to be there.
        target: the database to write; must not be there.
    """
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach '{publication}' as few (read_only)")
        connection.execute("set enable_progress_bar = false")
        tables = published_tables(manifest)
        for schema in sorted({table.schema for table in tables}):
            connection.execute(f"create schema {schema}")
        for table in tables:
            _multiply_table(connection, table, times)
        connection.execute("detach few")
        connection.execute("checkpoint")


def _multiply_table(
    connection: duckdb.DuckDBPyConnection, table: PublishedTable, times: int
) -> None:
    name = table.qualified_name
    columns = [row[0] for row in connection.execute(f"describe few.{name}").fetchall()]
    if not OF_CUSTOMERS & set(columns):
        connection.execute(f"create table {name} as from few.{name}")
        return
    order = ", ".join(stored_order(table.key)) or "all"
    select = f"select {', '.join(_value(column, times) for column in columns)} from few.{name}"
    every = f"cross join range({times}) as copies(number)"
    connection.execute(f"create table {name} as {select} {every} limit 0")
    if MONTH not in columns:
        connection.execute(f"insert into {name} {select} {every} order by {order}")
        return
    # A month at a time, as they are stored, so that little has to be sorted at once.
    months = f"select distinct {MONTH} from few.{name} order by {MONTH}"
    for (month,) in connection.execute(months).fetchall():
        connection.execute(
            f"insert into {name} {select} {every} where {MONTH} = date '{month}' order by {order}"
        )


def _value(column: str, times: int) -> str:
    if column in OWN_IDS:
        return f"{column} || '-' || lpad(copies.number::varchar, 4, '0') as {column}"
    if column == PLACE:
        return f"({column} - 1) * {times} + copies.number + 1 as {column}"
    return column
