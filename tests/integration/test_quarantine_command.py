"""`tierwise quarantine` as a user runs it: its words and its exit codes."""

from __future__ import annotations

from pathlib import Path

from orchestration.ingest.lock import HomeLock
from tests.support.command import tierwise
from tests.support.loading import SmallOperator

PAYMENTS = "payment_id,account_id,paid_on,amount\n"


def test_list_export_and_release(tmp_path: Path) -> None:
    operator = SmallOperator(tmp_path)
    operator.write("payments", "[a] b.csv", PAYMENTS + "P1,A-C1,2025-03-02,x\nP2,A-C1,soon,1\n")
    home, target = ("--home", operator.home), tmp_path / "to correct.csv"

    nothing = tierwise("quarantine", "list", *home)
    assert (nothing.returncode, "Nothing is loaded" in nothing.stderr) == (2, True)

    operator.load(quarantine_share_limit=1)
    listed = tierwise("quarantine", "list", *home, "--feed", "payments")
    assert listed.returncode == 0
    assert "[a] b.csv" in listed.stdout
    assert "amount: '…' is not a number" in listed.stdout

    exported = tierwise("quarantine", "export", *home, "--out", target)
    assert (exported.returncode, exported.stderr) == (0, "")
    assert "2 rows in" in exported.stdout
    assert tierwise("quarantine", "export", *home, "--out", target).returncode == 2

    target.write_text(target.read_text().replace(",x,", ",5.00,"))
    with HomeLock(operator.home):
        assert tierwise("quarantine", "release", target, *home).returncode == 3
    released = tierwise("quarantine", "release", target, *home)
    assert released.returncode == 1
    assert "payments: 1 rows released, 0 repeated, 1 still at fault" in released.stdout
    assert "1 of 2 rows are still at fault" in released.stderr
    again = tierwise("quarantine", "release", target, *home)
    assert (again.returncode, "released before" in again.stdout) == (0, True)
    target.write_text(target.read_text().replace(",soon,", ",2025-03-02,"))
    assert tierwise("quarantine", "release", target, *home).returncode == 0
    assert "No row waits" in tierwise("quarantine", "list", *home).stdout
