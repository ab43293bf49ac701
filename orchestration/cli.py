"""The command line: a thin layer over the Dagster definitions."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from orchestration.audit.commands import audit_commands
from orchestration.errors import TierwiseError

# The libraries below are slow to import; each command imports what it needs.

app = typer.Typer(
    name="tierwise",
    help="The customer-value warehouse for telecom operators.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(audit_commands, name="audit")
console = Console(file=sys.stdout)
problems = Console(file=sys.stderr)

LandingOption = Annotated[
    Path | None, typer.Option("--landing", help="The folder with a subfolder per delivered feed.")
]
ReferenceOption = Annotated[
    Path | None,
    typer.Option("--reference", help="Your own reference tables; each replaces a default."),
]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where everything lies. Default: ./home.")
]


@app.command()
def run(
    landing: LandingOption = None,
    reference: ReferenceOption = None,
    home: HomeOption = None,
    through: Annotated[
        str | None, typer.Option(help="Closing month YYYY-MM. Default: the last complete one.")
    ] = None,
    target: Annotated[str, typer.Option(help="Engine that builds the marts.")] = "duckdb",
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECK",
            help="Let this run pass a critical check that fails; repeat for several.",
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who answers for what is accepted.")
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it is accepted.")] = None,
) -> None:
    """Load what is new, validate, build, validate, snapshot, publish.

    Exit codes: 0 published, 1 blocked by validation, 2 wrong use or configuration,
    3 another run holds the warehouse.
    """
    from orchestration.audit.acceptance import acceptances_of
    from orchestration.errors import ConfigurationError
    from orchestration.home import Home
    from orchestration.ingest.contract import feed_contract
    from orchestration.ingest.landing import survey
    from orchestration.ingest.lock import HomeLock
    from orchestration.settings import load_settings
    from orchestration.warehouse.prepare import prepare_home

    if target != "duckdb":
        raise ConfigurationError(f"--target {target}: only duckdb is supported.")
    acceptances = acceptances_of(accept or [], by, reason)
    settings = load_settings(home, landing=landing, reference=reference, through=through)
    # A wrong folder and a second run are refused before anything slow is imported.
    survey(settings.landing, feed_contract())
    with HomeLock(settings.home):
        from orchestration.console import ConsoleProgress
        from orchestration.session import ValidationBlockedError
        from orchestration.summary import print_summary

        try:
            with ConsoleProgress(console) as progress:
                progress.phase("Prepare")
                # dbt parses a new home in its own process, while this one imports Dagster.
                with ThreadPoolExecutor(max_workers=1) as beside:
                    prepared = beside.submit(prepare_home, Home(settings.home), settings)
                    from orchestration.main_job import run_main_job

                    prepared.result()
                session = run_main_job(settings, progress, acceptances)
        except ValidationBlockedError as blocked:
            print_summary(console, blocked.session)
            raise
        print_summary(console, session)
    console.print(f"[green]Published {session.run_id}.[/]", highlight=False)


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="Folder to write; must be empty or new.")],
    customers: Annotated[int, typer.Option(min=1, help="Number of customers.")] = 2000,
    months: Annotated[int, typer.Option(min=1, help="Number of months.")] = 18,
    seed: Annotated[int | None, typer.Option(help="Same seed, same data.")] = None,
    defects: Annotated[bool, typer.Option(help="Sprinkle faults, listed in defects.csv.")] = False,
) -> None:
    """Write a realistic operator's landing area of any size."""
    from seeds.operator.generate import write_sample

    summary = write_sample(out, customers, months, seed=seed, defects=defects)
    for feed, rows in summary.rows.items():
        console.print(f"{feed:<16}{rows:>12,} rows", highlight=False)
    if summary.defects:
        console.print(
            f"{sum(summary.defects.values()):,} faults, listed in {out / 'defects.csv'}",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"Months {summary.first_month:%Y-%m} to {summary.last_month:%Y-%m}. Run it with:\n"
        f"tierwise run --landing {out / 'landing'} --reference {out / 'reference'} "
        f"--home {out / 'home'}",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def status(home: HomeOption = None) -> None:
    """What is loaded through when, what is published, what is late, which checks fail."""
    from orchestration.home import Home
    from orchestration.settings import load_settings
    from orchestration.status import print_status

    print_status(console, Home(load_settings(home).home))


@app.command()
def ui(
    landing: LandingOption = None,
    reference: ReferenceOption = None,
    home: HomeOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Dagster's web interface on 127.0.0.1: lineage, runs, checks."""
    from orchestration.home import Home
    from orchestration.instance import prepare_instance
    from orchestration.settings import environment_of, load_settings

    settings = load_settings(home, landing=landing, reference=reference)
    environment = {
        **os.environ,
        **environment_of(settings),
        "DAGSTER_HOME": str(prepare_instance(Home(settings.home))),
    }
    dagster = str(Path(sys.executable).with_name("dagster"))
    os.execve(  # noqa: S606
        dagster,
        [dagster, "dev", "-m", "orchestration.definitions", "-h", "127.0.0.1", "-p", str(port)],
        environment,
    )


def main() -> NoReturn:
    """Entry point: runs a command and turns a user's mistake into one message."""
    try:
        app()
    except TierwiseError as error:
        problems.print("[red]Error:[/]", end=" ")
        problems.print(str(error), highlight=False, soft_wrap=True, markup=False)
        sys.exit(error.exit_code)
    sys.exit(0)
