"""What a run shows in a terminal: progress while it works, a summary at its end."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class ConsoleProgress:
    """One bar per phase on a terminal, one line per phase and its time elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[step]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._title = ""
        self._began = 0.0

    def __enter__(self) -> ConsoleProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_phase()
        self._bars.stop()

    def phase(self, title: str) -> None:
        """Begin a phase."""
        self._end_phase()
        self._title, self._began = title, time.monotonic()
        self._task = self._bars.add_task(title, total=None, step="")

    def step(self, text: str, done: int, total: int | None) -> None:
        """Move the bar of the phase."""
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total, step=text[:60])

    def _end_phase(self) -> None:
        if self._task is None:
            return
        seconds = time.monotonic() - self._began
        finished = self._bars.tasks[self._task].completed
        self._bars.update(self._task, total=finished or 1, completed=finished or 1, step="")
        self._bars.stop_task(self._task)
        if not self._console.is_terminal:
            self._console.print(f"{self._title}: {seconds:.1f} s", highlight=False)
        self._task = None
