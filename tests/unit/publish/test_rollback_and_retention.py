"""Rolling back and letting go: on record, never half, and readers go on reading."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.audit.chain import read_chain
from orchestration.audit.files import file_sha256, read_manifest
from orchestration.audit.pack import write_pack
from orchestration.audit.publication_log import event_path, read_events
from orchestration.audit.reproduce import reproduce
from orchestration.audit.store import HomeStore
from orchestration.audit.trace import trace
from orchestration.audit.verify import verify_home, verify_pack
from orchestration.errors import ConfigurationError, HomeLockedError
from orchestration.home import Home
from orchestration.ingest.lock import HomeLock
from orchestration.publish.publication import (
    CURRENT,
    MANIFEST,
    current_publication,
    list_publications,
    switch_to,
)
from orchestration.publish.recovery import recover
from orchestration.publish.retention import (
    NEEDED_BY_THE_NEXT_RUN,
    kept_part,
    let_go_of_old_publications,
)
from orchestration.publish.rollback import roll_back
from tests.support.command import tierwise
from tests.support.publications import build_warehouse, home_with, publish, run_id_of


def rollback(home: Home, number: int) -> None:
    recover(home)
    roll_back(home, run_id_of(number), "Chen Jing", "wrong prices")


def revenue(home: Home) -> str:
    database = home.published / CURRENT / "tierwise.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        return str(connection.execute("select max(revenue) from marts.customer_monthly").fetchone())


# --- Rolling back ------------------------------------------------------------------------


def test_a_home_copied_by_a_program_that_follows_links_is_told(tmp_path: Path) -> None:
    home = home_with(tmp_path, 2)
    copy = Home(Path(shutil.copytree(home.root, tmp_path / "copy")))
    with pytest.raises(ConfigurationError, match="current is a folder, not a link") as told:
        switch_to(copy, run_id_of(1))
    assert "cp -a" in str(told.value)
    shutil.rmtree(copy.published / CURRENT)
    switch_to(copy, run_id_of(1))
    assert current_publication(copy) == run_id_of(1)


def test_readers_get_the_older_publication_until_the_next_run(tmp_path: Path) -> None:
    home = home_with(tmp_path, 3)
    event = roll_back(home, run_id_of(1), "Chen Jing", "wrong prices")
    assert event is not None
    assert (event.from_run, event.to_run, event.by) == (run_id_of(3), run_id_of(1), "Chen Jing")
    assert "1.0001" in revenue(home)
    assert verify_home(home).differences == []

    build_warehouse(home, 4)
    publish(home, 4)
    assert current_publication(home) == run_id_of(4)
    assert "4.0001" in revenue(home)
    found = verify_home(home)
    assert found.differences == []
    assert any("by Chen Jing: wrong prices" in note for note in found.notes)
    logged = read_manifest(home.run_evidence(run_id_of(4)) / MANIFEST)["publication_log"]
    assert [entry["path"] for entry in logged] == [event_path(1)]


def test_rolling_back_to_what_is_in_use_changes_nothing(tmp_path: Path) -> None:
    home = home_with(tmp_path, 2)
    assert roll_back(home, run_id_of(2), "Chen Jing", None) is None
    assert read_events(home) == []


def test_forward_again_is_a_rollback_too(tmp_path: Path) -> None:
    home = home_with(tmp_path, 2)
    rollback(home, 1)
    rollback(home, 2)
    assert current_publication(home) == run_id_of(2)
    assert [event.to_run for event in read_events(home)] == [run_id_of(1), run_id_of(2)]
    assert verify_home(home).differences == []


@pytest.mark.parametrize("name", ["", "2019", "202501", "current", "../published"])
def test_what_names_no_publication_is_refused(tmp_path: Path, name: str) -> None:
    home = home_with(tmp_path, 2)
    with pytest.raises(ConfigurationError, match=f"There are: {run_id_of(1)}"):
        roll_back(home, name, "Chen Jing", None)
    assert current_publication(home) == run_id_of(2)
    assert read_events(home) == []


def take_away(folder: Path) -> str:
    (folder / "parquet" / "marts" / "dim_customer" / "dim_customer.parquet").unlink()
    return "parquet/marts/dim_customer/dim_customer.parquet is missing"


def cut_short(folder: Path) -> str:
    with (folder / "marts.duckdb").open("r+b") as stream:
        stream.truncate(1000)
    return "marts.duckdb was changed"


def forge(folder: Path) -> str:
    path = folder / MANIFEST
    path.write_text(path.read_text().replace("2025-03", "2025-04"))
    return "its manifest.json was changed"


@pytest.mark.parametrize("damage", [take_away, cut_short, forge])
def test_an_incomplete_publication_is_refused(
    tmp_path: Path, damage: Callable[[Path], str]
) -> None:
    home = home_with(tmp_path, 2)
    words = damage(home.published / run_id_of(1))
    with pytest.raises(ConfigurationError, match="is not whole") as refused:
        roll_back(home, run_id_of(1), "Chen Jing", None)
    assert words in str(refused.value)
    assert current_publication(home) == run_id_of(2)


def test_the_command_takes_the_lock_and_says_what_it_did(tmp_path: Path) -> None:
    home = home_with(tmp_path, 2)
    command = ("publish", "rollback", run_id_of(1), "--home", home.root, "--reason", "prices")
    with HomeLock(home.root):
        assert tierwise(*command).returncode == HomeLockedError.exit_code
    assert current_publication(home) == run_id_of(2)
    done = tierwise(*command)
    assert done.returncode == 0, done.stderr
    assert f"rolled back from {run_id_of(2)} to {run_id_of(1)}" in done.stdout
    assert "in use already; nothing was changed" in tierwise(*command).stdout
    listed = tierwise("publish", "list", "--home", home.root).stdout
    (line,) = [line for line in listed.splitlines() if run_id_of(1) in line and "│" in line]
    assert "current" in line
    assert f"to {run_id_of(1)}, by " in listed
    unknown = tierwise("publish", "rollback", "2019", "--home", home.root)
    assert unknown.returncode == 2
    assert unknown.stderr.count("\n") == 1
    nowhere = tierwise("publish", "rollback", "2019", "--home", tmp_path / "nowhere")
    assert nowhere.returncode == 2
    assert not (tmp_path / "nowhere").exists()


# --- Letting go --------------------------------------------------------------------------


def test_the_newest_are_kept_and_the_evidence_of_the_others(tmp_path: Path) -> None:
    home = home_with(tmp_path, 5, keep=2)
    assert list_publications(home) == [run_id_of(4), run_id_of(5)]
    found = verify_home(home)
    assert found.differences == []
    assert sum("let go" in note for note in found.notes) == 3
    for number in (1, 2, 3):
        evidence = home.run_evidence(run_id_of(number))
        assert (evidence / MANIFEST).is_file()
        kept = {path.relative_to(evidence / "publication") for path in evidence.rglob("*.parquet")}
        assert {path.parent.as_posix() for path in kept} == set(NEEDED_BY_THE_NEXT_RUN)
    with pytest.raises(ConfigurationError, match=f"{run_id_of(2)} was let go on .* by run"):
        roll_back(home, run_id_of(2), "Chen Jing", None)


def test_lists_tell_what_was_let_go(tmp_path: Path) -> None:
    home = home_with(tmp_path, 3, keep=1)
    for command in ("publish", "audit"):
        lines = tierwise(command, "list", "--home", home.root).stdout.splitlines()
        (line,) = [line for line in lines if run_id_of(1) in line and "│" in line]
        assert "let go" in line
    verified = tierwise("audit", "verify", "--home", home.root)
    assert verified.returncode == 0
    assert f"let go {run_id_of(1)}, by run {run_id_of(2)}. The evidence stays." in verified.stdout


def test_a_reader_that_has_it_open_keeps_reading(tmp_path: Path) -> None:
    home = home_with(tmp_path, 1, customers=20_000)
    database = home.published / run_id_of(1) / "tierwise.duckdb"
    with duckdb.connect(str(database), read_only=True) as reader:
        cursor = reader.execute("select revenue from marts.customer_monthly")
        seen = cursor.fetchmany(1000)
        build_warehouse(home, 2)
        publish(home, 2, keep=1)
        assert not database.exists()
        seen += cursor.fetchall()
        assert len(seen) == 60_000
        assert {str(row[0]) for row in seen} == {"1.0001"}
        assert reader.execute("select count(*) from marts.dim_customer").fetchone() == (20_000,)


def test_the_one_in_use_is_never_let_go(tmp_path: Path) -> None:
    home = home_with(tmp_path, 3)
    rollback(home, 1)
    assert let_go_of_old_publications(home, 1, "test") == [run_id_of(2)]
    assert list_publications(home) == [run_id_of(1), run_id_of(3)]
    assert "1.0001" in revenue(home)
    assert verify_home(home).differences == []


def rolled_back_then_let_go(home: Home) -> list[str]:
    rollback(home, 2)
    let_go_of_old_publications(home, 1, "test")
    return [run_id_of(2), run_id_of(4)]


def let_go_then_rolled_back(home: Home) -> list[str]:
    let_go_of_old_publications(home, 2, "test")
    rollback(home, 3)
    return [run_id_of(3), run_id_of(4)]


def rolled_back_let_go_and_rolled_back(home: Home) -> list[str]:
    """What is no longer in use may go; the second rollback leads past it."""
    rollback(home, 1)
    let_go_of_old_publications(home, 2, "test")
    rollback(home, 3)
    let_go_of_old_publications(home, 2, "test")
    return [run_id_of(3), run_id_of(4)]


@pytest.mark.parametrize(
    "change",
    [rolled_back_then_let_go, let_go_then_rolled_back, rolled_back_let_go_and_rolled_back],
)
def test_verify_holds_whatever_came_first(
    tmp_path: Path, change: Callable[[Home], list[str]]
) -> None:
    home = home_with(tmp_path, 4)
    kept = change(home)
    assert list_publications(home) == kept
    assert current_publication(home) == kept[0]
    assert verify_home(home).differences == []
    build_warehouse(home, 5)
    publish(home, 5, keep=1)
    assert list_publications(home) == [run_id_of(5)]
    assert verify_home(home).differences == []
    forged = next(kept_part(home, kept[0]).rglob("dim_customer.parquet"))
    forged.write_bytes(forged.read_bytes() + b" ")
    assert [each.place for each in verify_home(home).differences] == [
        forged.relative_to(home.root).as_posix()
    ]


def test_a_publication_that_was_let_go_cannot_be_traced_and_says_so(tmp_path: Path) -> None:
    home = home_with(tmp_path, 2, keep=1)
    link = read_chain(HomeStore(home.root))[0]
    with pytest.raises(ConfigurationError, match="was let go"):
        trace(home, link, "marts.customer_monthly", "C0000001", "2025-01")


def test_reproducing_what_was_let_go_says_so(tmp_path: Path) -> None:
    home = home_with(tmp_path, 2, keep=1)
    link = read_chain(HomeStore(home.root))[0]
    assert link.manifest is not None
    missing = {"path": "lake/raw/x.parquet", "sha256": ""}
    stopped = replace(link, manifest={**link.manifest, "lake": [missing]})
    found = reproduce(home, stopped, Home(tmp_path / "scratch"), "1GB", print)
    assert [difference.place for difference in found.differences] == ["lake/raw/x.parquet"]
    assert any(f"The publication of run {run_id_of(1)} was let go" in n for n in found.notes)


def test_a_pack_holds_the_events_before_its_run(tmp_path: Path) -> None:
    home = home_with(tmp_path, 3, keep=1)
    pack = tmp_path / "last.zip"
    write_pack(home, read_chain(HomeStore(home.root))[-1], pack)
    found = verify_pack(pack)
    assert found.differences == []
    assert any(f"let go {run_id_of(1)}" in note for note in found.notes)


# --- Forging -----------------------------------------------------------------------------


def removed_in_silence(home: Home) -> str:
    shutil.rmtree(home.published / run_id_of(3))
    return f"published/{run_id_of(3)}/manifest.json: the manifest of the publication is missing"


def event_changed(home: Home) -> str:
    path = home.root / event_path(1)
    path.write_text(path.read_text().replace(run_id_of(1), run_id_of(3)))
    return f"{event_path(1)}: the event of the publication log was changed"


def event_taken_out(home: Home) -> str:
    (home.root / event_path(1)).unlink()
    return f"{event_path(1)}: the event of the publication log is missing"


def event_put_in(home: Home) -> str:
    """A removal is passed off as one that was made after the third of four runs."""
    last = json.loads((home.root / event_path(2)).read_text())
    path = home.root / event_path(3)
    forged = {
        **last,
        "number": 3,
        "run_ids": [run_id_of(3)],
        "previous_sha256": file_sha256(home.root / event_path(2)),
    }
    path.write_text(json.dumps(forged))
    shutil.rmtree(home.published / run_id_of(3))
    return f"{event_path(3)}: is listed by no later run; it was put in"


def event_after_another_run(home: Home) -> str:
    path = home.root / event_path(2)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "number": 7}))
    return f"{event_path(2)}: the event of the publication log was changed"


def current_switched_in_silence(home: Home) -> str:
    switch_to(home, run_id_of(3))
    return f"published/current: leads to {run_id_of(3)}; by the record, readers should have"


def kept_part_changed(home: Home) -> str:
    path = next(kept_part(home, run_id_of(1)).rglob("customer_tier_snapshot.parquet"))
    path.write_bytes(path.read_bytes() + b" ")
    return f"{path.relative_to(home.root)}: the published file was changed"


@pytest.mark.parametrize(
    "forge",
    [
        removed_in_silence,
        event_changed,
        event_taken_out,
        event_put_in,
        event_after_another_run,
        current_switched_in_silence,
        kept_part_changed,
    ],
)
def test_what_was_forged_is_found(tmp_path: Path, forge: Callable[[Home], str]) -> None:
    home = home_with(tmp_path, 3, keep=2)
    build_warehouse(home, 4)
    publish(home, 4, keep=2)
    build_warehouse(home, 5)
    publish(home, 5, keep=3)
    assert list_publications(home) == [run_id_of(n) for n in (3, 4, 5)]
    assert verify_home(home).differences == []
    words = forge(home)
    found = [str(difference) for difference in verify_home(home).differences]
    assert any(each.startswith(words) for each in found), found


def test_an_event_after_the_last_run_changes_the_head(tmp_path: Path) -> None:
    home = home_with(tmp_path, 2)
    before = verify_home(home).head
    rollback(home, 1)
    after = verify_home(home).head
    assert after == file_sha256(home.root / event_path(1))
    (home.root / event_path(1)).unlink()
    switch_to(home, run_id_of(2))
    assert verify_home(home).head == before != after


# --- Killed at every step ----------------------------------------------------------------

WRITES = {
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.symlink",
    "os.link",
    "os.truncate",
}
NEW_PUBLICATION = 4


def rolls_back(home: Home) -> None:
    rollback(home, 1)


def publishes_and_lets_go(home: Home) -> None:
    publish(home, NEW_PUBLICATION, keep=3)


def do_and_die(action: Callable[[Home], None], home: Home, step: int) -> None:
    """Run in a process of its own; killed before its step-th change of the disk, from 1."""
    done = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal done
        if event == "open":
            flags = arguments[2]
            is_change = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
        else:
            is_change = event in WRITES
        if is_change:
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    action(home)


def assert_whole(folder: Path) -> None:
    for entry in read_manifest(folder / MANIFEST)["files"]:
        assert file_sha256(folder / entry["path"]) == entry["sha256"], entry["path"]


@pytest.mark.parametrize(
    ("action", "before", "after", "kept", "least"),
    [
        (rolls_back, 3, 1, [1, 2, 3], 5),
        (publishes_and_lets_go, 3, 4, [2, 3, 4], 40),
    ],
)
def test_killed_at_any_step_a_whole_publication_is_current_and_the_next_one_goes_on(
    tmp_path: Path,
    action: Callable[[Home], None],
    before: int,
    after: int,
    kept: list[int],
    least: int,
) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    origin = home_with(tmp_path / "origin", 3)
    build_warehouse(origin, NEW_PUBLICATION)
    seen = set()
    for step in range(1, 400):
        home = Home(tmp_path / "home")
        shutil.rmtree(home.root, ignore_errors=True)
        shutil.copytree(origin.root, home.root, symlinks=True)
        process = processes.Process(target=do_and_die, args=(action, home, step))
        process.start()
        process.join(60)
        current = current_publication(home)
        seen.add(current)
        assert current in (run_id_of(before), run_id_of(after)), f"step {step}"
        assert_whole(home.published / CURRENT)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL, f"step {step}"

        recover(home)
        assert_whole(home.published / CURRENT)
        assert verify_home(home).differences == [], f"step {step}"
        assert [path.name for path in home.published.iterdir() if "unfin" in path.name] == []
        if current_publication(home) != run_id_of(after):
            action(home)
        assert current_publication(home) == run_id_of(after)
        assert verify_home(home).differences == [], f"step {step}"
    else:
        pytest.fail("it never came to its end")
    assert seen == {run_id_of(before), run_id_of(after)}
    assert step > least, "fewer changes of the disk than there are: the hook sees too little"
    assert list_publications(home) == [run_id_of(number) for number in kept]
