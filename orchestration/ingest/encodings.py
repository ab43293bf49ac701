"""The text encodings a delivery may have, and how one is told from the first bytes."""

from __future__ import annotations

import codecs

UTF_8 = "utf-8"
BOM = codecs.BOM_UTF8
BOMS = {BOM: UTF_8, codecs.BOM_UTF16_LE: "utf-16le", codecs.BOM_UTF16_BE: "utf-16be"}
# GB18030 contains GBK and GB2312, so that one decoder reads what is called by any of the names.
ENCODINGS = {
    UTF_8: UTF_8,
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "big5": "big5",
    "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "iso-8859-1": "iso8859-1",
    "iso-8859-15": "iso8859-15",
    "windows-1252": "cp1252",
}
# No UTF-8 text holds this byte: it stands for one that could not be decoded, so that the
# record around it is found broken like one with a damaged byte of its own.
UNDECODED = b"\xff"
HANDLER = "tierwise-undecoded"


def encoding_of(head: bytes, declared: str | None) -> tuple[str, bytes]:
    """The encoding of a file that begins with `head`, and its byte order mark.

    A byte order mark says more than a declaration, which is for all files of a feed.
    Without either a file is UTF-8.
    """
    for mark, encoding in BOMS.items():
        if head.startswith(mark):
            return encoding, mark
    return declared or UTF_8, b""


def decoder(encoding: str) -> codecs.IncrementalDecoder:
    """A decoder that turns each undecodable byte into the escape of UNDECODED."""
    codecs.register_error(HANDLER, _undecoded)
    return codecs.getincrementaldecoder(ENCODINGS[encoding])(HANDLER)


def as_utf8(text: str) -> bytes:
    """The text in UTF-8, with UNDECODED where a byte could not be decoded."""
    return text.encode(UTF_8, "surrogateescape")


def _undecoded(error: UnicodeError) -> tuple[str, int]:
    """Steps over one byte, or one unit of UTF-16: a sign that follows may be sound."""
    assert isinstance(error, UnicodeDecodeError)
    resumed = error.end if error.encoding.startswith("utf-16") else error.start + 1
    return UNDECODED.decode(UTF_8, "surrogateescape"), resumed
