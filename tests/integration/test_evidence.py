"""Evidence: every run leaves it, nothing of it can be changed unseen, and it can be redone."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.audit.files import file_sha256, read_manifest
from orchestration.audit.pack import write_pack
from orchestration.audit.reproduce import reproduce
from orchestration.audit.runs import finished_runs, record_of, record_run
from orchestration.audit.trace import PLANS, trace, trace_as_json
from orchestration.audit.verify import Verification, verify_home, verify_pack
from orchestration.checks.acceptance import CHECK_NAME
from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.publish.publication import current_publication
from orchestration.publish.retention import let_go_of_old_publications
from orchestration.publish.rollback import roll_back
from orchestration.warehouse.keys import raw_key
from tests.support.audited import (
    ANSWER,
    CHECK,
    Audited,
    copy_of,
    json_at,
    repack,
    rewrite_parquet,
    write_history,
)
from tests.support.command import tierwise

BLOCKED = 2
ACCEPTED = 3
LAST = 5


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    return write_history(tmp_path_factory.mktemp("evidence"))


@pytest.fixture(scope="module")
def pack(audited: Audited, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack of the run with the acceptance, the third of five."""
    path = tmp_path_factory.mktemp("packs") / "third.zip"
    write_pack(audited.home, audited.link(ACCEPTED), path)
    return path


# --- What every run leaves ---------------------------------------------------------------


def test_every_run_leaves_a_manifest_that_holds_the_one_before(audited: Audited) -> None:
    manifests = [audited.manifest(number) for number in range(1, LAST + 1)]
    statuses = [manifest["run"]["status"] for manifest in manifests]
    assert statuses == ["published", "blocked", "published", "blocked", "published"]
    assert manifests[0]["previous_manifest_sha256"] is None
    for number in range(1, LAST):
        assert manifests[number]["previous_manifest_sha256"] == (
            audited.link(number).manifest_sha256
        )
        earlier = [run["run_id"] for run in manifests[number]["earlier_runs"]]
        assert earlier == audited.run_ids[:number]


def test_a_manifest_says_what_the_publication_is_made_of(audited: Audited) -> None:
    manifest = audited.manifest(1)
    inputs = {(entry["feed"], entry["file_name"]): entry for entry in manifest["inputs"]}
    bills = inputs["invoices", "2025-01.csv.gz"]
    assert (bills["rows_in_file"], bills["rows_loaded"], bills["status"]) == (4, 4, "loaded")
    assert len(bills["file_sha256"]) == 64
    assert manifest["configuration"]["reporting_currency"] == "CNY"
    assert "tier_bands" in manifest["configuration"]["reference"]
    assert set(manifest["dbt"]["invocation_ids"]) == {"build_marts", "build_evidence"}
    assert {line["suite"] for line in manifest["validation"]} >= {
        "raw_invoices",
        "marts_customer_monthly",
    }
    assert all(control["passed"] for control in manifest["reconciliation"])
    outputs = {output["table"]: output for output in manifest["outputs"]}
    assert outputs["marts.dim_customer"]["rows"] == 4
    assert outputs["marts.customer_monthly"]["key"] == ["customer_id", "month"]


def test_declared_control_totals_are_evidence_and_reconciled(audited: Audited) -> None:
    manifest = audited.manifest(LAST)
    inputs = {
        (entry["feed"], entry["file_name"]): entry
        for entry in manifest["inputs"]
        if entry["status"] == "loaded"
    }
    measures = {
        total["measure"]: (total["declared"], total["loaded"])
        for total in inputs["invoices", "corrections.csv"]["control_totals"]
    }
    assert measures == {
        "rows": ("1.000000000", "1.000000000"),
        "total_amount": ("700.000000000", "700.000000000"),
    }
    assert inputs["invoices", "2025-01.csv.gz"]["control_totals"] == []
    controls = {control["control"]: control for control in manifest["reconciliation"]}
    amount = controls["control_totals_invoices_total_amount"]
    assert (amount["source_total"], amount["warehouse_total"]) == ("700.0000", "700.0000")
    assert controls["control_totals_invoices_rows"]["passed"]
    before = {control["control"] for control in audited.manifest(1)["reconciliation"]}
    assert not any(name.startswith("control_totals_") for name in before)


