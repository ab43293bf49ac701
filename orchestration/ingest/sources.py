"""How an operator's extracts differ from the contract: sources.toml, read and validated.

Read it with `read_sources`. What it declares is applied by `unpacking` (encoding), `readers`
(delimiter, quote, column names) and `rules` (numbers, dates, units, codes).
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import Column, Feed, feed_contract
from orchestration.ingest.encodings import ENCODINGS

SOURCES_FILE = "sources.toml"
UNITS = {
    "fen": Decimal("0.01"),
    "jiao": Decimal("0.1"),
    "li": Decimal("0.001"),
    "yuan": Decimal(1),
    "wan_yuan": Decimal(10000),
    "cent": Decimal("0.01"),
    "percent": Decimal("0.01"),
    "permille": Decimal("0.001"),
}
LARGEST_SHIFT = 9  # places by which a unit may move the decimal point
MOMENT = "timestamp '2023-11-28 21:47:36'"  # no two of its parts are equal


def _one_sign(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text.isalnum() or text in "\r\n":
        raise ValueError("wants one ASCII character that is no letter, digit or line end")
    return text


class FeedSource(BaseModel):
    """What one feed's extracts are like where they differ from the contract.

    Columns are named as the contract names them, except the keys of `columns` and the
    entries of `header` and `ignore`, which are the operator's names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[str, ...] = ()
    format: Literal["csv", "ndjson", "parquet"] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    header: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    ignore: tuple[str, ...] = ()
    date_format: str | None = None
    timestamp_format: str | None = None
    formats: dict[str, str] = {}
    decimal_mark: Literal[".", ","] = "."
    thousands_mark: Literal[",", ".", " ", "'", ""] = ""
    negative: Literal["sign", "parentheses"] = "sign"
    units: dict[str, str | float] = {}
    codes: dict[str, dict[str, str]] = {}

    @field_validator("files")
    @classmethod
    def _inside(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            path = PurePosixPath(pattern)
            if not pattern or path.is_absolute() or ".." in path.parts:
                raise ValueError(f"'{pattern}' is no pattern below the landing folder")
        return patterns

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        if name is not None and name.lower() not in ENCODINGS:
            raise ValueError(f"is no known encoding. Known are: {', '.join(ENCODINGS)}")
        return name.lower() if name else name

    @field_validator("delimiter")
    @classmethod
    def _sign(cls, sign: str | None) -> str | None:
        return sign if sign is None else _one_sign(sign)

    @field_validator("quote")
    @classmethod
    def _sign_or_none(cls, sign: str | None) -> str | None:
        return _one_sign(sign) if sign else sign

    @field_validator("units")
    @classmethod
    def _shifts(cls, units: dict[str, str | float]) -> dict[str, str | float]:
        for column, unit in units.items():
            if isinstance(unit, str) and unit not in UNITS:
                raise ValueError(
                    f"'{unit}' of {column} is no known unit. Known are: {', '.join(UNITS)}, or "
                    "a power of ten such as 0.01"
                )
            sign, digits, shift = _factor(unit).normalize().as_tuple()
            if sign or digits != (1,) or abs(int(shift)) > LARGEST_SHIFT:
                raise ValueError(f"{unit} of {column} is no power of ten such as 0.01")
        return units

    def contract_name(self, delivered: str) -> str:
        """The contract's name for a column delivered under this name, both in lower case."""
        wanted = delivered.strip().lower()
        named = {theirs.strip().lower(): ours for theirs, ours in self.columns.items()}
        return named.get(wanted, wanted)

    def ignores(self, delivered: str) -> bool:
        """Whether a column is declared as not wanted."""
        return delivered.strip().lower() in {name.strip().lower() for name in self.ignore}

    def format_of(self, column: Column) -> str | None:
        """The declared format of a date or timestamp column."""
        general = {"date": self.date_format, "timestamp": self.timestamp_format}
        return self.formats.get(column.name) or general.get(column.type)

    def factor(self, column: str) -> Decimal:
        """What a delivered number is multiplied by: a power of ten."""
        return _factor(self.units[column]) if column in self.units else Decimal(1)

    def of_values(self) -> FeedSource:
        """What is declared of values alone, for rows whose columns have the contract's names."""
        about_files = {"files", "format", "encoding", "delimiter", "quote", "header"}
        about_names = {"columns", "ignore"}
        return FeedSource.model_validate(
            self.model_dump(exclude_defaults=True, exclude=about_files | about_names)
        )


CONTRACT = FeedSource()


@dataclass(frozen=True, slots=True)
class Sources:
    """The declarations in force, by feed; a feed not named is delivered as the contract says."""

    feeds: Mapping[str, FeedSource] = field(default_factory=dict)

    def of(self, feed: str) -> FeedSource:
        """What is declared for a feed."""
        return self.feeds.get(feed, CONTRACT)

    def declared(self) -> dict[str, Any]:
        """What differs from the contract, in a form that can be hashed and shown."""
        shown = {
            name: source.model_dump(mode="json", exclude_defaults=True)
            for name, source in sorted(self.feeds.items())
        }
        return {name: keys for name, keys in shown.items() if keys}

    def stem(self, feed: str, sha256: str) -> str:
        """Names a delivered content as it is read: its own SHA-256, or with what is declared.

        So the same bytes under a changed declaration are another content, to be loaded.
        """
        declared = self.sha256(feed)
        return sha256 if declared is None else content_stem(sha256, declared)

    def sha256(self, feed: str) -> str | None:
        """Hash of what shapes the rows of a feed's files; null where nothing does.

        The file pattern does not: it says where files lie, not what they hold.
        """
        keys = {k: v for k, v in self.declared().get(feed, {}).items() if k != "files"}
        if not keys:
            return None
        return hashlib.sha256(json.dumps(keys, sort_keys=True).encode()).hexdigest()


def content_stem(sha256: str, source_sha256: str) -> str:
    """The name of a content read under a declaration."""
    return hashlib.sha256(f"{sha256}\n{source_sha256}".encode()).hexdigest()


def read_sources(landing: Path | None, sections: Mapping[str, Any]) -> Sources:
    """The declarations in force.

    `sections` are those of the settings (`[sources.<feed>]`); such a section replaces
    the one of the same feed in the landing folder's sources.toml whole.
    Raises ConfigurationError naming the file, the key and the value.
    """
    path = None if landing is None else landing / SOURCES_FILE
    delivered = {} if path is None else feed_sources(_toml(path), str(path))
    return Sources({**delivered, **feed_sources(sections, "the settings", "sources.")})


def feed_sources(
    sections: Mapping[str, Any], origin: str, prefix: str = ""
) -> dict[str, FeedSource]:
    """The sections of one place, validated. Raises ConfigurationError naming `origin`."""
    return {
        name: _feed_source(origin, f"{prefix}{name}", name, spec) for name, spec in sections.items()
    }


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as TOML: {error}") from error


def _feed_source(origin: str, section: str, name: str, spec: object) -> FeedSource:
    feed = feed_contract().get(name)
    if feed is None:
        raise ConfigurationError(
            f"{origin}: [{section}] is no feed. Known are: {', '.join(feed_contract())}."
        )
    if not isinstance(spec, dict):
        raise ConfigurationError(f"{origin}: {section} = '{spec}': wants a section [{section}].")
    try:
        source = FeedSource.model_validate(spec)
        _require_fit(feed, source)
    except ValidationError as error:
        faults = " ".join(_told(origin, section, fault) for fault in error.errors())
        raise ConfigurationError(faults) from None
    except _MisfitError as misfit:
        raise ConfigurationError(f"{origin}: [{section}] {misfit}") from None
    return source


def _told(origin: str, section: str, fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"] if part not in ("str", "float"))
    if fault["type"] == "extra_forbidden":
        known = ", ".join(FeedSource.model_fields)
        return f"{origin}: [{section}] has the unknown key '{key}'. Known are: {known}."
    words = fault["msg"].removeprefix("Value error, ")
    return f"{origin}: [{section}] {key} = '{fault['input']}': {words}."


class _MisfitError(Exception):
    """A declaration that does not fit the feed's columns."""


def _require_fit(feed: Feed, source: FeedSource) -> None:
    """Raises _MisfitError for a column the feed lacks, or one of the wrong type."""
    columns = {column.name: column for column in feed.columns}
    for theirs, ours in source.columns.items():
        _require_column(columns, f"columns.{theirs}", ours)
    twice = [name for name in columns if list(source.columns.values()).count(name) > 1]
    if twice:
        raise _MisfitError(f"columns maps several columns to {twice[0]}; name one.")
    for name, fmt in source.formats.items():
        column = _require_column(columns, "formats", name)
        if column.type not in ("date", "timestamp"):
            raise _MisfitError(f"formats.{name} = '{fmt}': {name} is no date or timestamp.")
    for name, unit in source.units.items():
        column = _require_column(columns, "units", name)
        if not (column.precision_and_scale or column.type == "integer"):
            raise _MisfitError(f"units.{name} = '{unit}': {name} is no number.")
    for name, codes in source.codes.items():
        column = _require_column(columns, "codes", name)
        if column.type not in ("string", "boolean"):
            raise _MisfitError(f"codes.{name}: {name} is no code but of type {column.type}.")
        for theirs, ours in codes.items():
            if column.enum and ours not in column.enum:
                raise _MisfitError(
                    f"codes.{name}.{theirs} = '{ours}': is not one of {', '.join(column.enum)}."
                )
    if source.decimal_mark == source.thousands_mark:
        raise _MisfitError(
            f"thousands_mark = '{source.thousands_mark}': is the decimal mark too; declare both."
        )
    for key, (type_, fmt) in _formats(source, columns):
        if not _reads_back(fmt, type_):
            example = "%d/%m/%Y" if type_ == "date" else "%Y%m%d%H%M%S"
            raise _MisfitError(
                f"{key} = '{fmt}': does not tell a {type_}; write it like {example}."
            )


def _require_column(columns: Mapping[str, Column], key: str, name: str) -> Column:
    if name not in columns:
        raise _MisfitError(
            f"{key}: '{name}' is no column of the feed. Known are: {', '.join(columns)}."
        )
    return columns[name]


def _formats(
    source: FeedSource, columns: Mapping[str, Column]
) -> list[tuple[str, tuple[str, str]]]:
    """Every declared format: its key, and the type and format themselves."""
    general = [
        ("date_format", ("date", source.date_format)),
        ("timestamp_format", ("timestamp", source.timestamp_format)),
    ]
    own = [(f"formats.{n}", (columns[n].type, fmt)) for n, fmt in source.formats.items()]
    return [(key, (type_, fmt)) for key, (type_, fmt) in [*general, *own] if fmt is not None]


def _reads_back(fmt: str, type_: str) -> bool:
    """Whether a moment written in a format is the same moment when it is read."""
    with duckdb.connect() as connection:
        try:
            row = connection.execute(
                f"select cast(strptime(strftime({MOMENT}, $fmt), $fmt) as {type_}) "
                f"= cast({MOMENT} as {type_})",
                {"fmt": fmt},
            ).fetchone()
        except duckdb.Error:
            return False
    return bool(row and row[0])


def _factor(unit: str | float) -> Decimal:
    return UNITS[unit] if isinstance(unit, str) else Decimal(repr(unit))
