"""The command line: a thin layer over the Dagster definitions."""

from __future__ import annotations

import gc
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from orchestration.audit.commands import audit_commands
from orchestration.errors import TierwiseError
from orchestration.publish.commands import publish_commands

# The libraries below are slow to import; each command imports what it needs.

app = typer.Typer(
    name="tierwise",
    help="The customer-value warehouse for telecom operators.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(audit_commands, name="audit")
app.add_typer(publish_commands, name="publish")
console = Console(file=sys.stdout)
problems = Console(file=sys.stderr)

LandingOption = Annotated[
    str | None,
    typer.Option(
        "--landing",
        metavar="DIR|URL",
        help="The folder with a subfolder per delivered feed; s3:// and sftp:// too.",
    ),
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
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild", help="Do all the work, for every month, although nothing is new."
        ),
    ] = False,
) -> None:
    """Load what is new, validate, build, validate, snapshot, publish.

    Where nothing changed since the current publication was made, it says so and stops.

    Exit codes: 0 published, 1 blocked by validation, not built or stopped, 2 wrong use or
    configuration, 3 another run holds the warehouse.
    """
    from orchestration.audit.acceptance import acceptances_of
    from orchestration.errors import ConfigurationError
    from orchestration.home import Home
    from orchestration.ingest.landing import require_landing
    from orchestration.ingest.lock import HomeLock
    from orchestration.settings import load_settings
    from orchestration.warehouse.dbt_process import WaitingDbt
    from orchestration.warehouse.prepare import prepare_home

    gc.disable()  # until the job starts: imports make no garbage, and much to go through
    if target != "duckdb":
        raise ConfigurationError(f"--target {target}: only duckdb is supported.")
    acceptances = acceptances_of(accept or [], by, reason)
    settings = load_settings(home, landing=landing, reference=reference, through=through)
    # A wrong folder and a second run are refused before anything slow is imported.
    require_landing(settings.landing, settings.sources)
    with HomeLock(settings.home):
        from orchestration.publish.inputs import forget, inputs_of
        from orchestration.publish.publication import readers_database
        from orchestration.warehouse.built import forget_built

        home_in_use = Home(settings.home)
        inputs = inputs_of(settings)
        if inputs and not (rebuild or acceptances) and (made := inputs.made(home_in_use)):
            for line in (
                f"Nothing new since {made}: it stays published.",
                f"Query:      {readers_database(home_in_use)}",
                "--rebuild does all the work again.",
            ):
                console.print(line, highlight=False, soft_wrap=True)
            return
        forget(home_in_use)
        if rebuild:
            forget_built(home_in_use)

        from orchestration.console import ConsoleProgress
        from orchestration.session import ValidationBlockedError
        from orchestration.summary import print_summary

        try:
            with ConsoleProgress(console) as progress, closing(WaitingDbt()) as dbt:
                progress.phase("Prepare")

                def prepare() -> None:
                    prepare_home(home_in_use, settings)
                    dbt.make_ready()

                # dbt gets ready in its own process, while this one imports Dagster.
                with ThreadPoolExecutor(max_workers=1) as beside:
                    prepared = beside.submit(prepare)
                    from orchestration.main_job import run_main_job

                    prepared.result()
                session = run_main_job(settings, progress, acceptances, dbt)
        except ValidationBlockedError as blocked:
            print_summary(console, blocked.session)
            raise
        print_summary(console, session)
        if inputs and not acceptances:
            inputs.remember(home_in_use)
    console.print(f"[green]Published {session.run_id}.[/]", highlight=False)


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="Folder to write; must be empty or new.")],
    customers: Annotated[int, typer.Option(min=1, help="Number of customers.")] = 2000,
    months: Annotated[int, typer.Option(min=1, help="Number of months.")] = 18,
    seed: Annotated[int | None, typer.Option(help="Same seed, same data.")] = None,
    defects: Annotated[bool, typer.Option(help="Sprinkle faults, listed in defects.csv.")] = False,
    control_totals: Annotated[
        bool,
        typer.Option("--control-totals", help="Declare rows and sums of the bills beside them."),
    ] = False,
) -> None:
    """Write a realistic operator's landing area of any size."""
    from orchestration.console import ConsoleProgress
    from orchestration.settings import engine_limit, load_settings
    from seeds.operator.generate import write_sample

    limit = engine_limit(load_settings().memory_limit)
    with ConsoleProgress(console) as progress:
        progress.phase("Write the sample")
        summary = write_sample(
            out,
            customers,
            months,
            seed=seed,
            defects=defects,
            control_totals=control_totals,
            progress=lambda done, total: progress.step("months", done, total),
            memory_limit=limit,
        )
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


