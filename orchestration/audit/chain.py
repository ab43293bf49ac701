"""The chain of runs: each manifest is held by its record, its publication and the next run."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from orchestration.audit.publication_log import (
    FOLDER,
    PublicationEvent,
    event_path,
    let_go_events,
    parse_event,
)
from orchestration.audit.runs import RunRecord, read_record, record_of
from orchestration.audit.store import EvidenceStore
from orchestration.publish.publication import MANIFEST


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the evidence says: where, and what."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(frozen=True)
class Link:
    """One run of the chain; None for what is missing or cannot be read.

    `let_go` is the event that let its publication go, if one did.
    """

    run_id: str
    manifest: dict[str, Any] | None
    manifest_sha256: str | None
    record: RunRecord | None
    published_sha256: str | None
    let_go: PublicationEvent | None = None

    @property
    def manifest_path(self) -> str:
        """Where the manifest lies below the home."""
        return f"audit/evidence/{self.run_id}/{MANIFEST}"

    @property
    def record_path(self) -> str:
        """Where the run's row of the ledger lies below the home."""
        return f"audit/runs/{self.run_id}.parquet"

    @property
    def published_path(self) -> str:
        """Where the publication's copy of the manifest lies below the home."""
        return f"published/{self.run_id}/{MANIFEST}"


def read_chain(store: EvidenceStore) -> list[Link]:
    """Every run that has a manifest or a record, in order of their names."""
    manifests = [path for path in store.under("audit/evidence") if path.endswith(f"/{MANIFEST}")]
    records = [path for path in store.under("audit/runs") if not path.endswith("/schema.parquet")]
    run_ids = {path.split("/")[2] for path in manifests}
    run_ids |= {path.rsplit("/", 1)[1].split(".")[0] for path in records}
    let_go = let_go_events(read_log(store))
    return [_link(store, run_id, let_go.get(run_id)) for run_id in sorted(run_ids)]


def read_log(store: EvidenceStore) -> list[PublicationEvent]:
    """The events of the publication log that can be read, in order."""
    events = (_event(store, path) for path in store.under(FOLDER) if path.endswith(".json"))
    return [event for event in events if event is not None]


def _event(store: EvidenceStore, path: str) -> PublicationEvent | None:
    try:
        return parse_event(store.read(path))
    except (OSError, KeyError, ValueError):
        return None


def _link(store: EvidenceStore, run_id: str, let_go: PublicationEvent | None) -> Link:
    places = Link(run_id, None, None, None, None)

    def sha256(path: str) -> str | None:
        return store.sha256(path) if store.has(path) else None

    return Link(
        run_id=run_id,
        manifest=_manifest(store, places.manifest_path),
        manifest_sha256=sha256(places.manifest_path),
        record=_record(store, places.record_path),
        published_sha256=sha256(places.published_path),
        let_go=let_go,
    )


def _manifest(store: EvidenceStore, path: str) -> dict[str, Any] | None:
    try:
        loaded = json.loads(store.read(path))
    except (OSError, KeyError, ValueError):
        return None
    return loaded if isinstance(loaded, dict) and "earlier_runs" in loaded else None


def _record(store: EvidenceStore, path: str) -> RunRecord | None:
    try:
        return read_record(io.BytesIO(store.read(path)))
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException):
        return None


def chain_differences(store: EvidenceStore, chain: list[Link]) -> Iterator[Difference]:
    """What is wrong with manifests, records and the order of runs, the oldest first."""
    right = _right_hashes(chain)
    for index, link in enumerate(chain):
        following = chain[index + 1] if index + 1 < len(chain) else None
        yield from _link_differences(store, link, right[index], following)
        if link.manifest is not None:
            yield from _order_differences(store, link, link.manifest, chain[:index])
    yield from _log_differences(store, chain, right)


def _log_differences(
    store: EvidenceStore, chain: list[Link], right: list[str | None]
) -> Iterator[Difference]:
    """Whether every event stands where it did: in its number, after its run."""
    manifests = {link.run_id: sha256 for link, sha256 in zip(chain, right, strict=True)}
    paths = [path for path in store.under(FOLDER) if path.endswith(".json")]
    listed = {
        entry["path"]: (link.run_id, entry["sha256"])
        for link in reversed(chain)
        for entry in (link.manifest or {}).get("publication_log", ())
    }
    previous: str | None = None
    for number in range(1, len({*paths, *listed}) + 1):
        path = event_path(number)
        if path not in paths:
            by = f"; run {listed[path][0]} listed it" if path in listed else ""
            yield Difference(path, f"the event of the publication log is missing{by}")
            return
        sha256, event = store.sha256(path), _event(store, path)
        if path in listed and sha256 != listed[path][1]:
            run_id, expected = listed[path]
            yield Difference(
                path,
                f"the event of the publication log was changed: its SHA-256 is {sha256}, "
                f"run {run_id} listed {expected}",
            )
        elif event is None or event.number != number or event.previous_sha256 != previous:
            yield Difference(path, "the event does not follow the one before it; it was put in")
        elif manifests.get(event.after_run, event.after_manifest_sha256) != (
            event.after_manifest_sha256
        ):
            yield Difference(path, f"the event was not made after run {event.after_run} as it is")
        elif path not in listed and any(link.run_id > event.after_run for link in chain):
            yield Difference(path, "is listed by no later run; it was put in")
        previous = sha256


