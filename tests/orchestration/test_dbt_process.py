"""The process of the next dbt command: started early, told once, never left behind."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestration.warehouse import dbt_process
from orchestration.warehouse.dbt_process import WaitingDbt

TELLS_BACK = "import sys; print(sys.stdin.readline().strip())"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes started, which stand for dbt and say what they were told."""
    processes: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def stand_in(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        assert command == [sys.executable, "-m", "orchestration.warehouse.dbt_worker"]
        processes.append(start([sys.executable, "-c", TELLS_BACK], **options))  # type: ignore[call-overload]
        return processes[-1]

    monkeypatch.setattr(dbt_process.subprocess, "Popen", stand_in)
    return processes


def said(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    with process.stdout as output:
        text = output.read()
    assert process.wait() == 0
    return text


def test_the_process_that_waits_runs_the_next_command(
    started: list[subprocess.Popen[bytes]],
) -> None:
    dbt = WaitingDbt()
    dbt.make_ready()
    dbt.make_ready()
    process = dbt.run(["build", "--select", "fqn:*"])
    assert [process] == started
    assert said(process) == b'["build", "--select", "fqn:*"]\n'


def test_without_one_that_waits_a_command_starts_its_own(
    started: list[subprocess.Popen[bytes]],
) -> None:
    dbt = WaitingDbt()
    first, second = dbt.run(["list"]), dbt.run(["parse"])
    assert [first, second] == started
    assert (said(first), said(second)) == (b'["list"]\n', b'["parse"]\n')


def test_a_process_that_is_not_needed_is_ended(started: list[subprocess.Popen[bytes]]) -> None:
    dbt = WaitingDbt()
    dbt.make_ready()
    dbt.close()
    dbt.close()
    (process,) = started
    assert process.returncode is not None
