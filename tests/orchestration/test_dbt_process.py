"""The process that runs dbt's commands: started early, serves them all, never left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Thread

import pytest

from orchestration.warehouse import dbt_process
from orchestration.warehouse.dbt_process import DbtCommand, WaitingDbt

# The worker as it is, where SIGINT is ignored, with a dbt that prints its arguments and ends with
# the last of them.
WORKER = """
import os, signal, sys, time
from orchestration.warehouse import dbt_worker

def run(arguments, project):
    print(project, *arguments, flush=True)
    if arguments[0] == "killed":
        print("half a line", end="", flush=True)
        os.kill(os.getpid(), 9)
    if arguments[0] == "long":
        time.sleep(600)
    return int(arguments[1])

signal.signal(signal.SIGINT, signal.SIG_IGN)
dbt_worker._read_project = lambda: "project"
dbt_worker._import_what_models_need = lambda: None
dbt_worker._run = run
dbt_worker.CAN_FORK = {can_fork}
sys.exit(dbt_worker.main())
"""
Started = list["subprocess.Popen[bytes]"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Started]:
    """Lets a program stand for the worker; gives the list of those that are started."""
    start = subprocess.Popen

    def stand_in(program: str) -> Started:
        processes: Started = []

        def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
            assert command == [sys.executable, "-m", "orchestration.warehouse.dbt_worker"]
            processes.append(start([sys.executable, "-c", program], **options))  # type: ignore[call-overload]
            return processes[-1]

        monkeypatch.setattr(dbt_process.subprocess, "Popen", popen)
        return processes

    return stand_in


@pytest.fixture
def dbt() -> Iterator[WaitingDbt]:
    with closing(WaitingDbt()) as waiting:
        yield waiting


def said(command: DbtCommand) -> list[str]:
    """The lines of a command, to its end."""
    with command.stdout as output:
        return [line.decode().strip() for line in output]


@pytest.mark.parametrize("can_fork", [True, False])
def test_commands_run_one_after_the_other(
    dbt: WaitingDbt, started: Callable[[str], Started], can_fork: bool
) -> None:
    workers = started(WORKER.format(can_fork=can_fork))
    dbt.make_ready()
    dbt.make_ready()
    for arguments in (["build", "0"], ["test", "1"]):
        command = dbt.run(arguments)
        assert not command.closed
        assert said(command) == [f"project {' '.join(arguments)}"]
        assert (command.closed, command.wait()) == (True, int(arguments[1]))
        assert command.args == arguments
    assert len(workers) == (1 if can_fork else 2)


def test_a_command_that_is_killed_is_told_and_the_next_one_runs(
    dbt: WaitingDbt, started: Callable[[str], Started]
) -> None:
    workers = started(WORKER.format(can_fork=True))
    killed = dbt.run(["killed", "0"])
    assert said(killed) == ["project killed 0", "half a line"]
    assert killed.wait() == -signal.SIGKILL
    assert said(dbt.run(["build", "0"])) == ["project build 0"]
    assert len(workers) == 1


def test_a_worker_that_cannot_begin_is_the_command_that_fails(
    dbt: WaitingDbt, started: Callable[[str], Started]
) -> None:
    workers = started("import sys; print('no project'); sys.exit(2)")
    dbt.make_ready()
    workers[0].wait()
    command = dbt.run(["build", "0"])
    assert (said(command), command.wait()) == (["no project"], 2)


def test_a_command_is_interrupted(dbt: WaitingDbt, started: Callable[[str], Started]) -> None:
    started(WORKER.format(can_fork=True))
    command = dbt.run(["long", "0"])
    assert next(iter(command)) == b"project long 0\n"
    with pytest.raises(subprocess.TimeoutExpired):
        command.wait(timeout=0.1)
    command.send_signal(signal.SIGINT)
    assert command.wait(timeout=60) == -signal.SIGINT


def test_a_command_is_interrupted_before_it_begins(
    dbt: WaitingDbt, started: Callable[[str], Started]
) -> None:
    slow = 'lambda: (print("making ready", flush=True), time.sleep(600))'
    started(WORKER.format(can_fork=True).replace('lambda: "project"', slow))
    command = dbt.run(["build", "0"])
    assert next(iter(command)) == b"making ready\n"
    command.send_signal(signal.SIGINT)
    assert command.wait(timeout=60) == -signal.SIGINT


def test_what_still_works_is_ended_with_its_worker(
    dbt: WaitingDbt, started: Callable[[str], Started]
) -> None:
    started(WORKER.format(can_fork=True))
    lines = iter(dbt.run(["long", "0"]))
    assert next(lines) == b"project long 0\n"
    closing_it = Thread(target=dbt.close, daemon=True)
    closing_it.start()
    closing_it.join(timeout=60)  # it waits for everyone who could still write
    assert not closing_it.is_alive()


def test_what_still_works_ends_when_the_run_is_gone() -> None:
    program = [sys.executable, "-c", WORKER.format(can_fork=True)]
    worker = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with worker:
        command = DbtCommand(worker, ["long", "0"])
        assert next(iter(command)) == b"project long 0\n"
        assert worker.stdin is not None
        worker.stdin.close()
        assert command.wait(timeout=60) == 2
        assert worker.wait(timeout=60) == 0


def test_nothing_to_close_is_no_error() -> None:
    dbt = WaitingDbt()
    dbt.close()
    dbt.close()
