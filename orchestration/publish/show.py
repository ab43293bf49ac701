"""What `tierwise publish list` prints, read from the manifests and the publication log."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from orchestration.audit.files import read_manifest
from orchestration.audit.publication_log import let_go_events, read_events
from orchestration.audit.runs import finished_runs
from orchestration.home import Home
from orchestration.publish.publication import MANIFEST, current_publication, list_publications


def print_publications(console: Console, home: Home) -> None:
    """One line per publication, the oldest first; then what was done to them."""
    kept, current, events = list_publications(home), current_publication(home), read_events(home)
    let_go = let_go_events(events)
    runs = {run.run_id: run for run in finished_runs(home) if run.status == "published"}
    if not kept:
        console.print(f"Nothing is published in {home.root} yet; start with `tierwise run`.")
        return
    table = Table(
        Column("run", no_wrap=True), "published (UTC)", "closing month", "tables", "rows", "MB", ""
    )
    for run_id in sorted({*kept, *runs}):
        run = runs.get(run_id)
        if run_id not in kept:
            event = let_go.get(run_id)
            when = f"let go on {event.at:%Y-%m-%d %H:%M}" if event else "gone"
            state, size = when, ("", "", "")
        else:
            state, size = "current" if run_id == current else "kept", _size(home, run_id)
        table.add_row(
            run_id,
            f"{run.finished_at:%Y-%m-%d %H:%M}" if run else "",
            f"{run.closing_month:%Y-%m}" if run and run.closing_month else "",
            *size,
            state,
        )
    console.print(table)
    for event in events:
        console.print(event.told(), markup=False)


def _size(home: Home, run_id: str) -> tuple[str, str, str]:
    """Tables, rows and megabytes of a publication; the two names of its database count once."""
    manifest = read_manifest(home.published / run_id / MANIFEST)
    outputs = manifest["outputs"]
    files = {entry["sha256"]: entry["bytes"] for entry in manifest["files"]}
    rows = sum(output["rows"] for output in outputs)
    return f"{len(outputs)}", f"{rows:,}", f"{sum(files.values()) / 1e6:,.1f}"
