"""Replaying a policy: the tier models, run on a publication in a scratch folder.

The publication is only read; the warehouse and the home are not touched.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.audit.files import file_sha256
from orchestration.errors import BuildFailedError, ConfigurationError
from orchestration.home import Home
from orchestration.ingest.lake import Lake
from orchestration.ingest.run_settings import write_run_settings
from orchestration.publish.current import Publication
from orchestration.settings import engine_limit
from orchestration.simulate.candidate import IN_FORCE, Policy, write_reference
from orchestration.warehouse.project import PROJECT_DIR, dbt_environment, dbt_executable

READ_TABLES = ("tier_policies", "tier_bands", "fx_rates", "regions")

# What the tier models read of the models before them, taken from the published marts.
INPUTS = {
    "int_customer_months_spined": """
        select
            months.customer_id,
            months.month,
            extract(year from months.month) * 12 + extract(month from months.month) - 1
                as month_number,
            months.is_ranked,
            months.region_class,
            months.legal_form,
            extract(year from customers.first_active_month) * 12
                + extract(month from customers.first_active_month) - 1
                as first_active_month_number
        from publication.marts.customer_monthly as months
        inner join publication.marts.dim_customer as customers using (customer_id)
    """,
    "int_customer_revenue_summed": """
        select
            customer_id,
            extract(year from month) * 12 + extract(month from month) - 1 as month_number,
            revenue,
            billed_amount
        from publication.marts.customer_monthly
    """,
    "int_customer_value_layered": """
        select
            customer_id,
            extract(year from month) * 12 + extract(month from month) - 1 as month_number,
            margin,
            value_score
        from publication.marts.customer_value_monthly
    """,
    "int_customers_latest": "select customer_id, legal_form from publication.marts.dim_customer",
}

# Everything else between them and the replayed tiers is built by dbt.
MODELS = (
    *READ_TABLES,
    "stg_control__run_settings",
    "int_months_numbered",
    "int_exchange_rates_completed",
    "int_regions_resolved",
    "int_tier_policies_dated",
    "int_tier_bands_resolved",
    "int_customer_windows_summed",
    "int_customer_metrics_measured",
    "int_tier_cuts_found",
    "int_customer_tiers_placed",
    "int_customer_tiers_ruled",
    "int_customer_tiers_graced",
    "int_customer_tiers_replayed",
)


def require_same_reference(home: Home, publication: Publication) -> None:
    """The reference tables a replay reads are those of the publication.

    Raises:
        ConfigurationError: a later run, which published nothing, has changed one.
    """
    changed = [
        f"{table}.csv"
        for table in READ_TABLES
        if file_sha256(home.reference / f"{table}.csv") != publication.reference_sha256[table]
    ]
    if changed:
        raise ConfigurationError(
            f"The reference tables {', '.join(changed)} have changed since the publication "
            f"{publication.folder.name}; a replay would mix the two. Run `tierwise run` first."
        )


@contextmanager
def replayed(
    home: Home,
    publication: Publication,
    in_force: Policy,
    simulated: Policy,
    memory_limit: str,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a scratch warehouse that holds both policies' tiers.

    The publication is attached as `publication`; the folder is removed at the end.

    Raises:
        BuildFailedError: dbt could not build the tiers.
    """
    with tempfile.TemporaryDirectory(prefix="tierwise-simulate-") as folder:
        scratch = Home(Path(folder).resolve())
        scratch.prepare()
        write_reference(home.reference, scratch.reference, in_force, simulated)
        with _open(scratch, publication, memory_limit) as connection:
            _write_inputs(connection, scratch, publication)
        _build(scratch, memory_limit)
        with _open(scratch, publication, memory_limit) as connection:
            yield connection


def _open(scratch: Home, publication: Publication, memory_limit: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        str(scratch.warehouse),
        config={
            "memory_limit": engine_limit(memory_limit),
            "temp_directory": str(scratch.temporary),
        },
    )
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"attach '{publication.database}' as publication (read_only)")
    return connection


def _write_inputs(
    connection: duckdb.DuckDBPyConnection, scratch: Home, publication: Publication
) -> None:
    write_run_settings(
        connection,
        Lake(scratch.root),
        {
            "run_id": publication.folder.name,
            "started_at": datetime.now(UTC).replace(tzinfo=None),
            "reporting_currency": publication.reporting_currency,
            "tier_policy": IN_FORCE,
            "timezone": publication.timezone,
            "first_month": publication.first_month,
            "closing_month": publication.closing_month,
            "code_version": None,
            "config_sha256": None,
            "policy_sha256": None,
        },
    )
    connection.execute("create schema intermediate")
    for name, query in INPUTS.items():
        connection.execute(f"create table intermediate.{name} as {query}")


def _build(scratch: Home, memory_limit: str) -> None:
    command = [
        dbt_executable(),
        "--quiet",
        "build",
        "--project-dir",
        str(PROJECT_DIR),
        "--exclude-resource-type",
        "test",
        "unit_test",
        "--select",
        *MODELS,
    ]
    outcome = subprocess.run(
        command,
        env={**os.environ, **dbt_environment(scratch, memory_limit)},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise BuildFailedError(
            "dbt could not replay the policy; nothing was changed. dbt says:\n"
            + (outcome.stdout + outcome.stderr).strip()
        )
