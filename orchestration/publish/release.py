"""The last steps of a run: its publication becomes the one readers get, and is on record."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.audit.manifest import Published, keep_manifest
from orchestration.audit.runs import RunRecord, record_run
from orchestration.publish.publication import MANIFEST, finish_publication
from orchestration.publish.retention import let_go_of_old_publications

if TYPE_CHECKING:
    from orchestration.session import RunSession


@dataclass(frozen=True)
class Released:
    """A publication in use: where it lies, its record, and the runs it let go of."""

    folder: Path
    record: RunRecord
    let_go: list[str]


def release(session: RunSession, published: Published) -> Released:
    """Put the evidence together, switch readers over, enter the run, let old ones go.

    Killed at any step, a whole publication is current and `recover` does the rest.
    """
    home, run_id = session.home, session.run_id
    record = keep_manifest(session, "published", published)
    shutil.copyfile(home.run_evidence(run_id) / MANIFEST, published.folder / MANIFEST)
    folder = finish_publication(home, run_id, published.folder)
    record_run(home, record)
    kept = session.settings.publications_kept
    return Released(folder, record, let_go_of_old_publications(home, kept, f"run {run_id}"))
