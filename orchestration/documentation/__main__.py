"""`python -m orchestration.documentation`: the site for readers, the pages for the repository."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Documentation for those who read the marts.", no_args_is_help=True)
HomeOption = Annotated[
    Path | None, typer.Option("--home", help="Where everything lies. Default: ./home.")
]


@app.command("site")
def build_site(
    home: HomeOption = None,
    out: Annotated[Path | None, typer.Option(help="Default: docs/index.html in the home.")] = None,
) -> None:
    """Write dbt's docs of the current publication as one page that opens without a network."""
    from orchestration.documentation.site import write_site
    from orchestration.home import Home
    from orchestration.settings import load_settings

    settings = load_settings(home)
    print(f"Documentation: {write_site(Home(settings.home), settings, out)}")


@app.command("pages")
def build_pages(
    home: HomeOption = None,
    out: Annotated[Path | None, typer.Option(help="Default: docs/ of the repository.")] = None,
) -> None:
    """Write catalogue.md, columns.md and relationships.md; the home has published the sample."""
    from orchestration.documentation.pages import pages
    from orchestration.home import Home
    from orchestration.publish.publication import readers_database
    from orchestration.settings import load_settings
    from orchestration.warehouse.project import REPOSITORY

    place = Home(load_settings(home).home)
    folder = out or REPOSITORY / "docs"
    for name, text in pages(place.dbt / "manifest.json", readers_database(place)).items():
        (folder / name).write_text(text, encoding="utf-8")
        print(f"Written: {folder / name}")


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