quarantine = typer.Typer(
    help="Rows that could not be loaded: list them, write them to be corrected, release them.",
    no_args_is_help=True,
)
app.add_typer(quarantine, name="quarantine")

FeedOption = Annotated[str | None, typer.Option("--feed", help="Only rows of this feed.")]
LoadOption = Annotated[str | None, typer.Option("--load", help="Only rows of this load.")]


@quarantine.command("list")
def list_quarantine(
    feed: FeedOption = None, load: LoadOption = None, home: HomeOption = None
) -> None:
    """The rows that wait for a correction, by feed, file and reason.

    Exit codes: 0 listed, 2 wrong use.
    """
    from orchestration.delivered_rows import print_waiting_rows
    from orchestration.ingest.waiting import waiting_rows
    from orchestration.settings import load_settings

    print_waiting_rows(console, waiting_rows(load_settings(home).home, feed, load))


@quarantine.command("export")
def export_quarantine(
    out: Annotated[Path, typer.Option(help="The CSV file to write; must not exist.")],
    feed: FeedOption = None,
    load: LoadOption = None,
    home: HomeOption = None,
) -> None:
    """Write the waiting rows of a feed, personal values included, as a CSV to correct.

    Exit codes: 0 written, 2 wrong use.
    """
    from orchestration.delivered_rows import print_export
    from orchestration.ingest.waiting import export_waiting_rows
    from orchestration.settings import load_settings

    rows = export_waiting_rows(load_settings(home).home, feed, load, out)
    print_export(console, rows, out)


@quarantine.command("release")
def release_quarantine(
    file: Annotated[Path, typer.Argument(help="The corrected CSV file.")],
    landing: LandingOption = None,
    home: HomeOption = None,
) -> None:
    """Load the corrected rows through the checks of any file; they count from the next run.

    Exit codes: 0 all released, 1 some are still at fault and stay in quarantine, 2 wrong
    use, nothing loaded, 3 another run holds the warehouse.
    """
    from orchestration.delivered_rows import print_release
    from orchestration.ingest.lock import HomeLock
    from orchestration.ingest.release import release
    from orchestration.settings import load_settings

    settings = load_settings(home, landing=landing)
    with HomeLock(settings.home):
        released = release(settings, file)
    print_release(console, released)


@app.command()
def history(
    feed: Annotated[str, typer.Argument(help="The feed, e.g. invoices.")],
    key: Annotated[list[str], typer.Argument(help="The key of the row, one value per part.")],
    home: HomeOption = None,
) -> None:
    """Every delivery of a row: the load that brought it, and what superseded it.

    Exit codes: 0 told, 2 wrong use.
    """
    from orchestration.delivered_rows import print_history
    from orchestration.ingest.history import row_history
    from orchestration.settings import load_settings

    print_history(console, row_history(load_settings(home).home, feed, key))


