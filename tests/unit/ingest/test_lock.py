"""One run per home: the second is refused with the holder's name, a dead one is no obstacle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.errors import HomeLockedError
from orchestration.ingest.lock import HomeLock

HOLD = """
import sys
from pathlib import Path
from orchestration.ingest.lock import HomeLock
with HomeLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_second_holder_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        said = json.loads((tmp_path / "run.lock").read_text())
        with pytest.raises(HomeLockedError) as caught, HomeLock(tmp_path):
            pass
        assert caught.value.exit_code == 3
        assert f"process {holder.pid} on {said['host']}" in str(caught.value)
        assert said["started_at"] in str(caught.value)
        holder.kill()
    with HomeLock(tmp_path):
        assert json.loads((tmp_path / "run.lock").read_text())["pid"] == os.getpid()


def test_lock_is_free_again_afterwards_and_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), HomeLock(tmp_path / "new" / "home"):
        raise ZeroDivisionError
    with HomeLock(tmp_path / "new" / "home"):
        pass
