"""One run per home: a lock that names its holder and dies with it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from orchestration.errors import HomeLockedError
from orchestration.ingest.lake import make_folder


class HomeLock:
    """Holds `<home>/run.lock` while open; the system frees it when the process ends.

    Raises HomeLockedError, naming the holder's process and start, if another run
    holds it.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "run.lock"
        self._stream: IO[str] | None = None

    def __enter__(self) -> Self:
        make_folder(self.path.parent)
        stream = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = _described(stream.read())
            stream.close()
            raise HomeLockedError(
                f"Another run holds {self.path.parent}: {holder}. Wait until it has "
                "ended, or give another --home."
            ) from None
        stream.truncate(0)
        json.dump(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            },
            stream,
        )
        stream.flush()
        self._stream = stream
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.truncate(0)
            self._stream.close()
            self._stream = None


def _described(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} on {holder['host']}, since {holder['started_at']}"
    except (ValueError, KeyError, TypeError):
        return "a process that has just started"
