"""The settings of a run: one typed object, made from files, environment and flags."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from orchestration.errors import ConfigurationError
from orchestration.ingest.contract import feed_contract

SETTINGS_FILE = "tierwise.toml"
PREFIX = "TIERWISE_"
PATH_KEYS = ("landing", "reference")
EXTRACT_SECTION = "extract"
DEFAULT_HOME = "home"
SIZE = r"^\d+(\.\d+)? ?([KMGT]i?B|B)$"
POWERS = "BKMGT"
# A process that builds a million customers took 1.3 times what DuckDB was told to keep to.
ENGINE_SHARE = 0.7
JOINED_BYTES = 512  # of a customer's month while its figures are joined
RECENT_MONTHS = 4  # those that late bills, payments and answers to complaints mostly change
ROW_GROUP_ROWS = 122_880  # DuckDB's; what is read and replaced as a whole
Share = Annotated[float, Field(ge=0, le=1)]
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def _month(value: object) -> object:
    """`YYYY-MM` as the first day of the month; a date must be one already."""
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
            raise ValueError("wants a month as YYYY-MM")
        return date.fromisoformat(f"{value}-01")
    if isinstance(value, date) and value.day != 1:
        raise ValueError("wants the first day of a month")
    return value


def require_zone(value: str) -> str:
    """The name of a time zone, as it is; ValueError if there is none of that name."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is no time zone, e.g. Asia/Shanghai or UTC") from error
    return value


def _variable_name(value: str | None) -> str | None:
    """The name of an environment variable; an address itself never stands in a file."""
    if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("wants the name of an environment variable that holds the address")
    return value


def byte_count(size: str) -> int:
    """A size as people write it (`200GB`, `64 MiB`) in bytes."""
    number, letter, binary = re.fullmatch(r"([\d.]+) ?([KMGT]?)(i?)B", size).groups()  # type: ignore[union-attr]
    return int(float(number) * (1024 if binary else 1000) ** POWERS.index(letter or "B"))


def engine_limit(size: str) -> str:
    """What DuckDB may take of a size that a whole process shall keep to."""
    return f"{round(byte_count(size) * ENGINE_SHARE / 1e6)}MB"


def months_at_once(size: str, customers: int) -> int:
    """How many months of so many customers dbt's engine holds at once; at least one."""
    engine = byte_count(size) * ENGINE_SHARE
    return max(1, int(engine / (max(customers, 1) * JOINED_BYTES)))


def recent_months(customers: int) -> int:
    """How many months at the end of a table lie apart; none where it is too small to gain by it."""
    return RECENT_MONTHS if customers * RECENT_MONTHS >= ROW_GROUP_ROWS else 0


class Settings(BaseSettings):
    """Everything an operator sets for a run. Made by `load_settings`.

    `landing` is a folder, or the address of a remote one as text.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    home: Path = Path(DEFAULT_HOME)
    landing: Path | str | None = None
    reference: Path | None = None
    reporting_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    timezone: Annotated[str, AfterValidator(require_zone)] = "Asia/Shanghai"
    tier_policy: Annotated[str, Field(min_length=1)] = "house"
    through: Annotated[date | None, BeforeValidator(_month)] = None
    memory_limit: Annotated[str, Field(pattern=SIZE)] = "8GB"
    landing_cache_limit: Annotated[str, Field(pattern=SIZE)] = "50GB"
    quarantine_share_limit: Share = 0.01
    quarantine_share_limits: dict[str, Share] = {}
    expanded_size_limit: Annotated[str, Field(pattern=SIZE)] = "200GB"
    expanded_ratio_limit: Annotated[float, Field(ge=1)] = 200
    publications_kept: Annotated[int, Field(ge=1)] = 10
    postgres_dsn_variable: Annotated[str | None, AfterValidator(_variable_name)] = None
    postgres_role: Annotated[str | None, Field(min_length=1)] = None
    sources: dict[str, Any] = {}

    def share_limit_of(self, feed: str) -> float:
        """The share of faulty rows above which a delivery of the feed is refused."""
        return self.quarantine_share_limits.get(feed, self.quarantine_share_limit)

    @property
    def engine_limit(self) -> str:
        """What DuckDB may take in a process of a run, so that the process keeps to the limit."""
        return engine_limit(self.memory_limit)

    @field_validator("quarantine_share_limits")
    @classmethod
    def _known_feeds(cls, value: dict[str, float]) -> dict[str, float]:
        unknown = sorted(value.keys() - feed_contract().keys())
        if unknown:
            raise ValueError(f"names no feed: {', '.join(unknown)}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` gives: it knows where each value comes from."""
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class _Layer:
    """Values from one place, and the words for that place and a key of it."""

    values: Mapping[str, Any]
    origin: str
    prefix: str = ""

    def named(self, key: str) -> str:
        return f"{self.prefix}{key.upper()}" if self.prefix else key


