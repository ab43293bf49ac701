"""A PostgreSQL server of a test's own: from the system's package, in a scratch folder."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

BESIDE_THE_PATH = "/usr/lib/postgresql/*/bin"
USERS = ("postgres", "nobody")
PASSWORD = "s3cr3t-Kennwort"


@dataclass(frozen=True)
class PostgresServer:
    """A running server on 127.0.0.1 that asks for a password."""

    port: int

    @property
    def dsn(self) -> str:
        return f"postgresql://tierwise:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


def server_programs() -> Path | None:
    """The folder of initdb and pg_ctl, if PostgreSQL is installed."""
    for pattern in (os.environ.get("POSTGRES_BIN", ""), BESIDE_THE_PATH):
        if pattern:
            folders = [p for p in Path("/").glob(pattern.lstrip("/")) if (p / "initdb").exists()]
            if folders:
                return max(folders, key=lambda p: p.parent.name)
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Starts a server, as another user where this one is root, whom PostgreSQL refuses."""
    programs = server_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="tierwise-postgres-"))
    user = _user()
    if user:
        shutil.chown(folder, user=user)
    data, secret = folder / "data", folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    port = _free_port()

    def run(program: str, *arguments: str) -> None:
        outcome = subprocess.run(
            [programs / program, "-D", data, *arguments],
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=(folder / "out.log").open("a"),
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert outcome.returncode == 0, (folder / "out.log").read_text()

    try:
        account = ("-U", "tierwise", "-A", "scram-sha-256", f"--pwfile={secret}")
        run("initdb", *account, "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-o", options, "-l", str(folder / "server.log"), "-w", "start")
        try:
            yield PostgresServer(port)
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    """Who runs the server, where this user may not."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(user for user in USERS if user in known)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
