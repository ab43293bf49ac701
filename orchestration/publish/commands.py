"""`tierwise publish`: publications listed, rolled back to, and served from PostgreSQL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

publish_commands = typer.Typer(
    help="Publications: what readers get, what they can get back, and from where.",
    no_args_is_help=True,
)
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where everything lies. Default: ./home.")
]


def _console() -> Console:
    """The terminal; where there is none, wide enough for the names of runs."""
    width = None if sys.stdout.isatty() else 160
    return Console(file=sys.stdout, highlight=False, soft_wrap=True, width=width)


@publish_commands.command("list")
def list_published(home: HomeOption = None) -> None:
    """Every publication: its run, closing month, size, and whether readers have it.

    Exit codes: 0 listed, 2 wrong use.
    """
    from orchestration.home import Home
    from orchestration.publish.show import print_publications
    from orchestration.settings import load_settings

    print_publications(_console(), Home(load_settings(home).home))


@publish_commands.command("rollback")
def roll_back_to(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run, or how its name begins.")],
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who answers for it. Default: this user.")
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for the record.")] = None,
    home: HomeOption = None,
) -> None:
    """Give readers an older publication again, until the next run publishes.

    Exit codes: 0 it is in use, 2 no such publication or it is not whole, 3 a run holds
    the warehouse.
    """
    from orchestration.audit.publication_log import this_user
    from orchestration.home import Home
    from orchestration.ingest.lock import HomeLock
    from orchestration.publish.current import read_publication
    from orchestration.publish.recovery import recover
    from orchestration.publish.rollback import roll_back
    from orchestration.settings import load_settings

    settings = load_settings(home)
    place = Home(settings.home)
    read_publication(place)  # a home without one is told so, and not made
    with HomeLock(settings.home):
        recover(place)
        event = roll_back(place, run, by or this_user(), reason)
    console = _console()
    if event is None:
        console.print("That publication is in use already; nothing was changed.")
    else:
        console.print(event.told(), markup=False)


@publish_commands.command("postgres")
def serve_from_postgres(
    dsn: Annotated[
        str | None,
        typer.Option(
            metavar="DSN",
            help="postgresql://user@host:5432/database. Default: the address in the variable "
            "that the setting postgres_dsn_variable names. Leave the password to that "
            "variable, to PGPASSWORD or to a password file.",
        ),
    ] = None,
    role: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="Who may read. Default: the setting postgres_role."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Load the current publication into PostgreSQL; readers see the old one or this, whole.

    Exit codes: 0 loaded, 2 it could not be, and what was served before is untouched,
    3 another load of that database is at work.
    """
    from orchestration.console import ConsoleProgress
    from orchestration.home import Home
    from orchestration.publish.current import read_publication
    from orchestration.publish.postgres.connection import address_of
    from orchestration.publish.postgres.serve import serve
    from orchestration.settings import load_settings

    settings = load_settings(home)
    publication = read_publication(Home(settings.home))
    address = address_of(dsn, settings.postgres_dsn_variable)
    console = _console()
    with ConsoleProgress(console) as progress:
        progress.phase("Load into PostgreSQL")
        tables = serve(
            publication.folder,
            address,
            role or settings.postgres_role,
            lambda table, rows, done, total: progress.step(f"{table}, {rows:,} rows", done, total),
        )
    console.print(f"{address.shown} serves {publication.folder.name}: {tables} tables.")