def test_a_blocked_run_leaves_its_evidence_too(audited: Audited) -> None:
    manifest = audited.manifest(BLOCKED)
    assert manifest["outputs"] == []
    assert [failure["expectation_id"] for failure in manifest["failures"]] == [CHECK]
    assert manifest["failures"][0]["accepted_by"] is None
    kinds = {entry["path"].split("/")[1] for entry in manifest["evidence"]}
    assert kinds == {"data_docs", "great_expectations", "reference_sets", "validation"}


# --- The gate ----------------------------------------------------------------------------


def test_the_message_of_a_blocked_run_names_the_check_to_accept(audited: Audited) -> None:
    words = audited.words[BLOCKED - 1]
    assert f"1 critical check failed: {CHECK}." in words
    assert f"--accept {CHECK} --by NAME --reason TEXT" in words


def test_an_acceptance_lets_its_run_pass_and_no_other(audited: Audited) -> None:
    by, reason = ANSWER
    manifest = audited.manifest(ACCEPTED)
    assert manifest["acceptances"] == [
        {"check": CHECK, "by": by, "reason": reason, "is_used": True},
        {"check": "raw_invoices.no_such_check", "by": by, "reason": reason, "is_used": False},
    ]
    (failure,) = manifest["failures"]
    assert (failure["accepted_by"], failure["accepted_reason"]) == ANSWER
    assert f"accepted by {by}: {reason}" in audited.words[ACCEPTED - 1]
    assert "no_such_check: no critical check of that name failed" in audited.words[ACCEPTED - 1]

    following = audited.manifest(ACCEPTED + 1)
    assert following["run"]["status"] == "blocked", "the next run is stopped again"
    assert following["acceptances"] == []
    accepted = [record.accepted_failures for record in finished_runs(audited.home)]
    assert accepted == [0, 0, 1, 0, 0]


def test_an_acceptance_stays_in_publications_and_reports(audited: Audited) -> None:
    current = audited.home.published / "current" / "tierwise.duckdb"
    with duckdb.connect(str(current), read_only=True) as connection:
        rows = connection.execute(
            "select run_id, expectation_id, accepted_by, accepted_reason "
            "from audit.validation where accepted_by is not null"
        ).fetchall()
        counts = connection.execute(
            "select accepted_failures from audit.run order by run_id"
        ).fetchall()
    assert rows == [(audited.run_ids[ACCEPTED - 1], CHECK, *ANSWER)]
    assert counts == [(0,), (0,), (1,), (0,), (0,)]
    shown = tierwise(
        "audit", "show", audited.run_ids[ACCEPTED - 1], "--home", audited.home.root
    ).stdout
    assert f"Accepted: {CHECK} by {ANSWER[0]}: {ANSWER[1]}" in shown


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (["--accept", CHECK], "--by NAME and --reason TEXT"),
        (["--accept", CHECK, "--by", "Chen Jing"], "--reason TEXT"),
        (["--by", "Chen Jing", "--reason", "known"], "--accept CHECK"),
    ],
)
def test_an_acceptance_without_name_or_reason_is_wrong_use(
    options: list[str], missing: str, tmp_path: Path
) -> None:
    outcome = tierwise("run", "--home", tmp_path / "home", *options)
    assert outcome.returncode == 2
    assert missing in outcome.stderr
    assert not (tmp_path / "home").exists()


# --- list, show, pack --------------------------------------------------------------------


def test_list_shows_every_run(audited: Audited) -> None:
    lines = tierwise("audit", "list", "--home", audited.home.root).stdout.splitlines()
    for run_id, words in zip(
        audited.run_ids,
        (
            ["published", "2025-02", "none", "kept", "ok"],
            ["blocked", "1 critical", "ok"],
            ["published", "2025-03", "1 critical (1 accepted)", "kept", "ok"],
            ["blocked", "1 critical", "ok"],
            ["published", "2025-03", "current", "ok"],
        ),
        strict=True,
    ):
        (line,) = [line for line in lines if run_id in line]
        assert [word for word in words if word not in line] == []


