"""A PostgreSQL database by its address: opened, and its faults told without the password."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestration.errors import ConfigurationError

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS = "10"
EXAMPLE = "postgresql://user@host:5432/database"


class Address:
    """Where a database is. Its password shows nowhere: not in words, nor when printed."""

    def __init__(self, dsn: str, origin: str) -> None:
        """Read an address.

        Args:
            dsn: a postgresql:// address, or `host=... dbname=...` as libpq takes it.
            origin: the words for where it was given.

        Raises:
            ConfigurationError: it is no address, or the driver is not installed.
        """
        try:
            from psycopg import Error
            from psycopg.conninfo import conninfo_to_dict, make_conninfo
        except ImportError:
            raise ConfigurationError(
                "The driver of PostgreSQL is not installed: pip install 'tierwise[postgres]'."
            ) from None
        try:
            parts: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, **conninfo_to_dict(dsn)}
        except Error:
            raise ConfigurationError(f"{origin} holds no address such as {EXAMPLE}.") from None
        self.conninfo = make_conninfo(**parts)
        self._secrets = [str(parts[name]) for name in ("password", "sslpassword") if name in parts]
        host = parts.get("host") or os.environ.get("PGHOST") or "localhost"
        name = parts.get("dbname") or os.environ.get("PGDATABASE") or ""
        self.shown = f"postgresql://{host}:{parts.get('port', 5432)}/{name}"

    def __repr__(self) -> str:
        return self.shown

    @contextmanager
    def faults_told(self) -> Iterator[None]:
        """Turns a fault of the database into one line, without the password."""
        import psycopg
        from adbc_driver_manager import Error as DriverError

        try:
            yield
        except psycopg.Error as error:
            detail = error.diag.message_detail if error.diag else None
            raise self._told(error, detail) from None
        except DriverError as error:
            raise self._told(error, None) from None

    def _told(self, error: Exception, detail: str | None) -> ConfigurationError:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        words = lines[0].strip().rstrip(".")
        if detail:
            words += f" ({detail.splitlines()[0].strip().rstrip('.')})"
        for secret in filter(None, self._secrets):
            words = words.replace(secret, "***")
        return ConfigurationError(
            f"{self.shown}: {words}. What the database served before is untouched."
        )


def address_of(dsn: str | None, variable: str | None) -> Address:
    """The address given, else the one in the environment variable of that name.

    Raises:
        ConfigurationError: neither is there, or it is no address.
    """
    if dsn:
        return Address(dsn, "--dsn")
    if variable is None:
        raise ConfigurationError(
            f"No database is named. Give --dsn {EXAMPLE}, or set postgres_dsn_variable in "
            "tierwise.toml to the name of an environment variable that holds the address."
        )
    found = os.environ.get(variable, "").strip()
    if not found:
        raise ConfigurationError(
            f"The environment variable {variable} is not set. It holds the address of "
            f"PostgreSQL, e.g. {EXAMPLE}."
        )
    return Address(found, variable)


@contextmanager
def opened(address: Address) -> Iterator[psycopg.Connection]:
    """A connection on which each statement stands for itself, unless in a transaction."""
    import psycopg

    with psycopg.connect(address.conninfo, autocommit=True) as connection:
        yield connection
