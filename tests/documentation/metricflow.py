"""MetricFlow asked by its own command line, on a publication, as docs/bi.md says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

from orchestration.warehouse.project import PROJECT_DIR, REPOSITORY, dbt_executable
from tests.support.command import clean_environment

# Starting `mf` takes longer than its answers: one process gives all of its commands.
COMMANDS = """
import json, sys
from dbt_metricflow.cli.main import cli
for arguments in json.loads(sys.argv[1]):
    cli.main(args=arguments, prog_name="mf", standalone_mode=False)
"""


def project_beside(folder: Path) -> Path:
    """A dbt project of the test's own, so that nothing is written into the repository.

    MetricFlow reads its manifest from the folder target in the project.
    """
    project = folder / PROJECT_DIR.name
    project.mkdir()
    for path in PROJECT_DIR.iterdir():
        if path.name not in ("target", "logs"):
            (project / path.name).symlink_to(path)
    (folder / "seeds").symlink_to(REPOSITORY / "seeds")
    return project


def ask(home: Path, project: Path, queries: dict[str, str]) -> dict[str, pd.DataFrame]:
    """The answers to queries, given as the arguments of `mf query`."""
    environment = clean_environment()
    environment |= {"TIERWISE_HOME": str(home), "DBT_TARGET": "publication"}
    files = {name: project / f"{name}.csv" for name in queries}
    commands = [
        ["query", *arguments.split(), "--csv", str(files[name])]
        for name, arguments in queries.items()
    ]
    for command in (
        [dbt_executable(), "--quiet", "parse"],
        [sys.executable, "-c", COMMANDS, json.dumps(commands)],
    ):
        outcome = subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return {name: pd.read_csv(file) for name, file in files.items()}
