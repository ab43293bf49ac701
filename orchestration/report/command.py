"""What `tierwise report` does: finds the report of the current publication, or writes one."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.audit.files import read_manifest
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.publish.current import read_publication
from orchestration.publish.publication import MANIFEST
from orchestration.report.page import REPORT, report_page, subject_of


def find_or_write_report(home: Home, out: Path | None) -> Path:
    """The report of the current publication.

    Args:
        home: the home that is published in.
        out: file to write the page to; without it the publication's own page is named.

    Raises:
        ConfigurationError: nothing is published, the publication has no page of its own or
            is too old for one, or the file cannot be written.
    """
    publication = read_publication(home)
    if out is None:
        own = publication.folder / REPORT
        if not own.is_file():
            raise ConfigurationError(
                f"The publication {publication.folder.name} was made without a report; "
                "name a file to write one to with --out."
            )
        return own
    subject = subject_of(home, read_manifest(publication.folder / MANIFEST))
    try:
        page = report_page(publication.database, subject)
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise ConfigurationError(
            f"The publication {subject.run_id} was made by another version, "
            f"{subject.code_version}, and lacks what the report shows; "
            "publish anew with `tierwise run`."
        ) from error
    try:
        out.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(
            f"The report cannot be written to {out}: {error.strerror}."
        ) from error
    return out.absolute()
