"""A MariaDB server of a test's own: from the system's package, in a scratch folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

BESIDE_THE_PATH = "/usr/sbin:/usr/libexec"
PASSWORD = "s3cr3t-Kennwort"
SECONDS_TO_START = 60


@dataclass(frozen=True)
class MariadbServer:
    """A running server on 127.0.0.1 that asks for a password; its schema is `billing`."""

    port: int
    socket: Path

    @property
    def dsn(self) -> str:
        return f"mysql://tierwise:{PASSWORD}@127.0.0.1:{self.port}/billing"

    def execute(self, *statements: str) -> None:
        """As the server's own administrator."""
        administrator = {"user": "root", "unix_socket": str(self.socket), "charset": "utf8mb4"}
        with pymysql.connect(**administrator, autocommit=True) as connection:
            for statement in statements:
                connection.cursor().execute(statement)


def server_program(name: str) -> str | None:
    """Where a program of the server is, if MariaDB is installed."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{BESIDE_THE_PATH}")


def is_installed() -> bool:
    """Whether a server can be started."""
    return all(server_program(name) for name in ("mariadbd", "mariadb-install-db"))


@contextmanager
def mariadb_server() -> Iterator[MariadbServer]:
    """Starts a server as this user; one that is root has to be named to it."""
    folder = Path(tempfile.mkdtemp(prefix="tierwise-mariadb-"))
    own = (f"--datadir={folder / 'data'}", f"--user={pwd.getpwuid(os.geteuid()).pw_name}")
    server = MariadbServer(_free_port(), folder / "socket")
    try:
        with (folder / "out.log").open("w") as log:
            subprocess.run(
                [
                    server_program("mariadb-install-db") or "",
                    "--no-defaults",
                    *own,
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=True,
            )
            running = subprocess.Popen(
                [
                    server_program("mariadbd") or "",
                    "--no-defaults",
                    *own,
                    f"--socket={server.socket}",
                    f"--port={server.port}",
                    f"--pid-file={folder / 'pid'}",
                    "--bind-address=127.0.0.1",
                    "--character-set-server=utf8mb4",
                    "--innodb-flush-log-at-trx-commit=0",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            _await(server, running, folder / "out.log")
            server.execute(
                "create database billing",
                f"create user tierwise@'127.0.0.1' identified by '{PASSWORD}'",
                "grant select on billing.* to tierwise@'127.0.0.1'",
            )
            yield server
        finally:
            running.kill()  # nothing in it is to last
            running.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: MariadbServer, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            server.execute("select 1")
            return
        except pymysql.OperationalError:
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
