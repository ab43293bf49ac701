"""The files of one feed on their way into the landing folder, each row exactly once.

A file counts in steps: its totals and the new boundary are announced in the state, it gets
its final name, its totals go among those of the folder, the state takes the announced
boundary over. An extraction that was killed between them is settled by the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.extract.cursors import Boundary, CursorError, CursorValue, Row
from orchestration.extract.parts import Part, Shape, has_content, set_control_totals
from orchestration.extract.state import Announced, State, read_state, sync_folder, write_state
from orchestration.extract.values import Zones
from orchestration.ingest.contract import Column

ROWS_PER_FILE = 1_000_000


class Delivery:
    """The delivery of a feed: opened, then fed with batches in order of the cursor.

    `rows` and `files` are what it has delivered so far. The folder is that of the feed in
    the landing area, the room the one in the home where the states are kept.
    """

    def __init__(self, source: str, feed: str, folder: Path, room: Path, zones: Zones) -> None:
        self.feed = feed
        self.rows = 0
        self.files: list[str] = []
        self._source = source
        self._folder = folder
        self._state_file = room / f"{source}.{feed}.json"
        self._zones = zones
        self._columns: Sequence[Column] = ()
        self._shape = Shape((), zones)
        self._state = State("")
        self._before = self._boundary = Boundary()
        self._left_out = Counter[str]()
        self._part: Part | None = None

    @property
    def where(self) -> str:
        """The words that begin every message."""
        return f"Source {self._source}, feed {self.feed}"

    @property
    def since(self) -> CursorValue | None:
        """The greatest cursor value delivered."""
        return self._boundary.value

    @contextmanager
    def opened(self, columns: Sequence[Column], cursor: str) -> Iterator[None]:
        """Settles what a killed extraction left; delivers the last file at the end.

        Raises ConfigurationError if the folder, the state or the cursor cannot be used.
        """
        self._columns = columns
        self._shape = Shape(columns, self._zones)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._state = self._settled(read_state(self._state_file, self.where, cursor))
            self._before = self._boundary = self._state.boundary
            yield
            self._deliver()
        except CursorError as error:
            raise ConfigurationError(f"{self.where}: the cursor {cursor} {error}.") from None
        except OSError as error:
            raise ConfigurationError(
                f"{self.where}: {error.filename or self._folder} cannot be written "
                f"({error.strerror or error})."
            ) from error
        finally:
            if self._part:
                self._part.discard()

    def take(self, batch: Sequence[Row]) -> None:
        """Writes the rows of a batch that were not delivered before."""
        rows = self._before.without_delivered(batch, self._left_out, self._zones)
        if not rows:
            return
        content = self._shape.batch(self.where, rows)
        if self._part and (self._part.rows >= ROWS_PER_FILE or self._part.schema != content.schema):
            self._deliver()
        if self._part is None:
            self._part = Part(self._unfinished, content.schema, self._columns)
        self._part.write(content)
        self._boundary = self._boundary.after(rows, self._zones)
        self.rows += len(rows)

    @property
    def _unfinished(self) -> Path:
        """Hidden, and of no type that is loaded."""
        return self._folder / f".{self._source}.tmp"

    def _deliver(self) -> None:
        """Gives the file at hand its final name and keeps the boundary it reached."""
        if self._part is None:
            return
        part, self._part = self._part, None
        totals = part.finish()
        name = f"{self._source}-{self._state.sequence + 1:08}.parquet"
        target = self._folder / name
        if target.exists():
            part.path.unlink()
            raise ConfigurationError(
                f"{self.where}: {target} is there already, though {self._state_file} does not "
                "know it. Take the home it was extracted from, or move the file away."
            )
        self._keep(replace(self._state, announced=Announced(name, totals, self._boundary)))
        part.path.replace(target)
        sync_folder(self._folder)
        set_control_totals(self._folder, name, totals)
        self._keep(self._state.with_delivered(self._boundary))
        self.files.append(name)

    def _settled(self, state: State) -> State:
        """The state after an extraction that was killed while it delivered a file."""
        self._unfinished.unlink(missing_ok=True)
        if state.announced is None:
            return state
        announced = state.announced
        if has_content(self._folder / announced.name, announced.totals["sha256"]):
            set_control_totals(self._folder, announced.name, announced.totals)
            state = state.with_delivered(announced.boundary)
        else:
            state = replace(state, announced=None)
        self._keep(state)
        return state

    def _keep(self, state: State) -> None:
        write_state(self._state_file, state)
        self._state = state
