"""A delivered text file as plain UTF-8 on disk: decompressed and transcoded in a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingest.encodings import BOM, UTF_8, as_utf8, decoder, encoding_of
from orchestration.ingest.files import FileRefusedError, Fingerprint, Lines, decompressed
from orchestration.ingest.lake import make_folder


@dataclass(frozen=True, slots=True)
class PlainText:
    """A file of plain text. `lines` is None where they cannot be counted without parsing.

    `encoding` is the one of the delivered file; bytes that do not decode stand in the
    plain one as encodings.UNDECODED.
    """

    path: Path
    head: bytes
    lines: int | None
    encoding: str


def plain_text(
    path: Path, kind: str, taken: Fingerprint, declared: str | None, scratch: Path
) -> PlainText:
    """The file itself if it is plain UTF-8, else a copy of it in the folder `scratch`.

    Raises FileRefusedError if its encoding cannot be told.
    """
    encoding, mark = encoding_of(taken.head, declared)
    if encoding == "utf-16":
        raise FileRefusedError(
            "it is declared as utf-16 but begins with no byte order mark; declare utf-16le or "
            "utf-16be in sources.toml"
        )
    if encoding == UTF_8 and "." not in kind:
        return PlainText(path, taken.head.removeprefix(BOM), taken.lines, encoding)
    make_folder(scratch)
    target = scratch / "plain.txt"
    lines = Lines()
    content = _after(mark, decompressed(path, kind))
    with target.open("wb") as out:
        for chunk in content if encoding == UTF_8 else _transcoded(content, encoding):
            lines.take(chunk)
            out.write(chunk)
    return PlainText(target, bytes(lines.head), lines.total, encoding)


def _after(mark: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content behind its byte order mark, which the first chunk need not hold whole."""
    begun = b""
    for chunk in chunks:
        begun += chunk
        if len(begun) >= len(mark):
            yield begun.removeprefix(mark)
            break
    yield from chunks


def _transcoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    reader = decoder(encoding)
    for chunk in chunks:
        yield as_utf8(reader.decode(chunk))
    yield as_utf8(reader.decode(b"", final=True))
