"""What a person accepts: a named critical failure, for one run, with name and reason."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.results import Acceptance
from orchestration.errors import ConfigurationError


def acceptances_of(
    checks: Sequence[str], by: str | None, reason: str | None
) -> tuple[Acceptance, ...]:
    """The acceptances given on the command line.

    Raises:
        ConfigurationError: a check, the name or the reason is missing.
    """
    name, text = (by or "").strip(), (reason or "").strip()
    given = {"--accept CHECK": any(checks), "--by NAME": name, "--reason TEXT": text}
    missing = [option for option, value in given.items() if not value]
    if len(missing) == len(given) and not checks and by is None and reason is None:
        return ()
    if missing or not all(check.strip() for check in checks):
        raise ConfigurationError(
            f"{' and '.join(missing or ['--accept CHECK'])} missing or empty: an acceptance "
            "names the check, who answers for it, and why. The message of a blocked run names "
            "the checks."
        )
    return tuple(Acceptance(check.strip(), name, text) for check in dict.fromkeys(checks))
