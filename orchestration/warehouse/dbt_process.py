"""The process of the next dbt command; it can be started before there is one to run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

from orchestration.warehouse.project import PROJECT_DIR


class WaitingDbt:
    """A `dbt_worker` that waits to be told what to do; started when it is first wanted.

    It takes the environment, and so the home, of the moment in which it is started.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def make_ready(self) -> None:
        """Start the process, if none waits."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "orchestration.warehouse.dbt_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_DIR,
            )

    def run(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """Let the process run a dbt command, and leave it to the caller."""
        self.make_ready()
        process, self._process = self._process, None
        assert process is not None
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin as told:  # it says itself why it ended
            told.write(json.dumps(list(arguments)).encode() + b"\n")
        return process

    def close(self) -> None:
        """End a process that was made ready and not needed."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
