"""Servers of a test's own: S3 (moto) and SFTP (asyncssh) on 127.0.0.1."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import asyncssh
import boto3
from moto.server import ThreadedMotoServer

SECRET = "geheimer-schluessel"
BUCKET = "deliveries"


@dataclass(frozen=True)
class S3Server:
    """An S3 server with one bucket; `environment` is what its users have to set."""

    environment: dict[str, str]

    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="operator",
            aws_secret_access_key=SECRET,
        )

    def put(self, key: str, content: bytes) -> None:
        self.client().put_object(Bucket=BUCKET, Key=key, Body=content)

    def put_folder(self, folder: Path, prefix: str) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def content(self) -> dict[str, bytes]:
        client = self.client()
        keys = [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET)["Contents"]]
        return {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Starts an S3 server with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        started = S3Server(
            {
                "AWS_ENDPOINT_URL": f"http://{host}:{port}",
                "AWS_ACCESS_KEY_ID": "operator",
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_DEFAULT_REGION": "us-east-1",
            }
        )
        # Its state belongs to the process and outlives the server.
        reset = Request(f"{started.environment['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")
        with urlopen(reset):
            started.client().create_bucket(Bucket=BUCKET)
        yield started
    finally:
        server.stop()


@dataclass(frozen=True)
class SftpServer:
    """An SFTP server that shows `folder` as its root to whoever has the key in `user_home`."""

    port: int
    folder: Path
    user_home: Path

    def address(self, path: str) -> str:
        return f"sftp://operator@127.0.0.1:{self.port}{path}"


class _PasswordServer(asyncssh.SSHServer):
    """Takes the password besides the key."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("operator", SECRET)


@contextmanager
def sftp_server(folder: Path) -> Iterator[SftpServer]:
    """Starts an SFTP server; a user with HOME = `user_home` knows it and is known to it."""
    root, user_home = folder / "served", folder / "user"
    (user_home / ".ssh").mkdir(parents=True)
    root.mkdir()
    host_key, user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    user_key.write_private_key(user_home / ".ssh" / "id_ed25519")
    public = user_key.export_public_key().decode()
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_PasswordServer,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(public),
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=os.fsencode(root)),
        )

    async def stop(server: Any) -> None:
        server.close()
        await server.wait_closed()

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=30)
    try:
        port = server.get_port()
        known = f"[127.0.0.1]:{port} {host_key.export_public_key().decode()}"
        (user_home / ".ssh" / "known_hosts").write_text(known)
        yield SftpServer(port, root, user_home)
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=30)
