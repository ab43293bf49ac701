"""A delivered text file as plain UTF-8 on disk: decompressed and transcoded in one stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from orchestration.ingest.encodings import BOM, UTF_8, as_utf8, decoder, encoding_of
from orchestration.ingest.expansion import Expansion
from orchestration.ingest.files import (
    FileRefusedError,
    Fingerprint,
    Passing,
    Seen,
    is_packed,
    unpacked,
)
from orchestration.ingest.lake import make_folder

LONGEST_MARK = len(BOM)


@dataclass(frozen=True, slots=True)
class PlainText:
    """A file of plain text, and what was seen of it.

    `encoding` is the one of the delivered file; bytes that do not decode stand in the
    plain one as encodings.UNDECODED.
    """

    path: Path
    seen: Seen
    encoding: str

    @property
    def head(self) -> bytes:
        """How it begins, without the byte order mark."""
        return self.seen.head.removeprefix(BOM)


def plain_text(
    path: Path,
    kind: str,
    taken: Fingerprint,
    declared: str | None,
    scratch: Path,
    expansion: Expansion,
) -> PlainText:
    """The file itself if it is plain UTF-8, else a copy of it in the folder `scratch`.

    Raises FileRefusedError if its encoding cannot be told or, of a packed file, if what it
    holds is nothing, damaged, or more than `expansion` allows.
    """
    if taken.seen and _encoding_of(taken.seen.head, declared)[0] == UTF_8:
        return PlainText(path, taken.seen, UTF_8)
    make_folder(scratch)
    target = scratch / "plain.txt"
    passing = Passing(kind)
    with target.open("wb") as out:
        rest = _unpacked(path, kind, expansion)
        begun = _begun(rest)
        if not begun:
            raise FileRefusedError("it is empty (0 bytes once decompressed)")
        encoding, mark = _encoding_of(begun, declared)
        content = chain([begun.removeprefix(mark)], rest)
        for chunk in content if encoding == UTF_8 else _transcoded(content, encoding):
            passing.take(chunk)
            out.write(chunk)
    return PlainText(target, passing.seen, encoding)


def _encoding_of(head: bytes, declared: str | None) -> tuple[str, bytes]:
    encoding, mark = encoding_of(head, declared)
    if encoding == "utf-16":
        raise FileRefusedError(
            "it is declared as utf-16 but begins with no byte order mark; declare utf-16le or "
            "utf-16be in sources.toml"
        )
    return encoding, mark


def _unpacked(path: Path, kind: str, expansion: Expansion) -> Iterator[bytes]:
    """The content of the file, chunk by chunk, none of them empty."""
    size = 0
    with path.open("rb") as stream:
        for chunk in filter(None, unpacked(stream, kind)):
            size += len(chunk)
            if is_packed(kind):
                expansion.require(stream.tell(), size)
            yield chunk


def _begun(chunks: Iterator[bytes]) -> bytes:
    """The first chunks, enough of them to hold any byte order mark whole."""
    begun = b""
    for chunk in chunks:
        begun += chunk
        if len(begun) >= LONGEST_MARK:
            break
    return begun


def _transcoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    reader = decoder(encoding)
    for chunk in chunks:
        yield as_utf8(reader.decode(chunk))
    yield as_utf8(reader.decode(b"", final=True))
