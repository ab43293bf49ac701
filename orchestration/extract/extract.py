"""One extraction: every feed of a source from its cursor on, into the landing folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.errors import ConfigurationError
from orchestration.extract.config import FeedSource, Source, declared_sources
from orchestration.extract.cursors import CursorValue
from orchestration.extract.database import Database, open_database
from orchestration.extract.delivery import Delivery
from orchestration.extract.values import Zones
from orchestration.home import Home
from orchestration.ingest.contract import feed_contract
from orchestration.ingest.lock import HomeLock
from orchestration.settings import Settings


@dataclass(frozen=True, slots=True)
class Extracted:
    """What an extraction delivered of a feed, and the cursor value it has reached.

    `unread` are the columns of the database that the contract does not know.
    """

    feed: str
    rows: int
    files: tuple[str, ...]
    through: CursorValue | None
    unread: tuple[str, ...]


def extract(
    settings: Settings,
    source_name: str,
    progress: Callable[[str, int], None] | None = None,
) -> list[Extracted]:
    """Read what is new in every feed of a source into the landing folder.

    `progress` is told the feed and its rows so far.

    Raises:
        ConfigurationError: an unknown source, a database that cannot be reached, a table,
            column or cursor that is not there; the message holds no password. What was
            delivered before stays, and the next extraction goes on behind it.
        HomeLockedError: another extraction writes to this home.
    """
    source = _declared(settings, source_name)
    landing = _landing(settings)
    room = Home(settings.home).extract
    unzoned = ZoneInfo(source.timezone) if source.timezone else None
    zones = Zones(ZoneInfo(settings.timezone), unzoned)
    told = progress or (lambda feed, rows: None)
    with HomeLock(room), open_database(source_name, source) as database:
        return [
            _extract_feed(
                database,
                feed_source,
                Delivery(source_name, feed, landing / feed, room, zones),
                told,
            )
            for feed, feed_source in source.feeds.items()
        ]


def _extract_feed(
    database: Database,
    source: FeedSource,
    delivery: Delivery,
    told: Callable[[str, int], None],
) -> Extracted:
    described = database.describe(delivery.where, feed_contract()[delivery.feed], source)
    database.require_cursor_everywhere(delivery.where, described)
    with delivery.opened(described.columns, described.cursor):
        for batch in database.rows(delivery.where, described, delivery.since):
            delivery.take(batch)
            told(delivery.feed, delivery.rows)
    return Extracted(
        feed=delivery.feed,
        rows=delivery.rows,
        files=tuple(delivery.files),
        through=delivery.since,
        unread=described.unread,
    )


def _declared(settings: Settings, name: str) -> Source:
    sources = declared_sources(settings)
    if name not in sources:
        known = f"Declared are: {', '.join(sources)}." if sources else "None is declared."
        raise ConfigurationError(
            f"There is no source '{name}'. {known} A source is a section [extract.NAME] of "
            "tierwise.toml."
        )
    return sources[name]


def _landing(settings: Settings) -> Path:
    if not isinstance(settings.landing, Path):
        raise ConfigurationError(
            "Rows are extracted into a local landing folder. Give --landing DIR."
        )
    return settings.landing


def told(extracted: Extracted) -> str:
    """What was delivered of a feed, in one line."""
    files = len(extracted.files)
    news = f"{extracted.rows:,} rows in {files} file{'s' * (files != 1)}"
    line = f"{extracted.feed}: {news if extracted.rows else 'nothing new'}"
    if extracted.through is not None:
        line += f", read through {extracted.through}"
    if extracted.unread:
        line += f"; not read, as the contract does not know them: {', '.join(extracted.unread)}"
    return line
