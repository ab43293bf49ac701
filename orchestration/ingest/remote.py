"""A remote landing area (s3://, sftp://): what is there, and its files fetched on demand."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from orchestration.errors import ConfigurationError, DataBlockedError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

CONNECT_SECONDS = 10
S3_ATTEMPTS = 3
PASSWORD_VARIABLE = "TIERWISE_SFTP_PASSWORD"  # noqa: S105
LONGEST_NAME = 200  # bytes; file systems take 255, and a name being fetched is longer


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a remote landing area. `name` is its path below the area.

    Another `stamp` means another content.
    """

    name: str
    path: str
    size: int
    modified: datetime
    stamp: str
    is_link: bool = False


class RemoteLanding:
    """A remote landing area, read and never written to. Made by `open_remote`."""

    def __init__(self, address: str, root: str, system: AbstractFileSystem) -> None:
        self.address = address
        self._root = root
        self._system = system

    def files(self) -> dict[str, RemoteFile]:
        """Every file, by name; hidden ones are left alone.

        Raises:
            ConfigurationError: the place is not there, or may not be read.
            DataBlockedError: a name that cannot be a file's name here.
        """
        with _faults_told(self.address):
            if not self._system.isdir(self._root):
                raise FileNotFoundError
            found = self._system.find(self._root, detail=True)
            described = [self._described(path, info) for path, info in found.items()]
        return {file.name: file for file in described if file and not _is_hidden(file.name)}

    def fetch(self, file: RemoteFile, target: Path) -> None:
        """Copies a file; `target` is whole or not there.

        Raises DataBlockedError if the file changed meanwhile.
        """
        unfinished = target.with_name(f".{target.name}.tmp")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with _faults_told(f"{self.address}/{file.name}"):
                self._copy(file, unfinished)
            if unfinished.stat().st_size != file.size:
                raise DataBlockedError(
                    f"{self.address}/{file.name} changed while it was fetched. Deliver it "
                    "whole, then run again."
                )
            seconds = file.modified.timestamp()
            os.utime(unfinished, (seconds, seconds))
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)

    def _copy(self, file: RemoteFile, target: Path) -> None:
        if not file.is_link:
            self._system.get_file(file.path, str(target))
            return
        # Copied as a file it would be a link here, to whatever lies at its target.
        with self._system.open(file.path, "rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)

    def _described(self, path: str, info: Mapping[str, Any]) -> RemoteFile | None:
        is_link = info["type"] == "link"
        if is_link:
            info = self._system.info(path)
        if info["type"] != "file" or path.endswith("/"):
            return None
        name = path.removeprefix(self._root).lstrip("/")
        _require_plain(self.address, name)
        modified: datetime = info.get("LastModified") or info["mtime"]
        stamp = f"{info.get('ETag', '')} {modified.isoformat()} {info['size']}"
        return RemoteFile(name, path, info["size"], modified, stamp, is_link)


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(name).parts)


def _require_plain(address: str, name: str) -> None:
    """Raises DataBlockedError for a name that would lead out of the cache, or into trouble."""
    for part in name.split("/"):
        if part in ("", ".", "..") or "\0" in part or len(os.fsencode(part)) > LONGEST_NAME:
            shown = name.encode("unicode_escape").decode()[:LONGEST_NAME]
            raise DataBlockedError(
                f"{address} holds '{shown}', a name that no file can have here. Deliver it "
                "under another name."
            )


@contextmanager
def open_remote(address: str) -> Iterator[RemoteLanding]:
    """Opens a remote landing area, with the credentials of the environment.

    Raises ConfigurationError if the address cannot be used or reached.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("s3", "sftp"):
        raise ConfigurationError(
            f"The landing address begins with {parts.scheme}://; known are s3://bucket/prefix "
            "and sftp://user@host/path."
        )
    if parts.password is not None:
        raise ConfigurationError(
            "The landing address holds a password. Leave it out: use a key, or set "
            f"{PASSWORD_VARIABLE} for SFTP and the AWS_ variables for S3."
        )
    if not parts.netloc:
        raise ConfigurationError(f"The landing address {address} names no host or bucket.")
    address = address.rstrip("/")
    with _faults_told(address):
        system, root = _s3(parts) if parts.scheme == "s3" else _sftp(parts)
    yield RemoteLanding(address, root, system)


def _s3(parts: SplitResult) -> tuple[AbstractFileSystem, str]:
    """Keys, region and endpoint come from the AWS_ variables or ~/.aws."""
    from s3fs import S3FileSystem

    system = S3FileSystem(
        skip_instance_cache=True,
        use_listings_cache=False,
        config_kwargs={
            "connect_timeout": CONNECT_SECONDS,
            "retries": {"max_attempts": S3_ATTEMPTS},
        },
    )
    system.retries = 1  # the client below retries already
    return system, f"{parts.netloc}/{unquote(parts.path).strip('/')}".rstrip("/")


def _sftp(parts: SplitResult) -> tuple[AbstractFileSystem, str]:
    """Keys come from the agent or ~/.ssh; the host must stand in ~/.ssh/known_hosts."""
    from sshfs import SSHFileSystem

    login: dict[str, Any] = {"username": parts.username, "port": parts.port}
    login["password"] = os.environ.get(PASSWORD_VARIABLE)
    system = SSHFileSystem(
        parts.hostname,
        known_hosts=(),  # the usual ones; without this word sshfs trusts any host
        connect_timeout=CONNECT_SECONDS,
        login_timeout=CONNECT_SECONDS,
        skip_instance_cache=True,
        **{key: value for key, value in login.items() if value is not None},
    )
    return system, unquote(parts.path).rstrip("/") or "/"


@contextmanager
def _faults_told(place: str) -> Iterator[None]:
    """Turns a fault of the connection into one line."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{place} needs the package {error.name}: pip install 'tierwise[remote]'."
        ) from None
    except FileNotFoundError:
        raise ConfigurationError(f"{place} is not there. Check --landing.") from None
    except Exception as error:
        if not isinstance(error, _connection_faults()):
            raise
        raise ConfigurationError(f"{place} cannot be read: {_reason(error)}.") from None


def _connection_faults() -> tuple[type[BaseException], ...]:
    """What the libraries in use raise; those not imported raise nothing."""
    import sys

    kinds: list[type[BaseException]] = [OSError]
    for module, name in (("botocore.exceptions", "BotoCoreError"), ("asyncssh", "Error")):
        if module in sys.modules:
            kinds.append(getattr(sys.modules[module], name))
    return tuple(kinds)


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError) and not str(error):
        return "permission denied"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
