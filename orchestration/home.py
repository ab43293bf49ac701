"""The home directory: where everything a run produces lies, one writer per place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import ConfigurationError

SPECIAL_CHARACTERS = frozenset("'\"{}[]*?")


@dataclass(frozen=True)
class Home:
    """Paths under one home. The owner of each place is the only one that writes there."""

    root: Path

    @property
    def lake(self) -> Path:
        """Typed raw data, quarantine and load ledger; written by the loader."""
        return self.root / "lake"

    @property
    def reference(self) -> Path:
        """The reference tables in force, as dbt seeds; written by the loader."""
        return self.lake / "reference"

    @property
    def warehouse(self) -> Path:
        """The warehouse file; written by dbt."""
        return self.root / "warehouse.duckdb"

    @property
    def built(self) -> Path:
        """What the warehouse was last built from; written by the run that built it."""
        return self.root / "warehouse.json"

    @property
    def published(self) -> Path:
        """Publications and the link `current`; written by the publisher."""
        return self.root / "published"

    @property
    def audit(self) -> Path:
        """Validation results, Data Docs, the ledger of runs and the evidence of each."""
        return self.root / "audit"

    @property
    def evidence(self) -> Path:
        """One folder per run with its manifest and dbt's artifacts; written by that run."""
        return self.audit / "evidence"

    def run_evidence(self, run_id: str) -> Path:
        """The evidence of one run."""
        return self.evidence / run_id

    def reference_set(self, policy_sha256: str) -> Path:
        """A reference set as some run used it, kept under its hash."""
        return self.audit / "reference_sets" / policy_sha256

    @property
    def dbt(self) -> Path:
        """dbt's target folder: manifest, partial parse, logs."""
        return self.root / "dbt"

    @property
    def dagster(self) -> Path:
        """Dagster's instance: run history and event logs."""
        return self.root / "dagster"

    @property
    def extract(self) -> Path:
        """How far each feed of each database is extracted; written by `tierwise extract`."""
        return self.root / "extract"

    @property
    def landing_cache(self) -> Path:
        """Copies of the files of a remote landing area; written by the loader."""
        return self.root / "landing_cache"

    @property
    def temporary(self) -> Path:
        """Where DuckDB spills what does not fit into memory."""
        return self.root / "tmp"

    def prepare(self) -> None:
        """Create what is missing.

        Customer data is for the owner of the home alone; publications and validation
        reports hold none and may be read by others.

        Raises:
            ConfigurationError: the home is a file, cannot be written, or its path holds
                characters that SQL or a file pattern would read as something else.
        """
        special = sorted(set(str(self.root)) & SPECIAL_CHARACTERS)
        if special:
            raise ConfigurationError(
                f"The home {self.root} cannot be used: its path holds {' '.join(special)}. "
                "Choose a folder whose path has none of these."
            )
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            for place in (self.lake, self.dbt, self.dagster, self.temporary):
                place.mkdir(mode=0o700, exist_ok=True)
            for place in (self.published, self.audit):
                place.mkdir(exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The home {self.root} cannot be used: {error.strerror}. "
                "Choose a folder you may write to with --home or TIERWISE_HOME."
            ) from error
