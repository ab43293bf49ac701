"""One simulation from its options to its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orchestration.errors import ConfigurationError
from orchestration.home import Home
from orchestration.ingest.months import shown
from orchestration.publish.current import Publication, read_publication
from orchestration.settings import Settings
from orchestration.simulate.candidate import Policy, at_all_times, find_candidate
from orchestration.simulate.outcome import (
    Outcome,
    prepare_moves,
    read_outcome,
    read_service_costs,
    write_movers,
)
from orchestration.simulate.replay import replayed, require_same_reference


@dataclass(frozen=True)
class Request:
    """What to replay: a policy, where it stands, and over which months."""

    policy_id: str
    policies: Path | None = None
    bands: Path | None = None
    first: date | None = None
    last: date | None = None
    out: Path | None = None


@dataclass(frozen=True)
class Simulation:
    """A replay with what it compared; `movers` is the number of rows written to --out."""

    publication: Publication
    in_force: Policy
    simulated: Policy
    outcome: Outcome
    movers: int | None


def simulate(settings: Settings, request: Request) -> Simulation:
    """Replay a policy against the one in force, on the current publication.

    Raises:
        ConfigurationError: nothing is published, an unknown policy, a wrong file, months
            that are not published, or no month with an exchange rate.
    """
    home = Home(settings.home)
    publication = read_publication(home)
    require_same_reference(home, publication)
    in_force = find_candidate(home.reference, publication.tier_policy)
    simulated = find_candidate(home.reference, request.policy_id, request.policies, request.bands)
    first, last = _months(publication, request)
    costs = read_service_costs(home.reference)
    always = at_all_times(simulated, publication.first_month)
    with replayed(home, publication, in_force, always, settings.memory_limit) as connection:
        prepare_moves(connection, first, last, costs)
        outcome = read_outcome(connection, first, last)
        if not outcome.months:
            raise ConfigurationError(
                f"The policy '{simulated.policy_id}' judges nobody from {shown(first)} to "
                f"{shown(last)}: fx_rates.csv has no rate of {simulated.currency} there. "
                "Add the rates and run `tierwise run`."
                if outcome.left_out
                else f"Nobody is ranked from {shown(first)} to {shown(last)}."
            )
        movers = write_movers(connection, request.out) if request.out else None
    return Simulation(publication, in_force, simulated, outcome, movers)


def _months(publication: Publication, request: Request) -> tuple[date, date]:
    """The months to compare, all published; by default every one."""
    known = (publication.first_month, publication.closing_month)
    first, last = request.first or known[0], request.last or known[1]
    for option, month in (("--from", first), ("--through", last)):
        if not known[0] <= month <= known[1]:
            raise ConfigurationError(
                f"{option} {shown(month)} is not a published month; "
                f"choose one from {shown(known[0])} to {shown(known[1])}."
            )
    if first > last:
        raise ConfigurationError(f"--from {shown(first)} is after --through {shown(last)}.")
    return first, last
