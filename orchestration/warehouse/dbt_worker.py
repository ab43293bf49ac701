"""dbt in a process of its own that makes ready first and is told afterwards what to do.

dbt spends seconds on its imports and on reading the project. A run starts this process while
it is still loading, and writes the arguments of each dbt command, a JSON list in one line, to
its standard input. The command works in a child of this process, so the next one finds it as
ready as the first did, and what a command opened or holds in memory goes with the child.

Events from `info` upwards leave on standard output as lines of JSON, as `dbt --log-format json`
writes them, and in dbt.log as text; the thousands of debug events are not written, which is a
quarter of dbt's own work. After them stands a line with the command's exit code (ENDED). When
the input ends, so does this process.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# The project's manifest is written when it is parsed, the results of a command at its end.
QUIET = ("--log-level", "none", "--log-level-file", "none", "--no-write-json")
RUN_RESULTS = "run_results.json"
PYTHON_MODEL_LIBRARIES = ("pandas", "sklearn.linear_model")
LOG_NAME = "dbt.log"
LOG_BYTES = 10 * 1024 * 1024
LOG_BACKUPS = 5
ENDED = "dbt_worker_ended"
# The system's libraries there may not be used in a child that was not started anew.
CAN_FORK = sys.platform != "darwin"


def main() -> int:
    """Make ready, then wait for commands and run them until the input ends."""
    # What is started in the background ignores it; a run that is stopped stops dbt by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    manifest = _read_project()
    _import_what_models_need()
    # The project stays to the end: the collector need not go through it again and again.
    gc.freeze()
    while line := sys.stdin.readline():
        child = os.fork() if CAN_FORK else 0
        if not child:
            _work(json.loads(line), manifest)
        _, status = os.waitpid(child, 0)
        _write(b"\n")  # ends the half of a line that a killed child may leave
        _tell({ENDED: os.waitstatus_to_exitcode(status)})
    return 0


def _work(arguments: Sequence[str], manifest: Manifest | None) -> NoReturn:
    """Run a command and end this process.

    Its exit code is dbt's: 0 done, 1 something failed, 2 dbt itself could not work. It ends
    at once: libraries whose threads stayed with the parent cannot be taken down in a child.
    """
    code = 2
    Thread(target=_end_with_the_run, daemon=True).start()
    try:
        code = _run(arguments, manifest)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):  # as in `_write`
            sys.stdout.flush()
        os._exit(code)


def _end_with_the_run() -> None:
    """End this process when the input does: the run was killed, and the next one is to build."""
    if not os.read(sys.stdin.fileno(), 1):
        os._exit(2)


def _tell(event: Any) -> None:
    """Write a line of JSON."""
    _write(json.dumps(event, default=str).encode() + b"\n")


def _write(line: bytes) -> None:
    """Write a line whole: dbt's threads tell at once, and only what writes bytes has a lock.

    An error would end the thread and leave dbt waiting for it. With nobody there to read, this
    process has nothing left to do.
    """
    try:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except OSError:
        os._exit(2)


def _read_project() -> Manifest | None:
    """The project as dbt last parsed it; none if dbt must say itself what is wrong with it."""
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    parsed = dbtRunner().invoke([*QUIET, "parse"]).result
    return parsed if isinstance(parsed, Manifest) else None


def _import_what_models_need() -> None:
    """The libraries of the Python models: dbt would import them while other models wait."""
    for name in PYTHON_MODEL_LIBRARIES:
        import_module(name)


def _run(arguments: Sequence[str], manifest: Manifest | None) -> int:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import msg_to_dict

    handler = RotatingFileHandler(
        Path(os.environ["DBT_LOG_PATH"]) / LOG_NAME,
        maxBytes=LOG_BYTES,
        backupCount=LOG_BACKUPS,
        encoding="utf-8",
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger(__name__)
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)

    def tell(event: Any) -> None:
        if event.info.level == "debug":
            return
        log.info("[%s] %s", event.info.level, event.info.msg)
        _tell(msg_to_dict(event))

    outcome = dbtRunner(manifest=manifest, callbacks=[tell]).invoke([*QUIET, *arguments])
    # dbt leaves this to the end of the process: what was written is put into the file here.
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    if isinstance(outcome.result, RunExecutionResult):
        outcome.result.write(str(Path(os.environ["DBT_TARGET_PATH"]) / RUN_RESULTS))
    if outcome.exception is not None:
        log.error("%s", outcome.exception)
        print(outcome.exception, flush=True)
        return 2
    return 0 if outcome.success else 1


if __name__ == "__main__":
    sys.exit(main())
