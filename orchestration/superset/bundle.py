"""The Superset bundle: the files in docs/superset, and the zip that Superset imports."""

from __future__ import annotations

import zipfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from orchestration.errors import ConfigurationError
from orchestration.superset.datasets import datasets
from orchestration.warehouse.project import REPOSITORY

if TYPE_CHECKING:
    from sqlalchemy import URL

SOURCE = REPOSITORY / "docs" / "superset"
DATASETS = Path("datasets") / "tierwise"
DATABASE = Path("databases") / "tierwise.yaml"
METADATA = Path("metadata.yaml")
# Superset wants every file below one folder.
FOLDER = "tierwise"
# What stands for a password that Superset asks for.
_ASKED_FOR = "X" * 10
# A fixed time gives the same bytes every time.
_MADE = (2026, 1, 1, 0, 0, 0)


class Kind(StrEnum):
    """What Superset is told the zip is: each import takes only its own kind."""

    DASHBOARDS = "Dashboard"
    ASSETS = "assets"


def dataset_files() -> dict[Path, str]:
    """The dataset files of the bundle as they should stand in the tree, by path in it."""
    return {
        DATASETS / f"{name}.yaml": dump(dataset) for name, dataset in sorted(datasets().items())
    }


def write_datasets(source: Path = SOURCE) -> list[Path]:
    """Write the dataset files anew and remove those of datasets that are no more."""
    files = dataset_files()
    folder = source / DATASETS
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.yaml"):
        if path.relative_to(source) not in files:
            path.unlink()
    for name, text in files.items():
        (source / name).write_text(text, encoding="utf-8")
    return [source / name for name in files]


def write_zip(out: Path, address: str, kind: Kind, source: Path = SOURCE) -> None:
    """Write the zip to import.

    Args:
        out: the zip to write.
        address: SQLAlchemy address of the database with the marts.
        kind: which of Superset's imports will read it.
        source: the bundle.

    Raises:
        ConfigurationError: the address is none or holds a password, or the zip cannot be
            written.
    """
    url = _read_address(address)
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
            for path in sorted(source.rglob("*.yaml")):
                name = path.relative_to(source)
                text = path.read_text(encoding="utf-8")
                if name == DATABASE:
                    text = dump(_database(yaml.safe_load(text), url))
                elif name == METADATA:
                    text = dump(yaml.safe_load(text) | {"type": kind.value})
                entry = zipfile.ZipInfo(f"{FOLDER}/{name.as_posix()}", _MADE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                bundle.writestr(entry, text)
    except OSError as error:
        raise ConfigurationError(
            f"{out} cannot be written: {error.strerror}. Choose another place with --out."
        ) from error


def _read_address(address: str) -> URL:
    import sqlalchemy as sa

    try:
        url = sa.make_url(address)
    except sa.exc.ArgumentError:
        # The words of the error would repeat the address, and a password in it.
        raise ConfigurationError(
            "--database holds no address: it is written dialect://user@host:port/database."
        ) from None
    if url.password is not None:
        raise ConfigurationError(
            "--database holds a password, which would stay in the zip: leave it out, Superset"
            " asks for it when it imports."
        )
    return url


def _database(database: dict[str, Any], url: URL) -> dict[str, Any]:
    if url.get_backend_name() != "duckdb":
        # Opening read-only is an argument of DuckDB's; a server grants it to the role.
        del database["extra"]["engine_params"]
    if url.username:
        url = url.set(password=_ASKED_FOR)
    database["sqlalchemy_uri"] = url.render_as_string(hide_password=False)
    return database


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: no aliases, text of several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Dumper.add_representer(str, _text)


def dump(document: dict[str, Any]) -> str:
    """A document of the bundle as YAML, in the order it was made."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=98)
    return text
