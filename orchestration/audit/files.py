"""Evidence files: their hashes, and manifests in one canonical form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_manifest(path: Path) -> dict[str, Any]:
    """A manifest as it was written."""
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def as_written(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest with its values as they stand in the file: months and amounts as text."""
    written: dict[str, Any] = json.loads(json.dumps(manifest, default=str))
    return written


def write_manifest(path: Path, manifest: Mapping[str, Any]) -> str:
    """Write a manifest in one canonical form and return its SHA-256."""
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return file_sha256(path)


def listed(
    paths: Iterable[Path], root: Path, known: Mapping[str, Mapping[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Path below `root`, size and SHA-256 of each file, in the order of the paths.

    A file that `known` lists under its path with its size is not read again: for files
    that are written once and never changed. Two names of one file are read once.
    """
    entries: list[dict[str, Any]] = []
    read: dict[int, str] = {}
    for path in sorted(paths):
        name, status = path.relative_to(root).as_posix(), path.stat()
        before = (known or {}).get(name)
        if before and before["bytes"] == status.st_size:
            read[status.st_ino] = before["sha256"]
        elif status.st_ino not in read:
            read[status.st_ino] = file_sha256(path)
        entries.append({"path": name, "bytes": status.st_size, "sha256": read[status.st_ino]})
    return entries
