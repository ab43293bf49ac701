"""The tier policy of the run: which version is in force in which month."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.ingest.months import months_between, shown

POLICY_TABLE = "tier_policies.csv"
SHOWN_MONTHS = 12


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a policy; `valid_to` is exclusive, None = open."""

    policy_id: str
    version: int
    currency: str
    metric: str
    valid_from: date
    valid_to: date | None

    def is_in_force(self, month: date) -> bool:
        """Whether this version decides the tiers of a month."""
        return self.valid_from <= month and (self.valid_to is None or month < self.valid_to)


def require_policy(reference: Path, policy_id: str) -> tuple[PolicyVersion, ...]:
    """All versions of a policy. Raises ConfigurationError if there is none."""
    policies = _policies(reference)
    versions = tuple(version for version in policies if version.policy_id == policy_id)
    if not versions:
        known = ", ".join(sorted({version.policy_id for version in policies})) or "none"
        raise ConfigurationError(
            f"The tier policy '{policy_id}' (setting tier_policy) does not stand in "
            f"{POLICY_TABLE}. Known are: {known}."
        )
    return versions


def policies_in_force(
    reference: Path, policy_id: str, first_month: date, closing_month: date
) -> dict[date, PolicyVersion]:
    """The version in force in every month of the run.

    Raises ConfigurationError if the policy is unknown or a month has no version.
    """
    versions = require_policy(reference, policy_id)
    months = list(months_between(first_month, closing_month))
    in_force = {m: version for m in months for version in versions if version.is_in_force(m)}
    bare = [shown(month) for month in months if month not in in_force]
    if bare:
        more = f" and {len(bare) - SHOWN_MONTHS} more" if len(bare) > SHOWN_MONTHS else ""
        raise ConfigurationError(
            f"No version of the tier policy '{policy_id}' is in force in "
            f"{', '.join(bare[:SHOWN_MONTHS])}{more}. Add one to {POLICY_TABLE}, or widen "
            "valid_from and valid_to."
        )
    return in_force


def _policies(reference: Path) -> list[PolicyVersion]:
    with (reference / POLICY_TABLE).open(encoding="utf-8-sig", newline="") as stream:
        return [
            PolicyVersion(
                policy_id=row["policy_id"],
                version=int(row["policy_version"]),
                currency=row["currency"],
                metric=row["metric"],
                valid_from=date.fromisoformat(row["valid_from"]),
                valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            )
            for row in csv.DictReader(stream)
        ]
