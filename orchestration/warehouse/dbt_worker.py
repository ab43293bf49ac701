"""dbt in a process of its own that makes ready first and is told afterwards what to do.

dbt spends seconds on its imports and on reading the project. A run starts this process while
it is still loading, and writes the arguments of the dbt command, a JSON list in one line, to
its standard input when it needs them. Events from `info` upwards leave on standard output as
lines of JSON, as `dbt --log-format json` writes them, and in dbt.log as text; the thousands of
debug events are not written, which is a quarter of dbt's own work. If the run ends first, the
input ends, and so does this process.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# The project's manifest is written when it is parsed, the results of a command at its end.
QUIET = ("--log-level", "none", "--log-level-file", "none", "--no-write-json")
RUN_RESULTS = "run_results.json"
PYTHON_MODEL_LIBRARIES = ("pandas", "sklearn.linear_model")
LOG_NAME = "dbt.log"
LOG_BYTES = 10 * 1024 * 1024
LOG_BACKUPS = 5


def main() -> int:
    """Make ready, wait for the arguments, run them.

    Returns:
        Exit code as dbt's: 0 done, 1 something failed, 2 dbt itself could not work.
    """
    manifest = _read_project()
    _import_what_models_need()
    # The project stays to the end: the collector need not go through it again and again.
    gc.freeze()
    line = sys.stdin.readline()
    if not line:
        return 0
    return _run(json.loads(line), manifest)


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
        sys.stdout.write(json.dumps(msg_to_dict(event), default=str) + "\n")
        sys.stdout.flush()

    outcome = dbtRunner(manifest=manifest, callbacks=[tell]).invoke([*QUIET, *arguments])
    if isinstance(outcome.result, RunExecutionResult):
        outcome.result.write(str(Path(os.environ["DBT_TARGET_PATH"]) / RUN_RESULTS))
    if outcome.exception is not None:
        log.error("%s", outcome.exception)
        print(outcome.exception, flush=True)
        return 2
    return 0 if outcome.success else 1


if __name__ == "__main__":
    sys.exit(main())
