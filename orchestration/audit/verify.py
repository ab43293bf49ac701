"""Whether anything was changed since: every hash computed anew, on a home or on a pack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from orchestration.audit.chain import Difference, Link, chain_differences, read_chain, read_log
from orchestration.audit.derived import derived_files
from orchestration.audit.publication_log import current_by_the_record, event_path
from orchestration.audit.rows import ledger_rows_changed, published_rows_changed
from orchestration.audit.store import EvidenceStore, HomeStore, PackStore
from orchestration.home import Home
from orchestration.publish.publication import DATABASE, MANIFEST, current_publication
from orchestration.publish.retention import NEEDED_BY_THE_NEXT_RUN, kept_part

OnFile = Callable[[str], None]
_NOT_IN_A_PACK = ("lake/raw/", "lake/quarantine/", "published/")
_LAKE = ("lake/ledger/", "lake/raw/", "lake/quarantine/", "lake/releases/")
_KINDS = {
    "lake/ledger/": "load ledger",
    "lake/raw/": "file of loaded rows",
    "lake/quarantine/": "file of quarantined rows",
    "lake/releases/": "file of released rows' links",
    "audit/validation/": "validation result",
    "audit/great_expectations/": "validation result",
    "audit/data_docs/": "validation report",
    "audit/reference_sets/": "rule table",
    "audit/evidence/": "dbt artifact",
}


@dataclass
class Verification:
    """What a verification found.

    `differences` come in the order in which things depend on each other, so the first is
    the one to look at. `notes` are no faults. `head` is the hash that stands for all:
    that of the last manifest, or of an event of the publication log after it.
    """

    runs: int = 0
    files: int = 0
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    head: str | None = None

    @property
    def is_right(self) -> bool:
        """Whether everything is as it was left."""
        return not self.differences


def verify_home(home: Home, on_file: OnFile | None = None) -> Verification:
    """Verify every run of a home; nothing is opened for writing."""
    store = HomeStore(home.root)
    chain, found = _verify_chain(store)
    found.differences += _listed_files(store, chain, found, on_file)
    found.differences += _reference_in_force(store, chain)
    for link in chain:
        found.differences += _publication(home, link, found, on_file)
    found.differences += _current(home, chain)
    found.differences += _unlisted_lake(store, chain, found)
    return found


def verify_pack(path: Path, on_file: OnFile | None = None) -> Verification:
    """Verify a pack by itself.

    Raises:
        ConfigurationError: the file is no evidence pack.
    """
    store = PackStore(path)
    chain, found = _verify_chain(store)
    if not chain:
        found.differences.append(Difference(path.name, "holds no manifest: it is no evidence pack"))
        return found
    found.differences += _listed_files(store, chain, found, on_file)
    found.differences += _rest_of_the_pack(store, chain[-1])
    found.notes.append(
        "A pack holds no rows: verify the lake and the publications on the home itself."
    )
    return found


def _verify_chain(store: EvidenceStore) -> tuple[list[Link], Verification]:
    chain = read_chain(store)
    found = Verification(runs=len(chain), differences=list(chain_differences(store, chain)))
    found.files += sum(link.manifest_sha256 is not None for link in chain)
    found.head = chain[-1].manifest_sha256 if chain else None
    log = read_log(store)
    found.files += len(log)
    if chain and log and log[-1].after_run == chain[-1].run_id:
        found.head = store.sha256(event_path(log[-1].number))
    found.notes += [
        f"{event.told()}. The evidence stays." if event.kind == "let_go" else f"{event.told()}."
        for event in log
    ]
    return chain, found


def _listed_files(
    store: EvidenceStore, chain: list[Link], found: Verification, on_file: OnFile | None
) -> Iterator[Difference]:
    """Every file that a manifest lists, judged once, by the first run that lists it."""
    judged: set[str] = set()
    for link in chain:
        manifest = link.manifest or {}
        sections = (
            ("lake", "evidence", "earlier_validation") if store.is_whole else ("lake", "evidence")
        )
        for entry in (entry for name in sections for entry in manifest.get(name, ())):
            path = entry["path"]
            if path in judged or (not store.is_whole and path.startswith(_NOT_IN_A_PACK)):
                continue
            judged.add(path)
            found.files += 1
            if on_file:
                on_file(path)
            what = _file_difference(store, link, path, entry["sha256"])
            if what:
                yield Difference(path, what)


def _file_difference(store: EvidenceStore, link: Link, path: str, sha256: str) -> str | None:
    kind = next(name for start, name in _KINDS.items() if path.startswith(start))
    if not store.has(path):
        return f"the {kind} of run {link.run_id} is missing"
    found = store.sha256(path)
    if found == sha256:
        return None
    detail = ""
    if kind == "load ledger":
        detail = ledger_rows_changed(store.read(path), (link.manifest or {}).get("inputs", []))
    return (
        f"the {kind} was changed: its SHA-256 is {found}, run {link.run_id} listed {sha256}{detail}"
    )


def _reference_in_force(store: HomeStore, chain: list[Link]) -> Iterator[Difference]:
    """The rule tables that lie in the lake are those of the last run."""
    if not chain or not chain[-1].manifest:
        return
    for name, sha256 in chain[-1].manifest["configuration"]["reference"].items():
        path = f"lake/reference/{name}.csv"
        if not store.has(path):
            yield Difference(path, f"the rule table of run {chain[-1].run_id} is missing")
        elif store.sha256(path) != sha256:
            yield Difference(path, f"the rule table was changed after run {chain[-1].run_id}")


def _publication(
    home: Home, link: Link, found: Verification, on_file: OnFile | None
) -> Iterator[Difference]:
    if not link.manifest or link.manifest["run"]["status"] != "published":
        return
    folder = home.published / link.run_id
    listed = {entry["path"]: entry["sha256"] for entry in link.manifest["files"]}
    if link.let_go and not folder.is_dir():
        folder = kept_part(home, link.run_id)
        listed = {
            path: sha256
            for path, sha256 in listed.items()
            if path.startswith(NEEDED_BY_THE_NEXT_RUN)
        }
    store = HomeStore(folder)
    below = folder.relative_to(home.root)
    for path, sha256 in listed.items():
        found.files += 1
        place = f"{below}/{path}"
        if on_file:
            on_file(place)
        if not store.has(path):
            yield Difference(place, "the published file is missing")
        elif store.sha256(path) != sha256:
            detail = published_rows_changed(folder, path, link.manifest["outputs"])
            kind = "database" if path.endswith(DATABASE) else "published file"
            yield Difference(place, f"the {kind} was changed{detail}")
    for path in store.under(""):
        if path not in listed and path != MANIFEST:
            yield Difference(f"{below}/{path}", "is no file of the publication; it was put in")


def _current(home: Home, chain: list[Link]) -> Iterator[Difference]:
    current = current_publication(home)
    known = {
        link.run_id
        for link in chain
        if link.manifest and link.manifest["run"]["status"] == "published"
    }
    if current is not None and current not in known:
        yield Difference("published/current", f"leads to {current}, which no run published")
        return
    expected = current_by_the_record(read_log(HomeStore(home.root)), max(known, default=None))
    if current != expected:
        yield Difference(
            "published/current",
            f"leads to {current or 'nothing'}; by the record, readers should have {expected}. "
            "A rollback that was killed is finished by the next run or rollback",
        )


def _unlisted_lake(
    store: HomeStore, chain: list[Link], found: Verification
) -> Iterator[Difference]:
    """Files of the lake that no run lists: put in, or left by a run that did not end."""
    if not chain or not chain[-1].manifest:
        return
    last = chain[-1]
    assert last.manifest is not None
    listed = {entry["path"] for entry in last.manifest["lake"]}
    contents = {entry["file_sha256"] for entry in last.manifest["inputs"]}
    for path in store.under("lake"):
        is_evidence = path.startswith(_LAKE)
        name = path.rsplit("/", 1)[1]
        if not is_evidence or path in listed or name == "schema.parquet":
            continue
        in_the_past = path.startswith("lake/ledger/") and name.split(".")[0] <= last.run_id
        if in_the_past or name.split(".")[0] in contents:
            yield Difference(path, "is listed by no run; it was put in")
        else:
            found.notes.append(f"{path} belongs to a run that has not ended, or was killed.")


def _rest_of_the_pack(store: PackStore, link: Link) -> Iterator[Difference]:
    """What a pack holds besides listed files: made from the manifest, or put in."""
    if link.manifest is None:
        return
    made = derived_files(link.manifest)
    sections = ("lake", "evidence", "publication_log")
    listed = {entry["path"] for name in sections for entry in link.manifest.get(name, ())} | {
        link.manifest_path,
        link.record_path,
    }
    for path in store.under(""):
        if path in made and store.read(path) != made[path]:
            yield Difference(path, "was changed: it does not follow from the manifest")
        elif path not in made and path not in listed:
            yield Difference(path, "is no part of the pack; it was put in")
    for path in made:
        if not store.has(path):
            yield Difference(path, "is missing")
