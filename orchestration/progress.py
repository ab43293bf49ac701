"""What a run says while it works; the command line draws it, Dagster's log keeps it."""

from __future__ import annotations

import logging
from typing import Protocol


class Progress(Protocol):
    """Somebody who is told how far a run is."""

    def phase(self, title: str) -> None:
        """A new phase of the run begins."""

    def step(self, text: str, done: int, total: int | None) -> None:
        """A step of the phase ended; `done` of `total` steps, if the total is known."""


class LogProgress:
    """Progress as log lines, for runs started in Dagster's own interface."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def phase(self, title: str) -> None:
        """Log the phase."""
        self._logger.info(title)

    def step(self, text: str, done: int, total: int | None) -> None:
        """Log the step."""
        self._logger.info("%s/%s %s", done, total or "?", text)