def _right_hashes(chain: list[Link]) -> list[str | None]:
    """The hash each manifest should have.

    From the newest to the oldest: what the next run says if its own manifest is right,
    else what most of record, publication and manifest say.
    """
    right: list[str | None] = []
    said: dict[str, str] = {}
    for link in reversed(chain):
        witnesses = [
            said.get(link.run_id),
            link.record.manifest_sha256 if link.record else None,
            link.published_sha256,
            link.manifest_sha256,
        ]
        heard = Counter(witness for witness in witnesses if witness)
        expected = said.get(link.run_id) or (heard.most_common(1)[0][0] if heard else None)
        right.append(expected)
        is_right = link.manifest is not None and link.manifest_sha256 == expected
        earlier = link.manifest["earlier_runs"] if is_right and link.manifest else []
        said = {run["run_id"]: run["manifest_sha256"] for run in earlier} or said
    return right[::-1]


def _link_differences(
    store: EvidenceStore, link: Link, right: str | None, following: Link | None
) -> Iterator[Difference]:
    if link.manifest_sha256 is None:
        yield Difference(link.manifest_path, f"the manifest of run {link.run_id} is missing")
    elif link.manifest_sha256 != right:
        witness = (
            f"run {following.run_id} was chained to" if following else "its record was made for"
        )
        yield Difference(
            link.manifest_path,
            f"the manifest of run {link.run_id} was changed: its SHA-256 is "
            f"{link.manifest_sha256}, {witness} {right}",
        )
    elif link.manifest is None:
        yield Difference(link.manifest_path, "is no manifest of this version of Tierwise")
    if not store.has(link.record_path):
        yield Difference(link.record_path, f"the record of run {link.run_id} is missing")
    elif link.record is None:
        yield Difference(link.record_path, f"the record of run {link.run_id} cannot be read")
    elif link.manifest is not None and link.manifest_sha256 == right:
        yield from _record_differences(link, link.record, record_of(link.manifest, str(right)))
    was_published = link.manifest is not None and link.manifest["run"]["status"] == "published"
    is_gone = link.let_go is not None and link.published_sha256 is None
    if store.is_whole and was_published and not is_gone and link.published_sha256 != right:
        told = "is missing" if link.published_sha256 is None else "was changed"
        yield Difference(link.published_path, f"the manifest of the publication {told}")


def _record_differences(link: Link, found: RunRecord, expected: RunRecord) -> Iterator[Difference]:
    for name, value in asdict(expected).items():
        stated = getattr(found, name)
        if stated != value:
            yield Difference(
                link.record_path,
                f"the record of run {link.run_id} says {name} = {stated}, its manifest {value}",
            )


def _order_differences(
    store: EvidenceStore, link: Link, manifest: dict[str, Any], before: list[Link]
) -> Iterator[Difference]:
    """Whether a run stands where it says: after exactly the runs it names."""
    named = [run["run_id"] for run in manifest["earlier_runs"]]
    last = manifest["earlier_runs"][-1] if manifest["earlier_runs"] else None
    pointers = (manifest["previous_run_id"], manifest["previous_manifest_sha256"])
    if manifest["run"]["run_id"] != link.run_id:
        yield Difference(
            link.manifest_path,
            f"the order of runs was changed: this is the manifest of {manifest['run']['run_id']}",
        )
        return
    if pointers != ((last["run_id"], last["manifest_sha256"]) if last else (None, None)):
        yield Difference(
            link.manifest_path,
            f"the order of runs was changed: run {link.run_id} follows {pointers[0]}, "
            f"but the last run it names is {last['run_id'] if last else None}",
        )
    present = [earlier.run_id for earlier in before]
    if not store.is_whole or present == named:
        return
    lost = [run_id for run_id in named if run_id not in present]
    added = [run_id for run_id in present if run_id not in named]
    told = [f"{', '.join(lost)} missing"] if lost else []
    told += [f"{', '.join(added)} put in"] if added else []
    yield Difference(
        "audit/runs",
        f"the order of runs was changed: of the runs before {link.run_id}, "
        f"{'; '.join(told) or 'the order'}",
    )
