"""Where evidence is read from: a home, or a pack alone. Paths are those below the home."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Protocol

from orchestration.audit.files import file_sha256
from orchestration.errors import ConfigurationError


class EvidenceStore(Protocol):
    """Files of evidence by their path below the home, whatever holds them."""

    is_whole: bool
    """Whether lake and publications belong to it, as they do not to a pack."""

    def has(self, path: str) -> bool:
        """Whether a file is there."""

    def read(self, path: str) -> bytes:
        """The bytes of a file."""

    def sha256(self, path: str) -> str:
        """SHA-256 of a file, in hexadecimal."""

    def under(self, folder: str) -> list[str]:
        """Every file below a folder, in order."""


class HomeStore:
    """The evidence in a home."""

    is_whole = True

    def __init__(self, root: Path) -> None:
        self.root = root

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        return (self.root / path).is_file()

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return (self.root / path).read_bytes()

    def sha256(self, path: str) -> str:
        """SHA-256 of a file, in hexadecimal."""
        return file_sha256(self.root / path)

    def under(self, folder: str) -> list[str]:
        """Every file below a folder, in order."""
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in (self.root / folder).rglob("*")
            if path.is_file()
        )


class PackStore:
    """The evidence in a pack."""

    is_whole = False

    def __init__(self, path: Path) -> None:
        """Open a pack.

        Raises:
            ConfigurationError: the file is not there, or is no zip file.
        """
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise ConfigurationError(
                f"{path} cannot be read as an evidence pack ({error}). "
                "Make one with: tierwise audit pack RUN --out FILE"
            ) from error
        self._names = sorted(name for name in self._zip.namelist() if not name.endswith("/"))

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        return path in self._names

    def read(self, path: str) -> bytes:
        """The bytes of a file; empty if they are damaged, which no hash then fits."""
        try:
            return self._zip.read(path)
        except (zipfile.BadZipFile, OSError, EOFError):
            return b""

    def sha256(self, path: str) -> str:
        """SHA-256 of a file, in hexadecimal."""
        return hashlib.sha256(self.read(path)).hexdigest()

    def under(self, folder: str) -> list[str]:
        """Every file below a folder, in order."""
        return [name for name in self._names if not folder or name.startswith(f"{folder}/")]
