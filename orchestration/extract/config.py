"""What tierwise.toml declares of databases: `[extract.NAME]` and its feeds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import feed_contract
from orchestration.settings import EXTRACT_SECTION, Settings, require_zone, settings_file

SOURCE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*")
VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class FeedSource(BaseModel):
    """Where the rows of a feed stand in a database.

    `cursor` is a column that only grows: a new or changed row has at least the greatest
    value read before. `columns` gives the database's name of a column of the contract
    where it is another one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Annotated[str, Field(min_length=1)] | None = None
    query: Annotated[str, Field(min_length=1)] | None = None
    cursor: Annotated[str, Field(min_length=1)]
    columns: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_place(self) -> FeedSource:
        if (self.table is None) == (self.query is None):
            raise ValueError("wants either table or query")
        return self


class Source(BaseModel):
    """A database. Its address stands in an environment variable, never in a file.

    `timezone` is the zone of the timestamps that the database keeps without one; by
    default the operator's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dsn_variable: str
    timezone: Annotated[str, AfterValidator(require_zone)] | None = None
    feeds: Annotated[Mapping[str, FeedSource], Field(min_length=1)]

    @field_validator("dsn_variable")
    @classmethod
    def _names_a_variable(cls, value: str) -> str:
        if not VARIABLE_NAME.fullmatch(value):
            raise ValueError(
                "wants the name of an environment variable that holds the address; "
                "an address itself never stands in a file"
            )
        return value

    @field_validator("feeds")
    @classmethod
    def _feeds_of_the_contract(cls, feeds: Mapping[str, FeedSource]) -> Mapping[str, FeedSource]:
        contract = feed_contract()
        for name, feed in feeds.items():
            if name not in contract:
                raise ValueError(f"{name} is no feed. Feeds are: {', '.join(contract)}")
            known = [column.name for column in contract[name].columns]
            for column in feed.columns:
                if column not in known:
                    raise ValueError(
                        f"{name}.columns: {column} is no column of the feed. "
                        f"Columns are: {', '.join(known)}"
                    )
        return feeds


def declared_sources(settings: Settings) -> Mapping[str, Source]:
    """The databases declared in the tierwise.toml in force, by name.

    Raises ConfigurationError naming the section and the key, never a value.
    """
    path = settings_file(settings.home, settings.landing)
    if not path.is_file():
        return {}
    declared = tomllib.loads(path.read_text(encoding="utf-8")).get(EXTRACT_SECTION, {})
    if not isinstance(declared, dict):
        raise ConfigurationError(f"{path}: {EXTRACT_SECTION} wants sections [extract.NAME].")
    return {
        name: _source(f"{path}: [extract.{name}]", name, spec) for name, spec in declared.items()
    }


def _source(where: str, name: str, spec: Any) -> Source:
    if not SOURCE_NAME.fullmatch(name):
        raise ConfigurationError(
            f"{where}: a source's name goes into the names of files and jobs; use letters, "
            "digits and _."
        )
    try:
        return Source.model_validate(spec)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc'])) or 'it'}: "
            f"{fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_input=False)
        ]
        raise ConfigurationError(f"{where} {'; '.join(faults)}.") from None
