"""The process that runs dbt's commands; it can be started before there is one to run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Thread
from types import TracebackType

from orchestration.warehouse.dbt_worker import ENDED
from orchestration.warehouse.project import PROJECT_DIR

# How the worker's own line begins; all others are the command's.
MARK = f'{{"{ENDED}": '.encode()


class WaitingDbt:
    """A `dbt_worker` that waits to be told what to do; started when it is first wanted.

    It takes the environment, and so the home, of the moment in which it is started.
    """

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None

    def make_ready(self) -> None:
        """Start the process, if none waits."""
        if self._worker is None or self._worker.poll() is not None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "orchestration.warehouse.dbt_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=PROJECT_DIR,
                process_group=0,  # of its own, so that `close` reaches what it started
            )

    def run(self, arguments: Sequence[str]) -> DbtCommand:
        """Let the process run a dbt command; the one before it must have ended."""
        self.make_ready()
        assert self._worker is not None
        return DbtCommand(self._worker, arguments)

    def close(self) -> None:
        """End the process, and a command that still works."""
        if self._worker is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._worker.pid, signal.SIGKILL)
            self._worker.communicate()
            self._worker = None


class DbtCommand:
    """A dbt command at work in a child of a worker.

    It can be used as the `subprocess.Popen` of a command: its `stdout`, which is the command
    itself, gives the lines of what it prints, and it has ended when they have.
    """

    def __init__(self, worker: subprocess.Popen[bytes], arguments: Sequence[str]) -> None:
        self.args = list(arguments)
        self.returncode: int | None = None
        self.closed = False
        self._worker = worker
        self._rest: Thread | None = None
        assert worker.stdin is not None
        with suppress(BrokenPipeError):  # the worker's last lines say why it ended
            worker.stdin.write(json.dumps(self.args).encode() + b"\n")
            worker.stdin.flush()

    @property
    def stdout(self) -> DbtCommand:
        """Where the lines come from."""
        return self

    def __enter__(self) -> DbtCommand:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closed = True

    def __iter__(self) -> Iterator[bytes]:
        """The lines that the command prints, until it ends or its worker does."""
        assert self._worker.stdout is not None
        for line in self._worker.stdout:
            if line.startswith(MARK):
                self.returncode = json.loads(line)[ENDED]
                return
            if line.strip():  # an empty one only ends half a line
                yield line
        self.returncode = self._worker.wait()

    def wait(self, timeout: float | None = None) -> int:
        """Drop what the command still prints until it has ended; its exit code.

        Raises:
            subprocess.TimeoutExpired: it has not ended within so many seconds.
        """
        if self.returncode is None:
            if self._rest is None:
                self._rest = Thread(target=deque, args=(self, 0), daemon=True)
                self._rest.start()
            self._rest.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the command, and to its worker, which may still make ready for it."""
        with suppress(ProcessLookupError):  # both have ended
            os.killpg(self._worker.pid, number)
