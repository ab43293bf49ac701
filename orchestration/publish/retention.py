"""Letting publications go: which, in what order, and what of them stays as evidence."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestration.audit.publication_log import add_event, let_go_events, read_events
from orchestration.home import Home
from orchestration.publish.publication import (
    UNFINISHED,
    current_publication,
    list_publications,
)

# The run after a publication starts from its beliefs and weighs failures by its tiers:
# with these two, and its inputs, that run can be reproduced whatever was let go.
NEEDED_BY_THE_NEXT_RUN = (
    "parquet/snapshots/customer_tier_snapshot",
    "parquet/marts/dim_customer",
)


def kept_part(home: Home, run_id: str) -> Path:
    """Where the part of a publication that stays lies, laid out as in the publication."""
    return home.run_evidence(run_id) / "publication"


def publication_or_kept_part(home: Home, run_id: str) -> Path:
    """The publication's folder; of one that was let go, the part that stays."""
    whole = home.published / run_id
    return whole if whole.is_dir() else kept_part(home, run_id)


def let_go_of_old_publications(home: Home, keep: int, by: str) -> list[str]:
    """Keep the newest publications and the one in use, and remove the others.

    First what must stay is copied, then the removal is written down, then each folder
    leaves its name in one step: killed in between, `remove_let_go` does the rest. A
    reader that has a removed file open keeps reading it. The caller holds the lock.

    Args:
        home: the home to tidy.
        keep: how many publications to keep, at least 1.
        by: the run that lets go.

    Returns:
        The runs whose publications were let go, oldest first.
    """
    current = current_publication(home)
    old = [run_id for run_id in list_publications(home)[:-keep] if run_id != current]
    if not old:
        return []
    for run_id in old:
        _keep_needed_part(home, run_id)
    add_event(home, "let_go", by, run_ids=tuple(old))
    remove_let_go(home)
    return old


def remove_let_go(home: Home) -> None:
    """Remove every publication that the log says was let go, if it is still there."""
    for run_id in let_go_events(read_events(home)):
        folder = home.published / run_id
        if folder.is_dir():
            leaving = home.published / f"{UNFINISHED}{run_id}"
            shutil.rmtree(leaving, ignore_errors=True)
            folder.rename(leaving)
            shutil.rmtree(leaving)


def _keep_needed_part(home: Home, run_id: str) -> None:
    target = kept_part(home, run_id)
    unfinished = target.with_name(f"{UNFINISHED}publication")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in NEEDED_BY_THE_NEXT_RUN:
        source = home.published / run_id / name
        if source.is_dir():
            shutil.copytree(source, unfinished / name, copy_function=_link_or_copy)
    shutil.rmtree(target, ignore_errors=True)
    if unfinished.is_dir():
        unfinished.rename(target)


def _link_or_copy(source: str, target: str) -> None:
    """The file under another name; a copy where the disk is another."""
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
