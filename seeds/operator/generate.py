"""Writes the landing area of an invented operator, the same for the same seed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from orchestration.errors import ConfigurationError
from orchestration.ingest.control_totals import CONTROL_FILE
from seeds.operator import words
from seeds.operator.defects import sprinkle_defects
from seeds.operator.reference import write_reference

FIRST_MONTH = date(2025, 1, 1)
DEFAULT_SEED = 20250101
# Seventeen in twenty are there in the first month; the rest arrive over eighteen.
SHARE_AT_START = 0.85
MONTHS_TO_FULL = 18
ORGANISATION_SHARE = 0.12
ORGANISATIONS_PER_MANAGER = 24

SETUP = ("1_draws", "2_customers", "3_services", "4_campaigns")
# Contacts follow up complaints, and bills feel the campaigns.
EACH_MONTH = ("5_complaints_of_month", "5_contacts_of_month", "6_bills_of_month")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Delivery:
    """How a feed is delivered: its query for one month, order and file format.

    `summed` are the columns whose sums the operator declares in control totals, if it does.
    """

    feed: str
    columns: str
    source: str
    order: str
    suffix: str
    summed: tuple[str, ...] = ()


DELIVERIES = (
    Delivery(
        "customers",
        "* exclude (delivered)",
        "customer_versions",
        "customer_id, updated_at",
        "parquet",
    ),
    Delivery(
        "accounts", "* exclude (delivered)", "account_versions", "account_id, updated_at", "csv"
    ),
    Delivery(
        "contracts",
        "contract_id, customer_id, signed_on, starts_on, ends_on, monthly_commitment, "
        "cast(discount_rate as decimal(9, 6)) as discount_rate, "
        "cast(discount_limit as decimal(9, 6)) as discount_limit, approval_level, updated_at",
        "contract_versions",
        "contract_id",
        "csv",
    ),
    Delivery(
        "subscriptions",
        "* exclude (delivered)",
        "subscription_versions",
        "subscription_id, updated_at",
        "parquet",
    ),
    Delivery(
        "managers", "* exclude (delivered)", "manager_versions", "manager_id, updated_at", "csv"
    ),
    Delivery("campaigns", "* exclude (delivered)", "campaign_versions", "campaign_id", "csv"),
    Delivery(
        "complaints",
        "* exclude (delivered)",
        "complaint_versions",
        "complaint_id, updated_at",
        "csv.gz",
    ),
    Delivery(
        "proposals", "* exclude (delivered)", "proposal_versions", "proposal_id, updated_at", "csv"
    ),
    Delivery(
        "payments",
        "* exclude (delivered)",
        "payments_made",
        "payment_id",
        "csv.gz",
        summed=("amount",),
    ),
    Delivery("contacts", "*", "month_contacts", "contact_id", "csv.gz"),
    Delivery(
        "invoices",
        "invoice_id, account_id, getvariable('month') as billing_month, category, issued_on, "
        "due_on, currency, total_amount, tax_amount",
        "month_invoices",
        "invoice_id",
        "csv.gz",
        summed=("total_amount", "tax_amount"),
    ),
    Delivery("charges", "*", "month_charges", "charge_id", "parquet", summed=("amount",)),
    Delivery("usage", "*", "month_usage", "subscription_id", "parquet"),
    Delivery("service_quality", "*", "month_quality", "subscription_id", "csv.gz"),
    Delivery("service_costs", "*", "month_costs", "product_code, region_code", "csv.gz"),
)
FORMATS = {
    "csv": "format csv, header",
    "csv.gz": "format csv, header, compression gzip",
    "parquet": "format parquet, compression zstd",
}


@dataclass(frozen=True)
class SampleSummary:
    """What was written: rows by feed, defects by kind, and the months covered."""

    out: Path
    first_month: date
    last_month: date
    rows: dict[str, int]
    defects: dict[str, int]


def write_sample(
    out: Path,
    customers: int,
    months: int,
    seed: int | None = None,
    defects: bool = False,
    control_totals: bool = False,
    progress: Progress | None = None,
    memory_limit: str | None = None,
) -> SampleSummary:
    """Write landing/, reference/ and tierwise.toml of an operator into `out`.

    The first month is always FIRST_MONTH. `customers` is the number reached after
    eighteen months; later months bring more of them and leave every file of the earlier
    months as it is. The same arguments give the same bytes. With `defects` faults are
    sprinkled over the files and listed in defects.csv. With `control_totals` the rows and
    sums of invoices, charges and payments are declared beside them, of the files without
    faults. What does not fit into `memory_limit` (such as 4GB; without one, most of the
    machine's memory) lies in a folder of `out` while it works.

    Raises:
        ConfigurationError: a number below 1, a landing folder that holds files, which
            a second sample would mix with its own, or a limit of memory that is too low.
    """
    landing = out / "landing"
    _check_arguments(landing, customers, months)
    seed = DEFAULT_SEED if seed is None else seed
    rows = {delivery.feed: 0 for delivery in DELIVERIES}
    declared: dict[str, dict[str, Any]] = {}
    out.mkdir(parents=True, exist_ok=True)
    with (
        _memory_explained(memory_limit),
        TemporaryDirectory(dir=out, prefix=".sample-") as work,
        duckdb.connect() as connection,
    ):
        connection.execute("set temp_directory = $work", {"work": work})
        if memory_limit:
            connection.execute("set memory_limit = $limit", {"limit": memory_limit})
        _set_up(connection, customers, months, seed)
        for number in range(months):
            _set_month(connection, number)
            for name in EACH_MONTH:
                connection.execute(_script(name))
            for delivery in DELIVERIES:
                rows[delivery.feed] += _deliver(connection, delivery, landing, number)
                if control_totals and delivery.summed:
                    declared.setdefault(delivery.feed, {}).update(
                        _totals(connection, delivery, number)
                    )
            if progress:
                progress(number + 1, months)
        write_reference(connection, out, defects)
    for feed, totals in declared.items():
        text = json.dumps({"files": totals}, indent=1) + "\n"
        (landing / feed / CONTROL_FILE).write_text(text, encoding="utf-8")
    found = sprinkle_defects(out, seed) if defects else {}
    return SampleSummary(out, FIRST_MONTH, _month(months - 1), rows, found)


@contextmanager
def _memory_explained(memory_limit: str | None) -> Iterator[None]:
    """Tell a limit that does not do as the setting that the user can change."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise ConfigurationError(
            f"{memory_limit or 'The memory of this machine'} is too little for a sample of this "
            "size. Raise the setting memory_limit, or ask for fewer customers; then remove what "
            "was written so far and write the sample again."
        ) from None


