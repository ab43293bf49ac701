"""dbt's docs as one page that needs no network and names no path of the machine."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.publish.current import read_publication
from orchestration.settings import Settings
from orchestration.warehouse.project import (
    PROJECT_DIR,
    REPOSITORY,
    dbt_environment,
    dbt_executable,
)

READERS_TARGET = "publication"
# The page carries all it shows; a browser is told to fetch nothing, so that dbt's own
# visitor statistics stay silent whatever the settings.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    'img-src data:; font-src data:">'
)


def write_site(home: Home, settings: Settings, out: Path | None = None) -> Path:
    """Write the site of the current publication: models, columns, lineage, exposures.

    dbt opens the publication read-only, so that this never meets a run.

    Args:
        home: the home that is published in.
        settings: the settings of the home.
        out: the file to write; without it docs/index.html in the home.

    Raises:
        ConfigurationError: nothing is published, dbt cannot make its docs, or the file
            cannot be written.
    """
    read_publication(home)
    out = out or home.root / "docs" / "index.html"
    with tempfile.TemporaryDirectory(dir=home.temporary) as folder:
        page = _generated(home, settings, Path(folder))
        hidden = _without_paths(page, home, Path(folder))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(hidden.replace("<head>", f"<head>{_POLICY}", 1), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"The docs cannot be written to {out}: {error.strerror}."
        ) from error
    return out


def _generated(home: Home, settings: Settings, target: Path) -> str:
    command = ("docs", "generate", "--static", "--target", READERS_TARGET)
    environment = dbt_environment(home, settings.memory_limit)
    environment |= {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)}
    outcome = subprocess.run(
        [dbt_executable(), "--quiet", *command, "--project-dir", str(PROJECT_DIR)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise ConfigurationError(
            "dbt cannot make its docs:\n" + (outcome.stdout + outcome.stderr).strip()
        )
    return (target / "static_index.html").read_text(encoding="utf-8")


def _without_paths(page: str, home: Home, target: Path) -> str:
    """The page with every folder of this machine replaced by its role, the innermost first."""
    names = {
        target: "target",
        home.reference: "reference",
        home.root: "home",
        PROJECT_DIR: "dbt_project",
        REPOSITORY: ".",
    }
    for path in sorted(names, key=lambda path: len(str(path)), reverse=True):
        for spelling in (str(path), json.dumps(str(path))[1:-1]):
            page = page.replace(spelling, names[path])
    return page
