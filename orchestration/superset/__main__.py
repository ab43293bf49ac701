"""`python -m orchestration.superset`: the zip for Superset, the dataset files of the tree."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The dashboards for Superset.", no_args_is_help=True)


@app.command("zip")
def build_zip(
    home: Annotated[
        Path | None, typer.Option("--home", help="Where everything lies. Default: ./home.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="SQLAlchemy address of the marts as Superset reaches them, without a password."
            " Default: the DuckDB file of the home's current publication."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("tierwise-superset.zip"),
    replace: Annotated[
        bool,
        typer.Option(
            help="For /api/v1/assets/import/, which replaces datasets and charts imported before."
        ),
    ] = False,
) -> None:
    """Write the zip with database, datasets, charts and dashboards that Superset imports."""
    from orchestration.home import Home
    from orchestration.publish.publication import readers_database
    from orchestration.settings import load_settings
    from orchestration.superset.bundle import Kind, write_zip

    address = database
    if address is None:
        # Not resolved: the link `current` is what makes the next publication be seen.
        address = f"duckdb:///{readers_database(Home(load_settings(home).home)).absolute()}"
    write_zip(out, address, Kind.ASSETS if replace else Kind.DASHBOARDS)
    print(f"Written: {out}, reading {address}")


@app.command("datasets")
def build_datasets() -> None:
    """Write docs/superset/datasets anew from the contracts of the marts and datasets.yml."""
    from orchestration.superset.bundle import write_datasets

    for path in write_datasets():
        print(f"Written: {path}")


def main() -> None:
    """Run a command; a user's mistake is told in one message."""
    from orchestration.errors import TierwiseError

    try:
        app()
    except TierwiseError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