def _check_arguments(landing: Path, customers: int, months: int) -> None:
    for name, number in (("customers", customers), ("months", months)):
        if number < 1:
            raise ConfigurationError(f"The number of {name} is {number}; it must be at least 1.")
    if landing.exists() and any(landing.iterdir()):
        message = f"The folder {landing} holds files already. Name another folder, or empty it."
        raise ConfigurationError(message)


def _set_up(connection: duckdb.DuckDBPyConnection, customers: int, months: int, seed: int) -> None:
    connection.execute("set TimeZone = 'UTC'")
    newcomers = max(1, round(customers * (1 - SHARE_AT_START)))
    base = customers - newcomers
    regions = list(_regions(customers))
    variables: dict[str, Any] = {
        "seed": str(seed),
        "months": months,
        "base": base,
        "newcomers": newcomers,
        "months_to_full": MONTHS_TO_FULL,
        "total": base + math.ceil(newcomers * months / MONTHS_TO_FULL),
        "most_managers": max(region[6] for region in regions),
        "surnames": words.SURNAMES,
        "male_names": words.MALE_NAMES,
        "female_names": words.FEMALE_NAMES,
        "brands": words.BRANDS,
        "occupations": words.OCCUPATIONS,
        "rivals": words.RIVALS,
        "teams": words.TEAMS,
        "campaign_names": [name for name, _ in words.CAMPAIGNS],
        "campaign_objectives": [objective for _, objective in words.CAMPAIGNS],
    }
    for name, value in variables.items():
        connection.execute(f"set variable {name} = $value", {"value": value})
    connection.execute(f"set variable first_month = date '{FIRST_MONTH}'")
    connection.execute(
        "create table regions (region_number integer, region_code varchar, city varchar, "
        "region_class integer, share_from double, share_to double, managers integer)"
    )
    connection.executemany("insert into regions values (?, ?, ?, ?, ?, ?, ?)", regions)
    connection.execute(
        "create table industries (industry varchar, business varchar, is_institution boolean, "
        "share_from double, share_to double)"
    )
    connection.executemany("insert into industries values (?, ?, ?, ?, ?)", list(_industries()))
    connection.execute(
        "create table designations (industry varchar, designation varchar, "
        "per_cent_from integer, per_cent_to integer, institution varchar)"
    )
    connection.executemany("insert into designations values (?, ?, ?, ?, ?)", words.DESIGNATIONS)
    for name in SETUP:
        connection.execute(_script(name))


