"""Putting the reference set together: bytes, fingerprint, warnings."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.ingest.reference import compose_reference

DEFAULTS = Path(__file__).parents[3] / "seeds" / "reference"
LIMITS = (
    "service_class,channel,limit_30_days\n"
    "standard,call,1\n"
)  # fmt: skip


def test_the_operators_table_replaces_the_default_byte_for_byte(tmp_path: Path) -> None:
    override, target = tmp_path / "override", tmp_path / "target"
    override.mkdir()
    content = LIMITS.replace("\n", "\r\n").encode()
    (override / "contact_limits.csv").write_bytes(content)

    found = compose_reference(DEFAULTS, override, target)

    assert found.overridden == ["contact_limits"]
    assert found.tables["contact_limits"] == target / "contact_limits.csv"
    assert (target / "contact_limits.csv").read_bytes() == content
    assert (target / "regions.csv").read_bytes() == (DEFAULTS / "regions.csv").read_bytes()
    names = {path.name for path in target.iterdir()}
    assert names == {path.name for path in DEFAULTS.glob("*.csv")}


def test_unchanged_tables_are_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    compose_reference(DEFAULTS, None, target)
    for path in target.iterdir():
        os.utime(path, (1, 1))
    override = tmp_path / "override"
    override.mkdir()
    (override / "contact_limits.csv").write_text(LIMITS)

    compose_reference(DEFAULTS, override, target)

    rewritten = {path.name for path in target.iterdir() if path.stat().st_mtime != 1}
    assert rewritten == {"contact_limits.csv"}


def test_files_that_are_no_longer_in_the_set_go(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "retired.csv").write_text("a\n")
    (target / ".regions.csv.partial").write_text("a\n")
    compose_reference(DEFAULTS, None, target)
    assert not (target / "retired.csv").exists()
    assert not (target / ".regions.csv.partial").exists()


def test_the_fingerprint_follows_content_alone(tmp_path: Path) -> None:
    override = tmp_path / "override"
    override.mkdir()
    first = compose_reference(DEFAULTS, None, tmp_path / "one")
    (override / "regions.csv").write_bytes((DEFAULTS / "regions.csv").read_bytes())
    os.utime(override / "regions.csv", (1, 1))
    same = compose_reference(DEFAULTS, override, tmp_path / "two")
    (override / "contact_limits.csv").write_text(LIMITS)
    other = compose_reference(DEFAULTS, override, tmp_path / "three")
    assert first.sha256 == same.sha256
    assert first.sha256 != other.sha256


def test_what_nobody_reads_is_a_warning(tmp_path: Path) -> None:
    override = tmp_path / "override"
    override.mkdir()
    (override / "contact_limit.csv").write_text(LIMITS)
    (override / ".hidden").write_text("")
    (override / "contact_limits.csv").write_text(
        "service_class,channel,limit_30_days,remark\nstandard,call,1,few\n"
    )
    found = compose_reference(DEFAULTS, override, tmp_path / "target")
    assert len(found.warnings) == 2
    assert "contact_limit.csv" in found.warnings[0]
    assert "column remark" in found.warnings[1]


def test_the_cost_of_a_service_level_may_be_there_and_is_known(tmp_path: Path) -> None:
    override = tmp_path / "override"
    override.mkdir()
    header, *rows = (DEFAULTS / "service_levels.csv").read_text().splitlines()
    priced = [f"{header},monthly_cost", *(f"{row},12.50" for row in rows)]
    (override / "service_levels.csv").write_text("\n".join(priced) + "\n")
    assert compose_reference(DEFAULTS, override, tmp_path / "target").warnings == []
