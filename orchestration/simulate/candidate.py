"""The policy to replay: one of the pack, or one from files that are checked like the pack."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.ingest.reference.contract import load_contract
from orchestration.ingest.reference.reading import Problem, TableFile, read_table
from orchestration.ingest.reference.rules import check_policies

POLICIES = "tier_policies"
BANDS = "tier_bands"
IN_FORCE = "in_force"
SIMULATED = "simulated"

Texts = dict[str, str]


@dataclass(frozen=True)
class Policy:
    """All versions of one policy and their bands, as the rows of their files."""

    policy_id: str
    versions: tuple[Texts, ...]
    bands: tuple[Texts, ...]

    @property
    def name(self) -> str:
        """The name of the latest version."""
        return self.versions[-1]["name"]

    @property
    def currency(self) -> str:
        """The currency of the latest version."""
        return self.versions[-1]["currency"]


def find_candidate(
    reference: Path, policy_id: str, policies: Path | None = None, bands: Path | None = None
) -> Policy:
    """The policy to replay, from the files given, else from the set in force.

    A policy that stands in both is the one of the files: that is how new bounds for a
    policy in force are tried.

    Raises:
        ConfigurationError: only one file is given, a file is wrong (every fault with
            file, row, column and value), or no table knows the policy.
    """
    if (policies is None) != (bands is None):
        raise ConfigurationError(
            "--policies and --bands belong together: a policy is nothing without its bands. "
            "Give both files, in the columns of tier_policies.csv and tier_bands.csv."
        )
    pack = _read(reference / f"{POLICIES}.csv", reference / f"{BANDS}.csv")
    given = _read(policies, bands) if policies and bands else ()
    for policy in (*given, *pack):
        if policy.policy_id == policy_id:
            return policy
    known = ", ".join(sorted({policy.policy_id for policy in (*given, *pack)}))
    places = f"{policies} or the policies in force" if policies else "the policies in force"
    raise ConfigurationError(
        f"The policy '{policy_id}' does not stand in {places}. Known are: {known}."
    )


def at_all_times(policy: Policy, first_month: date) -> Policy:
    """The policy as if it had always been: a replay is not bound by its dates.

    Its earliest version also stands for the months before it, its latest for those
    after, and each version lasts until the next begins.
    """
    begun = [row["valid_from"] for row in policy.versions]
    starts = [min(first_month.isoformat(), begun[0]), *begun[1:]]
    versions = tuple(
        {**row, "valid_from": start, "valid_to": end}
        for row, start, end in zip(policy.versions, starts, [*starts[1:], ""], strict=True)
    )
    return replace(policy, versions=versions)


def write_reference(source: Path, target: Path, in_force: Policy, simulated: Policy) -> None:
    """The set in force with two policies alone, under names of their own.

    So a changed version of the policy in force can be compared with it.
    """
    shutil.copytree(source, target)
    renamed = ((in_force, IN_FORCE), (simulated, SIMULATED))
    _write(target, POLICIES, [(row, name) for policy, name in renamed for row in policy.versions])
    _write(target, BANDS, [(row, name) for policy, name in renamed for row in policy.bands])


def _write(folder: Path, table: str, rows: Sequence[tuple[Texts, str]]) -> None:
    columns = list(load_contract()[table].columns)
    with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "policy_id": name} for row, name in rows)


def _read(policies: Path, bands: Path) -> tuple[Policy, ...]:
    contract = load_contract()
    policy_file, policy_faults, _ = read_table(contract[POLICIES], policies)
    band_file, band_faults, _ = read_table(contract[BANDS], bands)
    problems = [*policy_faults, *band_faults]
    # A file that could not be read has no rows to judge the other by.
    if all(problem.row is not None for problem in problems):
        problems += check_policies(policy_file, band_file)
    if problems:
        raise ConfigurationError(_told(problems))
    return tuple(_policies(policy_file, band_file))


def _policies(policies: TableFile, bands: TableFile) -> list[Policy]:
    by_id: dict[str, list[Texts]] = {}
    for row in sorted(policies.rows, key=lambda row: row.texts["valid_from"]):
        by_id.setdefault(row.texts["policy_id"], []).append(row.texts)
    return [
        Policy(
            policy_id,
            tuple(versions),
            tuple(row.texts for row in bands.rows if row.texts["policy_id"] == policy_id),
        )
        for policy_id, versions in by_id.items()
    ]


def _told(problems: Sequence[Problem]) -> str:
    noun = "problem" if len(problems) == 1 else "problems"
    lines = [f"The policies have {len(problems)} {noun}; nothing was replayed."]
    return "\n".join([*lines, *(f"  {problem}" for problem in problems)])
