"""Rolling back: readers get an older publication again, in one step and on record."""

from __future__ import annotations

from orchestration.audit.files import file_sha256, read_manifest
from orchestration.audit.publication_log import (
    PublicationEvent,
    add_event,
    current_by_the_record,
    let_go_events,
    read_events,
)
from orchestration.audit.runs import finished_runs
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.publish.publication import (
    MANIFEST,
    current_publication,
    list_publications,
    switch_to,
)


def roll_back(home: Home, name: str, by: str, reason: str | None) -> PublicationEvent | None:
    """Make an older publication the current one, until the next run publishes.

    The intention is written down first and then carried out: killed in between, readers
    keep what they had and `finish_rollback` does the rest. The caller holds the lock and
    has recovered the home.

    Args:
        home: the home whose readers get the other publication.
        name: the run of the publication, or the beginning of its name.
        by: who answers for it.
        reason: why, if that is told.

    Returns:
        The event; None if that publication is in use already.

    Raises:
        ConfigurationError: there is no such publication, or it is not whole.
    """
    run_id = _found(home, name)
    _require_whole(home, run_id)
    current = current_publication(home)
    if run_id == current:
        return None
    event = add_event(home, "rolled_back", by, reason=reason, from_run=current, to_run=run_id)
    switch_to(home, run_id)
    return event


def finish_rollback(home: Home) -> None:
    """Switch to the publication last rolled back to, where a kill came in between."""
    published = [run.run_id for run in finished_runs(home) if run.status == "published"]
    wanted = current_by_the_record(read_events(home), published[-1] if published else None)
    if wanted and wanted != current_publication(home) and (home.published / wanted).is_dir():
        switch_to(home, wanted)


def _found(home: Home, name: str) -> str:
    kept = list_publications(home)
    found = [run_id for run_id in kept if run_id.startswith(name)] if name else []
    if len(found) == 1:
        return found[0]
    gone = {
        run_id: event
        for run_id, event in let_go_events(read_events(home)).items()
        if name and run_id.startswith(name)
    }
    if len(gone) == 1 and not found:
        ((run_id, event),) = gone.items()
        raise ConfigurationError(
            f"The publication of run {run_id} was let go on {event.at:%Y-%m-%d %H:%M} UTC "
            f"by {event.by}. There are: {', '.join(kept) or 'none'}."
        )
    raise ConfigurationError(
        f"'{name}' names {len(found) or 'no'} publications of {home.root}. "
        f"There are: {', '.join(kept) or 'none'}."
    )


def _require_whole(home: Home, run_id: str) -> None:
    """Every file of the publication is there and as its run left it."""
    folder = home.published / run_id
    expected = {run.run_id: run.manifest_sha256 for run in finished_runs(home)}.get(run_id)
    faults = []
    if file_sha256(folder / MANIFEST) != expected:
        faults.append(f"its {MANIFEST} was changed")
    else:
        for entry in read_manifest(folder / MANIFEST)["files"]:
            path = folder / entry["path"]
            if not path.is_file():
                faults.append(f"{entry['path']} is missing")
            elif file_sha256(path) != entry["sha256"]:
                faults.append(f"{entry['path']} was changed")
    if faults:
        raise ConfigurationError(
            f"The publication of run {run_id} is not whole: {faults[0]}. Readers keep what "
            "they have; `tierwise audit verify` names everything that differs."
        )
