"""Exporting a table of the current publication to a file."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.publish.current import read_publication
from orchestration.publish.export.csv_file import write_csv
from orchestration.publish.export.table import opened_table

KINDS = (".csv", ".xlsx")


@dataclass(frozen=True)
class Exported:
    """What was written: which table, narrowed by which column, how many rows."""

    table: str
    run_id: str
    rows: int
    month_column: str | None


def export(home: Home, table: str, out: Path, month: dt.date | None) -> Exported:
    """Write a table of the current publication to a new file, whole or not at all.

    Args:
        home: the home whose publication is read.
        table: its name, e.g. retention_worklist or audit.load.
        out: the file; its ending says whether CSV or Excel.
        month: only the rows of this month.

    Raises:
        ConfigurationError: the table, the month or the file cannot be used.
    """
    kind = out.suffix.lower()
    if kind not in KINDS:
        raise ConfigurationError(f"--out {out}: wants a file that ends in {' or '.join(KINDS)}.")
    if not out.parent.is_dir():
        raise ConfigurationError(f"--out {out}: there is no folder {out.parent}.")
    if out.exists():
        raise ConfigurationError(
            f"--out {out} is there already, perhaps with somebody's notes. Name a new file."
        )
    publication = read_publication(home)
    unfinished = out.with_name(f".unfinished-{out.name}")
    with opened_table(publication, table, month, home.temporary) as found:
        try:
            if kind == ".csv":
                write_csv(unfinished, found)
            else:
                from orchestration.publish.export.excel_file import write_excel

                write_excel(unfinished, found, publication)
            unfinished.replace(out)
        except OSError as error:
            raise ConfigurationError(f"{out} cannot be written: {error.strerror}.") from error
        finally:
            unfinished.unlink(missing_ok=True)
        return Exported(
            found.qualified_name, publication.folder.name, found.rows, found.month_column
        )
