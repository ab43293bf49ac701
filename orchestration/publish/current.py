"""The current publication as those read it who work from it, and not from the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from orchestration.audit.files import read_manifest
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.publish.publication import DATABASE_FOR_READERS, MANIFEST, current_publication


@dataclass(frozen=True)
class Publication:
    """A publication, and what its manifest says of its run."""

    folder: Path
    reporting_currency: str
    timezone: str
    tier_policy: str
    first_month: date
    closing_month: date
    reference_sha256: dict[str, str]

    @property
    def database(self) -> Path:
        """The file that readers open."""
        return self.folder / DATABASE_FOR_READERS


def read_publication(home: Home) -> Publication:
    """The current publication of a home.

    Raises:
        ConfigurationError: nothing is published there.
    """
    run_id = current_publication(home)
    if run_id is None:
        raise ConfigurationError(
            f"Nothing is published in {home.root} yet; start with `tierwise run`, "
            "or name another home with --home."
        )
    folder = home.published / run_id
    manifest: dict[str, Any] = read_manifest(folder / MANIFEST)
    configuration, run = manifest["configuration"], manifest["run"]
    return Publication(
        folder=folder,
        reporting_currency=configuration["reporting_currency"],
        timezone=configuration["timezone"],
        tier_policy=configuration["tier_policy"],
        first_month=date.fromisoformat(run["first_month"]),
        closing_month=date.fromisoformat(run["closing_month"]),
        reference_sha256=configuration["reference"],
    )
