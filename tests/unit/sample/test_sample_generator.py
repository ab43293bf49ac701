"""The generator: same seed same bytes, later months add, defects are listed."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.errors import ConfigurationError
from orchestration.ingest.control_totals import read_control
from orchestration.ingest.reference import compose_reference
from seeds.operator import write_sample
from tests.unit.sample.conftest import REPOSITORY, SAMPLE, contents

CUSTOMERS = 250


@pytest.fixture(scope="module")
def three_months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("three")
    write_sample(out, CUSTOMERS, 3, seed=7)
    return out


def test_the_bundled_sample_is_what_the_generator_writes(tmp_path: Path) -> None:
    write_sample(tmp_path, 2000, 18)
    assert contents(tmp_path) == contents(SAMPLE)


def test_the_same_seed_gives_the_same_bytes(three_months: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, CUSTOMERS, 3, seed=7)
    assert contents(tmp_path) == contents(three_months)


def test_another_seed_gives_other_customers(three_months: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, CUSTOMERS, 3, seed=8)
    first = "landing/customers/2025-01.parquet"
    assert (tmp_path / first).read_bytes() != (three_months / first).read_bytes()


def test_later_months_leave_earlier_files_unchanged(three_months: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, CUSTOMERS, 5, seed=7)
    longer, shorter = contents(tmp_path), contents(three_months)
    assert shorter.items() <= longer.items()
    added = set(longer) - set(shorter)
    assert "landing/invoices/2025-05.csv.gz" in added
    assert all("2025-04" in name or "2025-05" in name for name in added)


def test_members_yet_to_come_make_no_group_of_today(tmp_path: Path) -> None:
    # With this seed two heads have no other members than those of the second year.
    write_sample(tmp_path / "shorter", 400, 2, seed=18)
    write_sample(tmp_path / "longer", 400, 24, seed=18)
    for month in ("2025-01", "2025-02"):
        name = f"landing/customers/{month}.parquet"
        shorter, longer = (tmp_path / each / name for each in ("shorter", "longer"))
        assert shorter.read_bytes() == longer.read_bytes()


def test_a_limit_of_memory_changes_nothing(three_months: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, CUSTOMERS, 3, seed=7, memory_limit="100MB")
    assert contents(tmp_path) == contents(three_months)


def test_too_little_memory_is_told_as_a_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"5MB is too little .* Raise .* memory_limit"):
        write_sample(tmp_path, 20_000, 1, seed=7, memory_limit="5MB")


def test_control_totals_are_of_the_files_beside_them(three_months: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, CUSTOMERS, 3, seed=7, control_totals=True)
    plain, declared = contents(three_months), contents(tmp_path)
    assert declared.keys() - plain.keys() == {
        f"landing/{feed}/_control.json" for feed in ("charges", "invoices", "payments")
    }
    assert plain.items() <= declared.items(), "the files themselves are the same"
    folder = tmp_path / "landing" / "invoices"
    totals, fault = read_control(folder / "_control.json")
    assert fault is None
    assert totals.keys() == {path.name for path in folder.glob("*.gz")}
    for name, total in totals.items():
        header, *rows = _rows(folder / name)
        assert total.rows == len(rows)
        for column, declared_sum in total.sums.items():
            assert declared_sum == sum(Decimal(row[header.index(column)]) for row in rows)
        assert total.sums.keys() == {"total_amount", "tax_amount"}


def test_the_summary_counts_what_was_written(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    summary = write_sample(
        tmp_path, 40, 2, progress=lambda done, months: calls.append((done, months))
    )
    assert calls == [(1, 2), (2, 2)]
    assert f"{summary.last_month}" == "2025-02-01"
    written = 0
    for path in (tmp_path / "landing" / "invoices").iterdir():
        written += len(gzip.decompress(path.read_bytes()).splitlines()) - 1
    assert summary.rows["invoices"] == written
    assert {path.name for path in tmp_path.iterdir()} == {"landing", "reference", "tierwise.toml"}


@pytest.mark.parametrize("policy", ["house"])
def test_the_samples_reference_tables_are_right(tmp_path: Path, policy: str) -> None:
    found = compose_reference(
        REPOSITORY / "seeds" / "reference", SAMPLE / "reference", tmp_path / "set", policy
    )
    assert found.overridden == ["contact_limits", "tier_overrides"]
    assert found.warnings == []


def test_defects_are_listed_where_they_are(tmp_path: Path) -> None:
    summary = write_sample(tmp_path, CUSTOMERS, 3, seed=7, defects=True)
    with (tmp_path / "defects.csv").open(encoding="utf-8", newline="") as stream:
        listed = list(csv.DictReader(stream))
    assert sum(summary.defects.values()) == len(listed)
    faults = {row["fault"] for row in listed}
    assert {"unparsable amount", "unknown code", "missing value", "unknown parent"} <= faults
    assert {"truncated row", "row delivered twice", "date in the future"} <= faults
    found = 0
    for row in listed:
        header, *rows = _rows(tmp_path / row["file"])
        fields = rows[int(row["row"]) - 1]
        if row["fault"] == "unknown code":
            assert fields[header.index(row["column"])] in ("final", "done", "pigeon", "hybrid")
            found += 1
        if row["fault"] == "missing value":
            assert fields[header.index(row["column"])] == ""
            found += 1
        if row["fault"] == "row delivered twice":
            assert fields == rows[int(row["row"]) - 2]
            found += 1
        if row["fault"] == "truncated row":
            assert len(fields) < len(header)
            found += 1
    assert found >= 6


@pytest.mark.parametrize(("customers", "months"), [(0, 1), (1, 0)])
def test_too_small_a_number_is_refused(tmp_path: Path, customers: int, months: int) -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        write_sample(tmp_path, customers, months)


def test_a_landing_folder_with_files_is_refused(three_months: Path) -> None:
    with pytest.raises(ConfigurationError, match="holds files already"):
        write_sample(three_months, CUSTOMERS, 3)


def test_one_customer_is_enough(tmp_path: Path) -> None:
    assert write_sample(tmp_path, 1, 1).rows["customers"] >= 1


def _rows(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return list(csv.reader(content.decode("utf-8").splitlines()))