def _regions(customers: int) -> Iterator[tuple[int, str, str, int, float, float, int]]:
    below = 0.0
    for number, (code, city, region_class, share) in enumerate(words.REGIONS, start=1):
        organisations = customers * ORGANISATION_SHARE * share
        managers = max(3, round(organisations / ORGANISATIONS_PER_MANAGER))
        is_last = number == len(words.REGIONS)
        above = 1.0 if is_last else round(below + share, 6)
        yield number, code, city, region_class, below, above, managers
        below = above


def _industries() -> Iterator[tuple[str, str, bool, float, float]]:
    total = sum(share for _, share, _, _ in words.INDUSTRIES)
    below = 0
    for industry, share, business, is_institution in words.INDUSTRIES:
        yield industry, business, is_institution, below / total, (below + share) / total
        below += share


def _set_month(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    connection.execute(f"set variable number = {number}")
    connection.execute(f"set variable month = date '{_month(number)}'")
    connection.execute("set variable month_end = last_day(getvariable('month'))")


def _month(number: int) -> date:
    return date(FIRST_MONTH.year + number // 12, FIRST_MONTH.month + number % 12, 1)


def _script(name: str) -> str:
    return files("seeds.operator").joinpath("sql", f"{name}.sql").read_text("utf-8")


def _deliver(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, landing: Path, number: int
) -> int:
    """Write the file of one feed and month, if it has rows; the number of rows."""
    source = _source(delivery, number)
    counted = connection.execute(f"select count(*) from {source}").fetchone()
    rows = int(counted[0]) if counted else 0
    if rows:
        folder = landing / delivery.feed
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / _file_name(delivery, number)
        connection.execute(
            f"copy (select {delivery.columns} from {source} "
            f"order by {delivery.order}) to {_quoted(path)} ({FORMATS[delivery.suffix]})"
        )
    return rows


def _totals(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, number: int
) -> dict[str, dict[str, Any]]:
    """Rows and sums of the file of one feed and month by its name; nothing without a file."""
    sums = ", ".join(f"cast(sum({column}) as varchar)" for column in delivery.summed)
    found = connection.execute(f"select count(*), {sums} from {_source(delivery, number)}")
    rows, *totals = found.fetchall()[0]
    if not rows:
        return {}
    declared = dict(zip(delivery.summed, totals, strict=True))
    return {_file_name(delivery, number): {"rows": rows, "sums": declared}}


def _source(delivery: Delivery, number: int) -> str:
    is_monthly = delivery.source.startswith("month_")
    return delivery.source if is_monthly else f"{delivery.source} where delivered = {number}"


def _file_name(delivery: Delivery, number: int) -> str:
    return f"{_month(number):%Y-%m}.{delivery.suffix}"


def _quoted(path: Path) -> str:
    text = str(path).replace("'", "''")
    return f"'{text}'"