@app.command()
def extract(
    source: Annotated[str, typer.Option(help="A section [extract.NAME] of tierwise.toml.")],
    landing: Annotated[
        Path | None, typer.Option(help="The landing folder to write to; made if missing.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Read what is new in a database into the landing folder, with control totals.

    Exit codes: 0 done, 2 wrong use or configuration, 3 another extraction is at work.
    """
    from orchestration.console import ConsoleProgress
    from orchestration.extract.extract import extract as extract_source
    from orchestration.extract.extract import told
    from orchestration.settings import load_settings

    settings = load_settings(home, landing=landing)
    with ConsoleProgress(console) as progress:
        progress.phase(f"Extract {source}")
        extracted = extract_source(
            settings, source, lambda feed, rows: progress.step(feed, rows, None)
        )
    for feed in extracted:
        console.print(told(feed), highlight=False, soft_wrap=True, markup=False)


@app.command()
def export(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="e.g. retention_worklist, or audit.load.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="A new file that ends in .csv or .xlsx.")
    ],
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Only the rows of this month.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a published table for people: CSV, or Excel with formats.

    Text that a spreadsheet would take for a formula stays text. Exit codes: 0 written,
    2 wrong use.
    """
    from orchestration.home import Home
    from orchestration.ingest.months import read_month
    from orchestration.publish.export.export import export as write_export
    from orchestration.settings import load_settings

    chosen = read_month("--month", month) if month else None
    done = write_export(Home(load_settings(home).home), table, out, chosen)
    narrowed = f" with {done.month_column} {month}" if done.month_column else ""
    console.print(
        f"{done.table}: {done.rows:,} rows{narrowed} of publication {done.run_id}\n{out}",
        highlight=False,
        soft_wrap=True,
        markup=False,
    )


@app.command()
def status(home: HomeOption = None) -> None:
    """What is loaded through when, what is published, what is late, which checks fail."""
    from orchestration.home import Home
    from orchestration.settings import load_settings
    from orchestration.status import print_status

    print_status(console, Home(load_settings(home).home))


@app.command()
def report(
    out: Annotated[
        Path | None, typer.Option(help="Write the page to this file instead of naming its place.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Show it in the web browser.")] = False,
    home: HomeOption = None,
) -> None:
    """The visual report of the current publication: one web page that needs no network."""
    import webbrowser

    from orchestration.home import Home
    from orchestration.report.command import find_or_write_report
    from orchestration.settings import load_settings

    page = find_or_write_report(Home(load_settings(home).home), out)
    console.print(str(page), highlight=False, soft_wrap=True, markup=False)
    if show and not webbrowser.open(page.as_uri()):
        problems.print("No web browser was found; open the file above in one.")


@app.command()
def explain(
    customer_id: Annotated[str, typer.Argument(help="The operator's id of the customer.")],
    month: Annotated[
        str | None, typer.Option(help="Month YYYY-MM. Default: the customer's latest.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For tools, instead of tables.")] = False,
    home: HomeOption = None,
) -> None:
    """The receipt of a customer: tier and why, value, stars, risk, complaints, bills."""
    import json

    from orchestration.explain import receipt as receipts
    from orchestration.explain.show import print_receipt
    from orchestration.home import Home
    from orchestration.ingest.months import read_month
    from orchestration.publish.current import read_publication
    from orchestration.settings import load_settings

    place = Home(load_settings(home).home)
    chosen = read_month("--month", month) if month else None
    receipt = receipts.read_receipt(place, read_publication(place), customer_id, chosen)
    if as_json:
        typer.echo(json.dumps(receipts.as_json(receipt), indent=2, ensure_ascii=False))
    else:
        print_receipt(console, receipt)


@app.command()
def simulate(
    policy_id: Annotated[str, typer.Argument(help="The policy to replay.")],
    policies: Annotated[
        Path | None, typer.Option(help="A file like tier_policies.csv; with --bands.")
    ] = None,
    bands: Annotated[
        Path | None, typer.Option(help="A file like tier_bands.csv; with --policies.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First month YYYY-MM. Default: of all published.")
    ] = None,
    through: Annotated[
        str | None, typer.Option(help="Last month YYYY-MM. Default: the closing month.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file for the list of who moves.")] = None,
    home: HomeOption = None,
) -> None:
    """Replay a tier policy over published months, against the policy in force.

    Nothing published is touched. A policy of the files may change one in force; before
    its first version it is replayed as if that had always been.
    """
    from orchestration.ingest.months import read_month
    from orchestration.settings import load_settings
    from orchestration.simulate.command import Request
    from orchestration.simulate.command import simulate as replay
    from orchestration.simulate.show import print_simulation

    request = Request(
        policy_id=policy_id,
        policies=policies,
        bands=bands,
        first=read_month("--from", first) if first else None,
        last=read_month("--through", through) if through else None,
        out=out,
    )
    print_simulation(console, replay(load_settings(home), request), request)


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
