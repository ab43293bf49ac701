"""The dbt project on disk: where it lies, its environment, and a manifest that is current."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestration import __version__
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.settings import engine_limit

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT_DIR = REPOSITORY / "dbt_project"
REFERENCE_DEFAULTS = REPOSITORY / "seeds" / "reference"
_SOURCE_FOLDERS = ("dbt_project", "expectations", "orchestration", "seeds/reference")
_SOURCE_SUFFIXES = {".csv", ".lock", ".py", ".sql", ".yml"}
_GENERATED_FOLDERS = {"__pycache__", "logs", "target"}


def dbt_executable() -> str:
    """Path of the dbt command that belongs to this Python environment."""
    return str(Path(sys.executable).with_name("dbt"))


def dbt_environment(home: Home, memory_limit: str) -> dict[str, str]:
    """The environment variables dbt_project.yml, profiles.yml and the sources read."""
    return {
        "TIERWISE_HOME": str(home.root),
        "TIERWISE_REFERENCE_SET": str(home.reference),
        "TIERWISE_MEMORY_LIMIT": memory_limit,
        "TIERWISE_DBT_MEMORY_LIMIT": engine_limit(memory_limit),
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "DBT_TARGET_PATH": str(home.dbt),
        "DBT_LOG_PATH": str(home.dbt),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }


def _source_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SOURCE_SUFFIXES and not _GENERATED_FOLDERS & set(path.parts):
            yield path


def _hash_of(paths: Iterator[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path.relative_to(REPOSITORY)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def code_version() -> str:
    """Version and hash of the source: equal exactly when the code is equal."""
    paths = (path for folder in _SOURCE_FOLDERS for path in _source_files(REPOSITORY / folder))
    return f"{__version__}+{_hash_of(paths)[:12]}"


def ensure_manifest(home: Home, memory_limit: str) -> Path:
    """Path of the manifest of this home, parsed anew when the project has changed.

    Raises:
        ConfigurationError: dbt cannot parse the project; the message is dbt's own.
    """
    manifest = home.dbt / "manifest.json"
    mark = home.dbt / "project.sha256"
    fingerprint = _hash_of(_source_files(PROJECT_DIR)) + str(home.root)
    if manifest.exists() and mark.exists() and mark.read_text() == fingerprint:
        return manifest
    _parse(dbt_environment(home, memory_limit))
    mark.write_text(fingerprint)
    return manifest


def _parse(environment: Mapping[str, str]) -> None:
    outcome = subprocess.run(
        [dbt_executable(), "--quiet", "parse", "--project-dir", str(PROJECT_DIR)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise ConfigurationError(
            "dbt cannot parse the project; mend the file it names and run again:\n"
            + (outcome.stdout + outcome.stderr).strip()
        )