def test_show_tells_what_came_in_what_failed_and_what_went_out(audited: Audited) -> None:
    shown = tierwise("audit", "show", "last", "--home", audited.home.root).stdout
    for word in (
        audited.run_ids[-1],
        str(audited.link(LAST).manifest_sha256),
        "invoices",
        "revenue_delivered",
        "passed",
        str(audited.home.audit / "data_docs" / "index.html"),
        str(audited.home.published / audited.run_ids[-1]),
    ):
        assert word in shown
    blocked = tierwise(
        "audit", "show", audited.run_ids[BLOCKED - 1], "--home", audited.home.root
    ).stdout
    assert f"critical {CHECK}" in blocked
    assert "Published: nothing" in blocked


@pytest.mark.parametrize("number", range(1, LAST + 1))
def test_every_run_leaves_a_page_that_is_evidence(audited: Audited, number: int) -> None:
    manifest = audited.manifest(number)
    path = f"audit/data_docs/runs/{audited.run_ids[number - 1]}.html"
    page = audited.home.root / path
    (entry,) = (found for found in manifest["evidence"] if found["path"] == path)
    assert entry["sha256"] == file_sha256(page)
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r'href="([^"]+)"', text):
        assert (page.parent / link).is_file(), link
    assert "://" not in text and "<script" not in text
    index = (audited.home.audit / "data_docs" / "index.html").read_text(encoding="utf-8")
    assert f'href="runs/{page.name}"' in index
    shown = tierwise("audit", "show", audited.run_ids[number - 1], "--home", audited.home.root)
    assert str(page) in shown.stdout


def test_the_page_of_a_run_tells_what_an_auditor_asks(audited: Audited) -> None:
    pages = [
        (audited.home.audit / "data_docs" / "runs" / f"{run_id}.html").read_text(encoding="utf-8")
        for run_id in audited.run_ids
    ]
    by, reason = ANSWER
    assert "Blocked: nothing was published" in pages[BLOCKED - 1]
    assert f"nobody answers for: {CHECK}." in pages[BLOCKED - 1]
    assert "None: the last publication is untouched." in pages[BLOCKED - 1]
    assert f"Accepted by {by}: {reason}" in pages[ACCEPTED - 1]
    assert "the check did not fail: nothing was accepted" in pages[ACCEPTED - 1]
    assert str(audited.link(ACCEPTED).manifest_sha256) in pages[ACCEPTED]
    assert "revenue_delivered" in pages[LAST - 1] and ">agrees<" in pages[LAST - 1]
    assert "differs" not in pages[LAST - 1]
    assert "marts.customer_monthly" in pages[LAST - 1]
    assert "invoices/usd.csv" in pages[LAST - 1]
    assert "This run:" in audited.words[BLOCKED - 1]


def test_dagsters_checks_lead_to_the_pages_of_their_run(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(audited.home.dagster))
    check = dg.AssetCheckKey(raw_key("invoices"), CHECK_NAME)
    with dg.DagsterInstance.get() as instance:
        records = instance.event_log_storage.get_asset_check_execution_history(check, limit=LAST)
        evaluations = [record.evaluation for record in reversed(records)]
    assert len(evaluations) == LAST
    docs = audited.home.audit / "data_docs"
    for evaluation, run_id in zip(evaluations, audited.run_ids, strict=True):
        assert evaluation is not None
        suite, run = (str(evaluation.metadata[name].value) for name in ("data_docs", "run_page"))
        assert Path(suite).is_relative_to(docs / "validations" / "raw_invoices" / run_id)
        assert Path(suite).is_file()
        assert run == str(docs / "runs" / f"{run_id}.html")


def test_a_run_that_is_not_there_is_wrong_use(audited: Audited) -> None:
    outcome = tierwise("audit", "show", "2019", "--home", audited.home.root)
    assert outcome.returncode == 2
    assert audited.run_ids[0] in outcome.stderr


