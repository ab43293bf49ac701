"""The rows of a delivered file on their way to the lake.

Nearly every file is sound. Its rows go in one pass, in the file's order, to the file that the
lake is going to hold. Only where that pass meets a fault are all rows judged with their reasons,
in a working file, and the sound ones written from there. Either way the view `judged` shows
them, and no more of them is in memory than the engine reads at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.ingest.contract import Feed
from orchestration.ingest.judged_rows import (
    FileCounts,
    count_rows,
    has_repeated_keys,
    judge_repeated_keys,
    months_of_rows,
    show_judged,
    show_sound,
    write_rows,
)
from orchestration.ingest.lake import PARQUET, Lake, make_folder, unfinished_name
from orchestration.ingest.readers import Delivery
from orchestration.ingest.rules import judged, sound
from orchestration.ingest.sources import CONTRACT, FeedSource
from orchestration.ingest.sql import literal

WORKING_FILE = "format parquet, preserve_order true"


@dataclass(slots=True)
class Staging:
    """One file of a feed on its way to the lake under a `stem` (see Lake).

    `sound_rows` is their number once all are taken and none is at fault or stands twice.
    """

    connection: duckdb.DuckDBPyConnection
    lake: Lake
    feed: Feed
    stem: str
    load_id: str
    timezone: str
    declared: FeedSource
    sound_rows: int | None = None

    @property
    def unfinished(self) -> Path:
        """Where the rows of a sound file are until they are accepted."""
        return unfinished_name(self.lake.raw_file(self.feed, self.stem, None))

    def take(self, delivery: Delivery) -> bool:
        """Whether the file could be read whole; the view `judged` shows its rows then."""
        self.sound_rows = None if delivery.unknown else self._take_sound(delivery)
        return self.sound_rows is not None or fill(
            self.connection, self.lake, self.feed, delivery, self.timezone, self.declared
        )

    def _take_sound(self, delivery: Delivery) -> int | None:
        make_folder(self.unfinished.parent)
        select = sound(self.feed, delivery, self.load_id, self.timezone, self.declared)
        rows = _copied(self.connection, select, self.unfinished, PARQUET)
        if rows is None or delivery.rows not in (None, rows):
            return None
        show_sound(self.connection, self.feed, self.unfinished)
        return None if has_repeated_keys(self.connection, self.feed, rows) else rows

    def count(self, name: str, delivery: Delivery) -> FileCounts:
        """What became of the rows of the file called `name`."""
        broken = len(delivery.broken)
        if self.sound_rows is None:
            return count_rows(self.connection, name, delivery.rows, broken)
        return FileCounts(self.sound_rows + broken, self.sound_rows, broken, 0)

    def write(self) -> tuple[date, ...]:
        """Puts the sound rows into the lake; their months, where the feed has a month."""
        months = months_of_rows(self.connection, self.feed)
        if self.sound_rows is not None and len(months) <= 1:
            target = self.lake.raw_file(self.feed, self.stem, *months or (None,))
            make_folder(target.parent)
            self.unfinished.replace(target)
        else:
            write_rows(self.connection, self.lake, self.feed, self.stem, self.load_id, months)
        return months

    def clear(self) -> None:
        """Removes what was not accepted."""
        self.unfinished.unlink(missing_ok=True)


def fill(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    feed: Feed,
    delivery: Delivery,
    timezone: str,
    declared: FeedSource = CONTRACT,
    *,
    keep_originals: bool = False,
) -> bool:
    """Whether the file could be read whole; the view `judged` shows every row of it then.

    False where the reader refuses it, or finds another number of rows than it has lines.
    """
    staged = lake.scratch / "judged.parquet"
    select = judged(feed, delivery, timezone, declared, keep_originals=keep_originals)
    rows = _copied(connection, select, staged, WORKING_FILE)
    if rows is None or delivery.rows not in (None, rows):
        return False
    show_judged(connection, feed, staged)
    judge_repeated_keys(connection, feed, rows)
    return True


def _copied(
    connection: duckdb.DuckDBPyConnection, select: str, target: Path, options: str
) -> int | None:
    """How many rows were written; None if the delivery could not be read to its end."""
    try:
        row = connection.execute(f"copy ({select}) to {literal(target)} ({options})").fetchone()
    except (duckdb.InvalidInputException, duckdb.ConversionException, UnicodeDecodeError):
        # The engine's message quotes the line, and may cut it in the middle of a character.
        return None
    except duckdb.IOException as error:
        if "Could not write" in str(error):  # a full disk says nothing of the file
            raise
        return None
    assert row is not None
    rows: int = row[0]
    return rows
