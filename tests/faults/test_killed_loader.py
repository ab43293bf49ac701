"""A loader killed at any of its writes, run again, leaves the lake of an undisturbed run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestration.ingest.lake import SCHEMA_FILE
from tests.support.loading import SmallOperator, lake_content, settled


class KilledError(BaseException):
    """Stands for a signal: nothing in the loader catches it."""


@contextmanager
def killed_at(write: int | None) -> Iterator[list[str]]:
    """Raise instead of the given rename; nothing is tidied up before or after it."""
    done: list[str] = []
    real_replace = Path.replace

    def replace(path: Path, target: Path) -> Path:
        done.append(target.name)
        if len(done) == write:
            raise KilledError
        return real_replace(path, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        patch.setattr("orchestration.ingest.load.shutil.rmtree", lambda *_, **__: None)
        yield done


def deliver_more(operator: SmallOperator) -> None:
    """A correction, a new file with a fault, a copy and a versioned change."""
    january = operator.landing / "invoices" / "2025-01.csv.gz"
    operator.write("invoices", "copy.csv.gz", january.read_bytes(), hour=1)
    header = "invoice_id,account_id,billing_month,issued_on,due_on,currency,total_amount,tax_amount"
    rows = [f"N{n},A-C1,2025-0{n % 3 + 1}-01,2025-03-05,2025-03-25,CNY,{n},0" for n in range(9)]
    rows.append("N9,A-C1,2025-03-01,2025-03-05,2025-03-25,CNY,many,0")
    operator.write("invoices", "more.csv", "\n".join([header, *rows]) + "\n", hour=2)
    managers = "manager_id,manager_name,region_code,updated_at\n"
    operator.write("managers", "m.csv", managers + "M1,Li,GD,2025-01-01 00:00:00\n", hour=3)


def test_killed_anywhere_and_run_again(tmp_path: Path) -> None:
    operator = SmallOperator(tmp_path, months=1)
    before, undisturbed = tmp_path / "before", tmp_path / "undisturbed"
    operator.load(before, quarantine_share_limit=1)
    deliver_more(operator)
    shutil.copytree(before, undisturbed)
    with killed_at(None) as writes:
        operator.load(undisturbed, quarantine_share_limit=1)
    expected, said = lake_content(undisturbed), settled(undisturbed)
    telling = [place for place, name in enumerate(writes, start=1) if name != SCHEMA_FILE]
    assert len(telling) >= 8, writes
    for write in [1, *telling]:
        home = tmp_path / f"killed at {write}"
        shutil.copytree(before, home)
        with killed_at(write), pytest.raises(KilledError):
            operator.load(home, quarantine_share_limit=1)
        operator.load(home, quarantine_share_limit=1)
        assert lake_content(home) == expected, f"killed at {writes[write - 1]}"
        assert settled(home) == said, f"killed at {writes[write - 1]}"


def test_rows_of_a_killed_run_do_not_count(tmp_path: Path) -> None:
    operator = SmallOperator(tmp_path)
    operator.load()
    text = (operator.landing / "payments" / "2025-01.csv").read_text().replace("P-", "Q-")
    operator.write("payments", "more.csv", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.ingest.load.write_ledger", _killed)
        with pytest.raises(KilledError):
            operator.load()
    assert operator.query("select count(*) from raw.payments") == [(9,)]


def _killed(*_: object) -> None:
    raise KilledError