def test_the_same_run_gives_the_same_pack(audited: Audited, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    write_pack(audited.home, audited.link(1), again)
    assert again.read_bytes() == audited.first_pack.read_bytes(), "four runs later"
    with zipfile.ZipFile(again) as pack:
        names = pack.namelist()
        index = pack.read("audit/data_docs/index.html").decode()
    assert {"README.txt", f"audit/evidence/{audited.run_ids[0]}/manifest.json"} <= set(names)
    pages = [name for name in names if name.startswith("audit/data_docs/validations/")]
    assert pages
    for page in pages:
        assert page.removeprefix("audit/data_docs/") in index
    for part in ("audit/validation/", "audit/reference_sets/", "lake/ledger/", "/dbt/"):
        assert any(part in name for name in names), part
    assert not any(name.startswith(("lake/raw", "published")) for name in names)


# --- verify ------------------------------------------------------------------------------


def test_nothing_was_changed(audited: Audited, pack: Path) -> None:
    outcome = tierwise("audit", "verify", "--home", audited.home.root)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert str(audited.link(LAST).manifest_sha256) in outcome.stdout
    for path in (audited.first_pack, pack):
        alone = tierwise("audit", "verify", path)
        assert alone.returncode == 0, alone.stdout + alone.stderr


def test_verify_wants_evidence(tmp_path: Path) -> None:
    empty = tierwise("audit", "verify", "--home", tmp_path)
    assert empty.returncode == 2
    (tmp_path / "no.zip").write_text("not a zip")
    for name in ("no.zip", "absent.zip"):
        outcome = tierwise("audit", "verify", tmp_path / name)
        assert outcome.returncode == 2
        assert name in outcome.stderr
        assert "Traceback" not in outcome.stderr


Tampering = Callable[[Home, list[str]], tuple[str, str]]


def published_parquet(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"published/{runs[0]}/parquet/marts/customer_monthly/customer_monthly.parquet"
    rewrite_parquet(
        home.root / place,
        "select * replace (case when customer_id = 'C3' then revenue + 1 else revenue end "
        "as revenue) from rows",
    )
    return place, "table marts.customer_monthly, row customer_id = C3, month = 2025-01-01"


def mart_row(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"published/{runs[-1]}/marts.duckdb"
    with duckdb.connect(str(home.root / place)) as connection:
        connection.execute(
            "update marts.marts.customer_value_monthly set margin = margin + 1 "
            "where customer_id = 'C2' and month = date '2025-03-01'"
        )
    return place, "table marts.customer_value_monthly, row customer_id = C2, month = 2025-03-01"


def mart_row_taken_out(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"published/{runs[-1]}/marts.duckdb"
    with duckdb.connect(str(home.root / place)) as connection:
        connection.execute("delete from marts.audit.quarantine")
        connection.execute("delete from marts.marts.dim_customer where customer_id = 'C4'")
    return place, "table marts.dim_customer, row customer_id = C4"


def manifest(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"audit/evidence/{runs[0]}/manifest.json"
    with json_at(home.root / place) as content:
        content["outputs"][0]["rows"] += 1
    return place, f"the manifest of run {runs[0]} was changed"


def last_manifest(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"audit/evidence/{runs[-1]}/manifest.json"
    with json_at(home.root / place) as content:
        content["acceptances"] = [{"check": CHECK, "by": "?", "reason": "?", "is_used": False}]
    return place, f"the manifest of run {runs[-1]} was changed"


def manifest_of_the_publication(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"published/{runs[-1]}/manifest.json"
    with json_at(home.root / place) as content:
        content["run"]["closing_month"] = "2025-04-01"
    return place, "the manifest of the publication was changed"


def manifest_with_all_that_hold_it(home: Home, runs: list[str]) -> tuple[str, str]:
    """A careful forger mends record and publication; the next run still knows."""
    place = f"audit/evidence/{runs[0]}/manifest.json"
    with json_at(home.root / place) as content:
        content["outputs"][0]["rows"] += 1
    shutil.copy(home.root / place, home.published / runs[0] / "manifest.json")
    path = home.root / place
    record_run(home, record_of(read_manifest(path), file_sha256(path)))
    return place, f"run {runs[1]} was chained to"


def validation_result(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"audit/validation/{runs[BLOCKED - 1]}-raw.parquet"
    rewrite_parquet(home.root / place, "select * replace (true as success) from rows")
    return place, "the validation result was changed: its SHA-256 is"


def stored_validation(home: Home, runs: list[str]) -> tuple[str, str]:
    path = next(home.audit.glob(f"great_expectations/**/raw_invoices/{runs[0]}/*/*.json"))
    path.write_text(path.read_text().replace("critical", "info"))
    return path.relative_to(home.root).as_posix(), "the validation result was changed"


def validation_report(home: Home, runs: list[str]) -> tuple[str, str]:
    path = next(home.audit.glob(f"data_docs/validations/raw_invoices/{runs[1]}/*/*.html"))
    path.unlink()
    return path.relative_to(home.root).as_posix(), f"the validation report of run {runs[1]}"


def rule_table(home: Home, runs: list[str]) -> tuple[str, str]:
    (path,) = home.audit.glob("reference_sets/*/tier_bands.csv")
    path.write_text(path.read_text().replace("20000", "2000"))
    return path.relative_to(home.root).as_posix(), "the rule table was changed"


def rule_table_in_force(home: Home, runs: list[str]) -> tuple[str, str]:
    path = home.reference / "tier_bands.csv"
    path.write_text(path.read_text().replace("20000", "2000"))
    return "lake/reference/tier_bands.csv", "the rule table was changed"


def ledger_row(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"lake/ledger/{runs[0]}.parquet"
    rewrite_parquet(
        home.root / place,
        "select * replace (case when feed = 'charges' then rows_loaded - 1 else rows_loaded end "
        "as rows_loaded) from rows",
    )
    return place, "the row of charges/2025-01.csv says rows_loaded = 3, the manifest 4"


def declared_total(home: Home, runs: list[str]) -> tuple[str, str]:
    """What the sender said of the correction, as if it had been less."""
    place = f"lake/ledger/control_totals/{runs[BLOCKED - 1]}.parquet"
    rewrite_parquet(
        home.root / place,
        "select * replace (case when measure = 'rows' then declared else declared - 1 end "
        "as declared) from rows",
    )
    words = "the total_amount declared of invoices/corrections.csv: declared = 699.000000000"
    return place, words


def declared_total_taken_out(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"lake/ledger/control_totals/{runs[BLOCKED - 1]}.parquet"
    rewrite_parquet(home.root / place, "select * from rows where measure <> 'rows'")
    return place, "the rows declared of invoices/corrections.csv are missing"


def ledger_put_in(home: Home, runs: list[str]) -> tuple[str, str]:
    ledger = home.lake / "ledger"
    shutil.copy(ledger / f"{runs[0]}.parquet", ledger / "20250101T000000Z-00000000.parquet")
    return "lake/ledger/20250101T000000Z-00000000.parquet", "it was put in"


def loaded_rows(home: Home, runs: list[str]) -> tuple[str, str]:
    """The charges of January, ten times what was delivered."""
    inputs = json.loads((home.evidence / runs[0] / "manifest.json").read_text())["inputs"]
    (sha256,) = [
        entry["file_sha256"]
        for entry in inputs
        if (entry["feed"], entry["file_name"]) == ("charges", "2025-01.csv")
    ]
    (path,) = (home.lake / "raw" / "charges").rglob(f"{sha256}.parquet")
    rewrite_parquet(
        path, "select * replace (cast(amount * 10 as decimal(18, 4)) as amount) from rows"
    )
    return path.relative_to(home.root).as_posix(), "the file of loaded rows was changed"


def loaded_rows_put_in(home: Home, runs: list[str]) -> tuple[str, str]:
    path = next((home.lake / "raw" / "payments").rglob("[0-9a-f]*.parquet"))
    added = path.with_name(path.name.replace(".parquet", ".more.parquet"))
    shutil.copy(path, added)
    return added.relative_to(home.root).as_posix(), "it was put in"


def run_record(home: Home, runs: list[str]) -> tuple[str, str]:
    place = f"audit/runs/{runs[BLOCKED - 1]}.parquet"
    rewrite_parquet(home.root / place, "select * replace ('published' as status) from rows")
    return place, "says status = published, its manifest blocked"


def run_taken_out(home: Home, runs: list[str]) -> tuple[str, str]:
    shutil.rmtree(home.evidence / runs[1])
    (home.audit / "runs" / f"{runs[1]}.parquet").unlink()
    words = f"the order of runs was changed: of the runs before {runs[2]}, {runs[1]} missing"
    return "audit/runs", words


def runs_changed_over(home: Home, runs: list[str]) -> tuple[str, str]:
    """The second and the fourth run, both blocked, trade places."""
    one, other = runs[1], runs[3]
    for place in ("audit/evidence/{}/manifest.json", "audit/runs/{}.parquet"):
        first, second = (home.root / place.format(run) for run in (one, other))
        kept = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(kept)
    return f"audit/evidence/{one}/manifest.json", "was changed"


def current_led_astray(home: Home, runs: list[str]) -> tuple[str, str]:
    shutil.copytree(home.published / runs[0], home.published / "mine")
    (home.published / "current").unlink()
    (home.published / "current").symlink_to("mine")
    return "published/current", "leads to mine, which no run published"


@pytest.mark.parametrize(
    "tamper",
    [
        published_parquet,
        mart_row,
        mart_row_taken_out,
        manifest,
        last_manifest,
        manifest_of_the_publication,
        manifest_with_all_that_hold_it,
        validation_result,
        stored_validation,
        validation_report,
        rule_table,
        rule_table_in_force,
        ledger_row,
        declared_total,
        declared_total_taken_out,
        ledger_put_in,
        loaded_rows,
        loaded_rows_put_in,
        run_record,
        run_taken_out,
        runs_changed_over,
        current_led_astray,
    ],
)
def test_what_was_tampered_with_is_named_first(
    audited: Audited, tmp_path: Path, tamper: Tampering
) -> None:
    home = copy_of(audited, tmp_path)
    place, words = tamper(home, audited.run_ids)
    found = verify_home(home)
    assert_first(found, place, words)


def assert_first(found: Verification, place: str, words: str) -> None:
    assert found.differences, "nothing was found"
    first = found.differences[0]
    assert first.place == place
    assert words in first.what


def test_runs_that_traded_places_break_the_order(audited: Audited, tmp_path: Path) -> None:
    home = copy_of(audited, tmp_path)
    runs_changed_over(home, audited.run_ids)
    found = [str(difference) for difference in verify_home(home).differences]
    assert any("the order of runs was changed" in difference for difference in found)


def test_tampering_is_exit_1_and_told_without_a_stack_trace(
    audited: Audited, tmp_path: Path
) -> None:
    home = copy_of(audited, tmp_path)
    place, words = mart_row(home, audited.run_ids)
    outcome = tierwise("audit", "verify", "--home", home.root)
    assert outcome.returncode == 1
    assert f"First difference: {place}: " in outcome.stdout
    assert words in outcome.stdout
    assert outcome.stderr.strip() == ""


PACKED = [
    ("audit/evidence/", "manifest.json", b'"Asia/Shanghai"', b'"UTC"', "the manifest of run"),
    ("audit/validation/", "-raw.parquet", b"", b"\n", "the validation result was changed"),
    ("audit/great_expectations/", ".json", b"critical", b"info", "the validation result was"),
    ("audit/data_docs/validations/raw_invoices", ".html", b"1 critical", b"0 critical", "report"),
    ("audit/data_docs/runs/", ".html", b"critical", b"info", "the validation report was changed"),
    ("audit/data_docs/index", ".html", b"critical", b"info", "does not follow from the manifest"),
    ("audit/reference_sets/", "tier_bands.csv", b"20000", b"2000", "the rule table was changed"),
    ("lake/ledger/", ".parquet", b"", b"\n", "the load ledger was changed"),
    ("audit/runs/", ".parquet", b"", None, "the record of run"),
    ("README", ".txt", b"", b"\n", "does not follow from the manifest"),
    ("audit/evidence/", ".run_results.json", b"success", b"failure", "the dbt artifact was"),
]


@pytest.mark.parametrize(("start", "end", "old", "new", "words"), PACKED)
def test_what_was_tampered_with_in_a_pack_is_named_first(
    pack: Path, tmp_path: Path, start: str, end: str, old: bytes, new: bytes | None, words: str
) -> None:
    changed: list[str] = []

    def change(name: str, content: bytes) -> bytes | None:
        if changed or not (name.startswith(start) and name.endswith(end)) or old not in content:
            return content
        changed.append(name)
        if new is None:
            return None
        return content.replace(old, new) if old else content + new

    found = verify_pack(repack(pack, tmp_path / "changed.zip", change))
    assert_first(found, changed[0], words)


def test_the_order_of_runs_in_a_pack(audited: Audited, pack: Path, tmp_path: Path) -> None:
    """The last of the earlier runs is left out of the list, its hash kept as the previous."""

    def change(name: str, content: bytes) -> bytes:
        if not name.endswith("/manifest.json"):
            return content
        changed = json.loads(content)
        changed["earlier_runs"].pop()
        return json.dumps(changed).encode()

    found = verify_pack(repack(pack, tmp_path / "changed.zip", change))
    words = "\n".join(map(str, found.differences))
    assert "the manifest of run" in str(found.differences[0])
    assert f"the order of runs was changed: run {audited.run_ids[ACCEPTED - 1]} follows" in words


def test_a_file_put_into_a_pack(pack: Path, tmp_path: Path) -> None:
    changed = Path(shutil.copy(pack, tmp_path / "changed.zip"))
    with zipfile.ZipFile(changed, "a") as target:
        target.writestr("audit/data_docs/extra.html", "<p>All is well.</p>")
    assert_first(verify_pack(changed), "audit/data_docs/extra.html", "it was put in")


# --- reproduce ---------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, LAST])
def test_a_run_is_reproduced(audited: Audited, number: int) -> None:
    outcome = tierwise(
        "audit", "reproduce", audited.run_ids[number - 1], "--home", audited.home.root
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    tables = len(audited.manifest(number)["outputs"])
    assert f"reproduced: {tables} tables, each the same" in outcome.stdout
    assert list(audited.home.temporary.glob("reproduce-*")) == []


def test_an_altered_input_is_named_and_nothing_is_built(audited: Audited, tmp_path: Path) -> None:
    home = copy_of(audited, tmp_path)
    place, _ = loaded_rows(home, audited.run_ids)
    outcome = tierwise("audit", "reproduce", audited.run_ids[0], "--home", home.root)
    assert outcome.returncode == 1
    assert f"First difference: {place}: an input of the run was changed" in outcome.stdout
    assert "Build the marts" not in outcome.stdout


def test_an_input_altered_with_its_hash_gives_other_tables(
    audited: Audited, tmp_path: Path
) -> None:
    """Whoever also changes the hash of the input is found out by the tables."""
    home = copy_of(audited, tmp_path)
    place, _ = loaded_rows(home, audited.run_ids)
    forged = audited.manifest(1)
    for entry in forged["lake"]:
        if entry["path"] == place:
            entry["sha256"] = file_sha256(home.root / place)
    link = replace(audited.link(1), manifest=forged)
    found = reproduce(home, link, Home(tmp_path / "scratch"), "2GB", print)
    tables = {difference.place for difference in found.differences}
    assert {"marts.fct_revenue_monthly", "marts.customer_tier_monthly"} <= tables
    assert not tables & {"marts.dim_region", "audit.load"}, "what does not depend on it is the same"


def test_a_run_is_reproduced_after_a_rollback_and_without_its_publication(
    audited: Audited, tmp_path: Path
) -> None:
    """Readers are led back to the third run's publication, and the first's is let go."""
    home = copy_of(audited, tmp_path)
    first, third = audited.run_ids[0], audited.run_ids[ACCEPTED - 1]
    roll_back(home, third, *ANSWER)
    assert let_go_of_old_publications(home, 1, "test") == [first]
    assert verify_home(home).differences == []
    for run_id, note in ((first, f"The publication of run {first} was let go"), (third, "")):
        outcome = tierwise("audit", "reproduce", run_id, "--home", home.root)
        assert outcome.returncode == 0, outcome.stdout + outcome.stderr
        assert note in outcome.stdout
        assert "each the same" in outcome.stdout
    assert current_publication(home) == third
    assert verify_home(home).differences == []


def test_a_run_that_published_nothing_cannot_be_reproduced(audited: Audited) -> None:
    run_id = audited.run_ids[BLOCKED - 1]
    outcome = tierwise("audit", "reproduce", run_id, "--home", audited.home.root)
    assert outcome.returncode == 2
    assert f"Run {run_id} published nothing" in outcome.stderr


# --- trace -------------------------------------------------------------------------------


@pytest.mark.parametrize("mart", PLANS)
@pytest.mark.parametrize("customer", ["C1", "C2", "C3", "C4"])
def test_the_rows_behind_a_figure_add_up_to_it(audited: Audited, mart: str, customer: str) -> None:
    found = trace(audited.home, audited.link(LAST), mart, customer, "2025-03")
    assert found.rows
    sums = {(f"{each.month:%Y-%m}", each.figure): each for each in found.sums}
    expected = {"C1": "219", "C2": "640", "C3": "9000", "C4": "58.5"}[customer]
    assert sums["2025-03", "revenue"].published == Decimal(expected)
    assert [each for each in found.sums if not each.ties] == []
    files = {(file["feed"], file["file"]) for file in found.files}
    assert {("invoices", "2025-03.csv.gz"), ("charges", "2025-03.csv")} <= files
    if mart == "marts.customer_tier_monthly":
        assert {"tier_policies", "tier_bands"} <= set(found.rules)
        assert ("2025-01", "revenue") in sums, "the window of the policy"


def test_a_figure_is_traced_as_its_run_knew_it(audited: Audited) -> None:
    before = trace(audited.home, audited.link(1), "marts.fct_revenue_monthly", "C1", "2025-02")
    after = trace(audited.home, audited.link(LAST), "marts.fct_revenue_monthly", "C1", "2025-02")
    assert [row["revenue"] for row in before.rows] == [Decimal("120.0000")]
    assert [row["revenue"] for row in after.rows] == [Decimal("700.0000")]
    assert [charge["_file"] for charge in before.sources["charges"]] == ["2025-02.csv"]
    assert [charge["_file"] for charge in after.sources["charges"]] == ["corrections.csv"]


def test_a_bill_in_another_currency_is_traced_with_its_rate(audited: Audited) -> None:
    found = trace(audited.home, audited.link(ACCEPTED), "marts.customer_monthly", "C1", "2025-03")
    assert {row["currency"] for row in found.rules["fx_rates"]} >= {"USD"}
    (revenue,) = [each for each in found.sums if each.figure == "revenue"]
    (rate,) = [
        Decimal(row["cny_per_unit"]) for row in found.rules["fx_rates"] if row["currency"] == "USD"
    ]
    assert revenue.traced == (Decimal("120") + Decimal("99") * rate).quantize(Decimal("0.0001"))
    assert revenue.ties


def test_a_trace_as_json_holds_no_personal_value(audited: Audited) -> None:
    run = tierwise(
        *("audit", "trace", "marts.customer_monthly", "--customer", "C1", "--month", "2025-03"),
        *("--json", "--home", audited.home.root),
    )
    assert run.returncode == 0, run.stderr
    content = json.loads(run.stdout)
    assert content["sources"]["customers"][0]["customer_id"] == "C1"
    assert all(len(file["sha256"]) == 64 for file in content["files"])
    assert "Zhang" not in run.stdout
    found = trace(audited.home, audited.link(LAST), "marts.customer_monthly", "C1", "2025-03")
    assert json.loads(trace_as_json(found)) == content


@pytest.mark.parametrize(
    ("mart", "customer", "month", "words"),
    [
        ("marts.dim_region", "C1", "2025-03", "marts.dim_region cannot be traced"),
        ("marts.customer_monthly", "C9", "2025-03", "no row of customer C9"),
        ("marts.customer_monthly", "C1", "2025-13", "YYYY-MM"),
        ("marts.customer_monthly", "C1", "2024-03", "no row of customer C1 in 2024-03"),
    ],
)
def test_what_cannot_be_traced_is_told(
    audited: Audited, mart: str, customer: str, month: str, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        trace(audited.home, audited.link(LAST), mart, customer, month)