def load_settings(home: Path | str | None = None, **overrides: Any) -> Settings:
    """The settings from tierwise.toml, then TIERWISE_* variables, then `overrides`.

    An override of None is no override. Without a tierwise.toml in the home, one beside
    the landing folder is read. Paths in a file are relative to its folder.
    Raises ConfigurationError naming the place, the key and the value.
    """
    flags = _Layer({k: v for k, v in overrides.items() if v is not None}, "the command line")
    environment = _Layer(EnvSettingsSource(Settings)(), "the environment", PREFIX)
    found_home = Path(home or environment.values.get("home") or DEFAULT_HOME).expanduser()
    own_file = found_home / SETTINGS_FILE
    layers = [_file_layer(own_file), environment, flags]
    landing = next((x.values["landing"] for x in reversed(layers) if "landing" in x.values), None)
    file_in_force = settings_file(found_home, None if landing is None else _place(landing))
    if file_in_force != own_file:
        layers.insert(0, _file_layer(file_in_force))
    origins = {key: layer for layer in layers for key in layer.values}
    values = {key: layer.values[key] for key, layer in origins.items()}
    for key in PATH_KEYS:
        if key in values:
            values[key] = _place(values[key])
    try:
        settings = Settings(**{**values, "home": found_home.absolute()})
    except ValidationError as error:
        raise ConfigurationError(_told(error, origins)) from None
    _require_past(settings, origins)
    if settings.sources:
        _require_sources(settings, origins["sources"])
    return settings


def _require_sources(settings: Settings, layer: _Layer) -> None:
    # Needs the engine to try out date formats; only those who declare any pay for it.
    from orchestration.ingest.sources import feed_sources

    feed_sources(settings.sources, layer.origin, f"{layer.named('sources')}.")


def settings_file(home: Path, landing: Path | str | None) -> Path:
    """The tierwise.toml in force: the home's, else the one beside a landing folder."""
    own_file = home / SETTINGS_FILE
    if own_file.exists() or not isinstance(landing, Path):
        return own_file
    return landing.parent / SETTINGS_FILE


def _place(value: Path | str) -> Path | str:
    """An address as it is, anything else as an absolute path."""
    if isinstance(value, str) and URL.match(value):
        return value
    return Path(value).expanduser().absolute()


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as TIERWISE_* variables, for a process that is to have the same."""
    values = settings.model_dump(mode="json", exclude_none=True)
    if settings.through:
        values["through"] = f"{settings.through:%Y-%m}"
    return {
        f"{PREFIX}{key.upper()}": json.dumps(value) if isinstance(value, dict) else str(value)
        for key, value in values.items()
    }


def _file_layer(path: Path) -> _Layer:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _Layer({}, str(path))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read as TOML: {error}") from error
    values.pop(EXTRACT_SECTION, None)  # read by those who extract, with an own contract
    known = [name for name in Settings.model_fields if name != "home"]
    for key in values:
        if key not in known:
            raise ConfigurationError(
                f"{path}: unknown setting '{key}'. Known are: {', '.join(known)}."
            )
    for key in PATH_KEYS:
        if isinstance(values.get(key), str) and not URL.match(values[key]):
            values[key] = str(path.parent / Path(values[key]).expanduser())
    return _Layer(values, str(path))


def _told(error: ValidationError, origins: Mapping[str, _Layer]) -> str:
    return " ".join(
        _fault(str(fault["loc"][0]), fault["input"], fault["msg"], origins)
        for fault in error.errors()
    )


def _fault(key: str, value: object, message: str, origins: Mapping[str, _Layer]) -> str:
    layer = origins.get(key)
    words = message.removeprefix("Value error, ")
    where = f"{layer.origin}: {layer.named(key)}" if layer else key
    # An address given by mistake where its variable's name belongs may hold a password.
    shown = "..." if key.endswith("_variable") else value
    return f"{where} = '{shown}': {words}."


def _require_past(settings: Settings, origins: Mapping[str, _Layer]) -> None:
    today = datetime.now(UTC).astimezone(ZoneInfo(settings.timezone)).date()
    if settings.through is not None and settings.through > today:
        raise ConfigurationError(
            _fault(
                "through",
                f"{settings.through:%Y-%m}",
                f"is after the current month {today:%Y-%m}",
                origins,
            )
        )
