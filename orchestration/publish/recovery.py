"""Bringing a home into agreement with itself after a killed run, rollback or removal."""

from __future__ import annotations

from orchestration.audit.runs import recover_publications
from orchestration.home import Home
from orchestration.publish.publication import sweep_unfinished
from orchestration.publish.retention import remove_let_go
from orchestration.publish.rollback import finish_rollback


def recover(home: Home) -> None:
    """Remove what was left half, and finish what was written down; the caller holds the lock."""
    sweep_unfinished(home)
    recover_publications(home)
    finish_rollback(home)
    remove_let_go(home)
