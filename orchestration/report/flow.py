"""The shape of the tier flow: which ribbon runs where, for those who changed tier.

Heights are customers. The tiers stand on both sides in the order of their rank; what a tier
loses leaves it on the left, what it gains arrives on the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Points along a ribbon, and the air between two tiers as a part of all movers.
STEPS = 24
GAP = 0.06


@dataclass(frozen=True)
class Move:
    """Customers who went from one tier to another; a rank of None is no tier."""

    tier_from: str
    rank_from: int | None
    tier_to: str
    rank_to: int | None
    customers: int


@dataclass(frozen=True)
class End:
    """A tier on one side (0 before, 1 after), its customers and its middle."""

    side: int
    tier: str
    customers: int
    middle: float


@dataclass(frozen=True)
class Ribbon:
    """A move with its lower and upper edge along x from 0 to 1."""

    move: Move
    edges: list[tuple[float, float, float]]


def flow_of(moves: Sequence[Move]) -> tuple[list[Ribbon], list[End]]:
    """Ribbons and ends for the moves between two different tiers."""
    movers = [move for move in moves if move.tier_from != move.tier_to and move.customers]
    gap = GAP * sum(move.customers for move in movers)
    starts, left = _stacked(movers, gap, side=0)
    stops, right = _stacked(movers, gap, side=1)
    ribbons = [
        Ribbon(move, _edges(starts[position], stops[position], move.customers))
        for position, move in enumerate(movers)
    ]
    return ribbons, left + right


def _tier(move: Move, side: int) -> tuple[bool, int, str]:
    """Sorts tiers by rank, those without one last."""
    rank, tier = (move.rank_to, move.tier_to) if side else (move.rank_from, move.tier_from)
    return rank is None, rank or 0, tier


def _stacked(moves: list[Move], gap: float, side: int) -> tuple[dict[int, float], list[End]]:
    """Where each move begins on a side, and the tiers there."""
    order = sorted(
        range(len(moves)), key=lambda at: (_tier(moves[at], side), _tier(moves[at], 1 - side))
    )
    begins: dict[int, float] = {}
    ends: list[End] = []
    height, first = 0.0, 0.0
    for place, at in enumerate(order):
        begins[at] = height
        height += moves[at].customers
        tier = _tier(moves[at], side)
        is_last = place + 1 == len(order) or _tier(moves[order[place + 1]], side) != tier
        if is_last:
            customers = sum(move.customers for move in moves if _tier(move, side) == tier)
            ends.append(End(side, tier[2], customers, (first + height) / 2))
            height += gap
            first = height
    return begins, ends


def _edges(start: float, stop: float, height: int) -> list[tuple[float, float, float]]:
    edges = []
    for step in range(STEPS + 1):
        x = step / STEPS
        low = start + (stop - start) * x * x * (3 - 2 * x)
        edges.append((round(x, 4), round(low, 4), round(low + height, 4)))
    return edges
