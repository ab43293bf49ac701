"""`tierwise audit`: what every run left as evidence, and whether it still holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from orchestration.errors import ConfigurationError

if TYPE_CHECKING:
    from orchestration.audit.chain import Difference, Link
    from orchestration.home import Home
    from orchestration.settings import Settings

audit_commands = typer.Typer(
    help="Evidence: what came in, what was checked, what was published, and that nothing changed.",
    no_args_is_help=True,
)
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where everything lies. Default: ./home.")
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Name of a run, its beginning, or `last`.")
]


def _console() -> Console:
    """The terminal; where there is none, wide enough for the names of runs."""
    width = None if sys.stdout.isatty() else 160
    return Console(file=sys.stdout, highlight=False, soft_wrap=True, width=width)


def _opened(home: Path | None) -> tuple[Settings, Home]:
    from orchestration.home import Home
    from orchestration.settings import load_settings

    settings = load_settings(home)
    return settings, Home(settings.home)


def _run(home: Home, name: str) -> Link:
    """The run of that name; ConfigurationError if there is none, or more than one."""
    from orchestration.audit.chain import read_chain
    from orchestration.audit.store import HomeStore

    chain = [link for link in read_chain(HomeStore(home.root)) if link.manifest is not None]
    if not chain:
        raise ConfigurationError(f"{home.root} holds no evidence of any run; see `tierwise run`.")
    found = chain[-1:] if name == "last" else [x for x in chain if x.run_id.startswith(name)]
    if len(found) != 1:
        raise ConfigurationError(
            f"{name} names {len(found) or 'no'} runs of {home.root}. "
            f"There are: {', '.join(link.run_id for link in chain)}."
        )
    return found[0]


@audit_commands.command("list")
def list_runs(home: HomeOption = None) -> None:
    """Every run: status, closing month, tiers moved, publication, and whether the chain holds."""
    from orchestration.audit.show import print_runs

    print_runs(_console(), _opened(home)[1])


@audit_commands.command("show")
def show_run(run: RunArgument, home: HomeOption = None) -> None:
    """One run: inputs, checks with their money, who accepted what, what was published."""
    from orchestration.audit.show import print_run

    place = _opened(home)[1]
    print_run(_console(), place, _run(place, run))


@audit_commands.command("pack")
def pack_run(
    run: RunArgument,
    out: Annotated[Path, typer.Option(help="The zip file to write.")],
    home: HomeOption = None,
) -> None:
    """Write the evidence of a run into one zip file; the same run gives the same bytes."""
    from orchestration.audit.files import file_sha256
    from orchestration.audit.pack import write_pack

    place = _opened(home)[1]
    link = _run(place, run)
    files = write_pack(place, link, out)
    console = _console()
    console.print(f"Packed run {link.run_id}: {files} files, SHA-256 {file_sha256(out)}")
    console.print(str(out))


@audit_commands.command("verify")
def verify(
    pack: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A pack; the home if none is given.")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Compute every hash anew and name what differs, the first thing first.

    Exit codes: 0 nothing was changed, 1 something was, 2 wrong use.
    """
    from orchestration.audit.verify import verify_home, verify_pack

    console = _console()
    with Console(stderr=True).status("Verify") as status:
        found = (
            verify_pack(pack, status.update)
            if pack
            else verify_home(_opened(home)[1], status.update)
        )
    for note in found.notes:
        console.print(f"Note: {note}", markup=False)
    if found.runs == 0 and found.is_right:
        raise ConfigurationError("There is no evidence of any run here; see `tierwise run`.")
    _print_differences(console, found.differences)
    console.print(f"{found.runs} runs, {found.files} files, {len(found.differences)} differences.")
    if found.differences:
        raise typer.Exit(1)
    console.print(f"Nothing was changed. Last manifest: {found.head}")


@audit_commands.command("reproduce")
def reproduce_run(
    run: RunArgument,
    home: HomeOption = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Leave the home that was built there.")
    ] = None,
) -> None:
    """Build a run again from what it read, and compare every table it published.

    Exit codes: 0 every table is the same, 1 an input or a table differs, 2 wrong use.
    """
    import shutil

    from orchestration.audit.reproduce import reproduce
    from orchestration.home import Home

    settings, place = _opened(home)
    link = _run(place, run)
    if keep and keep.exists() and any(keep.iterdir()):
        raise ConfigurationError(f"{keep} is not empty. Name a new folder.")
    scratch = keep.absolute() if keep else place.temporary / f"reproduce-{link.run_id}"
    console = _console()
    if not keep:
        shutil.rmtree(scratch, ignore_errors=True)
    try:
        found = reproduce(place, link, Home(scratch), settings.memory_limit, console.print)
    finally:
        if not keep:
            shutil.rmtree(scratch, ignore_errors=True)
    for note in found.notes:
        console.print(f"Note: {note}", markup=False)
    _print_differences(console, found.differences)
    if found.differences:
        raise typer.Exit(1)
    console.print(f"Run {link.run_id} reproduced: {found.tables} tables, each the same.")


@audit_commands.command("trace")
def trace_figure(
    mart: Annotated[str, typer.Argument(metavar="MART", help="e.g. marts.customer_monthly")],
    customer: Annotated[str, typer.Option(help="The customer's id.")],
    month: Annotated[str, typer.Option(help="The month, YYYY-MM.")],
    run: Annotated[
        str | None, typer.Option(help="A past publication. Default: the current one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The trace as JSON.")] = False,
    home: HomeOption = None,
) -> None:
    """Follow a published row to the bills, charges, payments and files behind it."""
    from orchestration.audit.trace import print_trace, trace, trace_as_json
    from orchestration.publish.publication import current_publication

    place = _opened(home)[1]
    name = run or current_publication(place)
    if name is None:
        raise ConfigurationError(f"{place.root} has no publication yet; see `tierwise run`.")
    traced = trace(place, _run(place, name), mart, customer, month)
    if as_json:
        typer.echo(trace_as_json(traced))
    else:
        print_trace(_console(), traced)


def _print_differences(console: Console, differences: list[Difference]) -> None:
    for number, difference in enumerate(differences, start=1):
        start = "First difference" if number == 1 else f"{number}"
        console.print(f"{start}: {difference}", markup=False)
