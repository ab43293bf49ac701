"""A delivered file's bytes: their hash, what they unpack to, what is seen of a text in passing."""

from __future__ import annotations

import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from orchestration.ingest.fragile_numbers import FragileNumbers

CHUNK = 1 << 20
GZIP = 16 + zlib.MAX_WBITS


class FileRefusedError(Exception):
    """A file is refused whole; its message says why, in words for the ledger."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of a text while it is read for another reason.

    `lines` is None where lines cannot be counted without parsing (quotes, mixed line ends).
    `has_fragile_numbers` is asked of JSON alone (see fragile_numbers).
    """

    head: bytes
    lines: int | None
    has_fragile_numbers: bool


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a file was when it was read. `seen` is None for one that is packed, or Parquet."""

    sha256: str
    size: int
    delivered_at: datetime
    changed: tuple[int, ...]
    seen: Seen | None


@dataclass(slots=True)
class Passing:
    """Watches a text go by: counts lines, and refuses to guess where a quote could hide an end."""

    kind: str
    feeds: int = 0
    returns: int = 0
    quoted: bool = False
    last: bytes = b""
    head: bytearray = field(default_factory=bytearray)
    numbers: FragileNumbers | None = None

    def __post_init__(self) -> None:
        if is_json(self.kind):
            self.numbers = FragileNumbers()

    def take(self, chunk: bytes) -> None:
        """The next piece of the text."""
        if len(self.head) < CHUNK:
            self.head += chunk[: CHUNK - len(self.head)]
        if self.numbers:
            self.numbers.take(chunk)
            return
        self.feeds += chunk.count(b"\n")
        if b"\r" in chunk:
            self.returns += chunk.count(b"\r")
        self.quoted = self.quoted or b'"' in chunk
        self.last = chunk[-1:] or self.last

    @property
    def seen(self) -> Seen:
        """What there was to see."""
        found = self.numbers is not None and self.numbers.found
        return Seen(bytes(self.head), self._lines(), found)

    def _lines(self) -> int | None:
        if self.numbers or self.quoted or self.returns not in (0, self.feeds):
            return None
        return self.feeds + (self.last not in (b"", b"\n"))


def is_json(kind: str) -> bool:
    """Whether files of a format hold JSON."""
    return kind.startswith("ndjson")


def is_packed(kind: str) -> bool:
    """Whether files of a format are compressed as a whole."""
    return "." in kind


def fingerprint(path: Path, kind: str) -> Fingerprint:
    """Reads the bytes of the file once. Raises FileRefusedError if it is empty or unreadable."""
    passing = None if is_packed(kind) or kind == "parquet" else Passing(kind)
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            before = os.fstat(stream.fileno())
            # Hashing leaves the interpreter to others, so the two looks cost the time of one.
            with ThreadPoolExecutor(max_workers=1) as aside:
                for chunk in _chunks(stream):
                    hashed = aside.submit(digest.update, chunk)
                    if passing:
                        passing.take(chunk)
                    hashed.result()
    except PermissionError as error:
        raise FileRefusedError("this user has no permission to read it") from error
    except OSError as error:
        raise FileRefusedError(f"it cannot be read ({error.strerror})") from error
    if before.st_size == 0:
        raise FileRefusedError("it is empty (0 bytes)")
    return Fingerprint(
        sha256=digest.hexdigest(),
        size=before.st_size,
        delivered_at=_utc(before.st_mtime_ns),
        changed=_change_marks(before),
        seen=passing.seen if passing else None,
    )


def require_unchanged(path: Path, taken: Fingerprint) -> None:
    """Raises FileRefusedError if the file was written to since its fingerprint was taken."""
    try:
        now = _change_marks(path.stat())
    except OSError:
        now = None
    if now != taken.changed:
        raise FileRefusedError("it changed while it was read; deliver it whole, then run again")


def delivered_at(path: Path) -> datetime | None:
    """When the thing at `path` was delivered (UTC), if it can be looked at."""
    try:
        return _utc(path.stat().st_mtime_ns)
    except OSError:
        return None


def unpacked(stream: BinaryIO, kind: str) -> Iterator[bytes]:
    """The content of a file, chunk by chunk. Raises FileRefusedError where it is damaged."""
    chunks = _chunks(stream)
    if kind.endswith(".gz"):
        return _unzipped(chunks)
    return _unpacked_zstd(chunks) if kind.endswith(".zst") else chunks


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.read(CHUNK), b"")


def _unzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Every member of a gzip stream, checksums verified (DuckDB does not verify them)."""
    member = zlib.decompressobj(GZIP)
    started = False
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                if member.eof:
                    member = zlib.decompressobj(GZIP)
                started = True
                content = member.decompress(rest, CHUNK)
                if content:
                    yield content
                rest = member.unused_data if member.eof else member.unconsumed_tail
                if not rest and not member.eof:
                    break
    except zlib.error as error:
        raise FileRefusedError("it is no sound gzip file (damaged); deliver it again") from error
    if started and not member.eof:
        raise FileRefusedError("it is a truncated gzip file; deliver it again")


def _unpacked_zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Every frame of a zstd stream, its checksums verified where it has any."""
    # Costs half a second to import, which only those who deliver zstd should pay.
    import pyarrow

    packed = pyarrow.PythonFile(io.BufferedReader(_Chunks(chunks), CHUNK), mode="r")
    try:
        with pyarrow.CompressedInputStream(packed, "zstd") as stream:
            while content := stream.read(CHUNK):
                yield content
    except OSError as error:
        raise FileRefusedError(
            "it is no sound zstd file (damaged or truncated); deliver it again"
        ) from error


class _Chunks(io.RawIOBase):
    """An iterator of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._chunks, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _change_marks(status: os.stat_result) -> tuple[int, ...]:
    """What differs after any write; the last, unlike the others, no writer can set back."""
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _utc(nanoseconds: int) -> datetime:
    """A file time as naive UTC, cut to microseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    instant = datetime.fromtimestamp(seconds, UTC)
    return instant.replace(microsecond=rest // 1000, tzinfo=None)
