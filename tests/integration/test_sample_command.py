"""`tierwise sample`: a landing area of any size, with faults or without, that runs."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.support.command import published, run_job, tierwise


def test_a_sample_with_faults_runs_and_puts_them_aside(tmp_path: Path) -> None:
    out = tmp_path / "operator"
    written = tierwise("sample", "--out", out, "--customers", "300", "--months", "4", "--defects")
    assert written.returncode == 0, written.stderr
    assert f"tierwise run --landing {out / 'landing'}" in written.stdout
    with (out / "defects.csv").open(encoding="utf-8") as stream:
        assert len(list(csv.reader(stream))) > 10

    outcome = run_job(tmp_path / "home", out / "landing", out / "reference")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    rows = published(
        tmp_path / "home",
        "select count(*) as rows, count(distinct feed) as feeds from audit.quarantine",
    ).iloc[0]
    assert rows["rows"] > 10
    assert rows["feeds"] > 3
    reported = published(
        tmp_path / "home",
        "select count(*) as n from audit.validation where not success and severity = 'warning'",
    )
    assert reported["n"][0] > 3, "orphans stay loaded and are reported"
    controls = published(tmp_path / "home", "select passed from audit.reconciliation")
    assert controls["passed"].all()


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "mine.csv").write_text("keep me")
    outcome = tierwise("sample", "--out", tmp_path, "--customers", "10", "--months", "1")
    assert outcome.returncode == 2
    assert "holds files already" in outcome.stderr
    assert (tmp_path / "landing" / "mine.csv").read_text() == "keep me"
