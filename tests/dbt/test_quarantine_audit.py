"""The audit of quarantine: which released row took the place of which quarantined one."""

from __future__ import annotations

from pathlib import Path

from expectations.results import ensure_schema
from orchestration.ingest.release import release
from orchestration.ingest.waiting import export_waiting_rows
from orchestration.settings import load_settings
from tests.support.loading import SmallOperator
from tests.support.scratch_home import ScratchHome

PAYMENTS = "payment_id,account_id,paid_on,amount\nP1,A-C1,2025-03-02,x\nP2,A-C1,soon,1\n"


def test_audit_links_released_rows_to_the_rows_they_correct(tmp_path: Path) -> None:
    operator = SmallOperator(tmp_path)
    operator.write("payments", "bad.csv", PAYMENTS)
    operator.load(quarantine_share_limit=1)
    corrected = tmp_path / "corrected.csv"
    export_waiting_rows(operator.home, None, None, corrected)
    corrected.write_text(corrected.read_text().replace(",x,", ",5.00,"))
    release(load_settings(operator.home), corrected)

    scratch = ScratchHome(tmp_path)
    ensure_schema(scratch.home.root)
    scratch.dbt("build", "--select", "+load", "+quarantine", "--exclude-resource-type", "unit_test")
    assert scratch.rows(
        """
        select delivered.file_name, quarantine.row_number, origin.file_name,
            quarantine.origin_row_number, released.file_name, quarantine.released_row_number
        from audit.quarantine
        left join audit.load as delivered on quarantine.load_id = delivered.load_id
        left join audit.load as origin on quarantine.origin_load_id = origin.load_id
        left join audit.load as released on quarantine.released_load_id = released.load_id
        order by all
        """
    ) == [
        ("bad.csv", 1, None, None, "corrected.csv", 1),
        ("bad.csv", 2, None, None, None, None),
        ("corrected.csv", 2, "bad.csv", 2, None, None),
    ]
    assert scratch.rows(
        "select released.rows_in_file, released.rows_loaded, released.rows_quarantined, "
        "delivered.file_name from audit.load as released inner join audit.load as delivered "
        "on released.origin_load_id = delivered.load_id"
    ) == [(2, 1, 1, "bad.csv")]
