"""The shape of the tier flow: every mover once, ribbons as high as their customers."""

from __future__ import annotations

import itertools

from orchestration.report.flow import STEPS, End, Move, flow_of

GOLD_TO_SILVER = Move("gold", 3, "silver", 4, 2)
SILVER_TO_GOLD = Move("silver", 4, "gold", 3, 1)
JOINED = Move("none", None, "silver", 4, 7)
STAYED = Move("silver", 4, "silver", 4, 50)


def test_who_stays_draws_no_ribbon() -> None:
    assert flow_of([STAYED]) == ([], [])
    ribbons, _ = flow_of([STAYED, JOINED])
    assert [ribbon.move for ribbon in ribbons] == [JOINED]


def test_a_ribbon_is_as_high_as_its_customers_from_end_to_end() -> None:
    ribbons, _ = flow_of([GOLD_TO_SILVER, SILVER_TO_GOLD, JOINED])
    for ribbon in ribbons:
        assert len(ribbon.edges) == STEPS + 1
        assert (ribbon.edges[0][0], ribbon.edges[-1][0]) == (0, 1)
        for _, low, high in ribbon.edges:
            assert round(high - low, 3) == ribbon.move.customers


def test_tiers_stand_by_rank_with_those_without_one_last() -> None:
    _, ends = flow_of([JOINED, SILVER_TO_GOLD, GOLD_TO_SILVER])
    tiers = [(end.side, end.tier, end.customers) for end in ends]
    assert tiers == [
        (0, "gold", 2),
        (0, "silver", 1),
        (0, "none", 7),
        (1, "gold", 1),
        (1, "silver", 9),
    ]
    middles = [end.middle for end in ends if end.side == 0]
    assert middles == sorted(middles)


def test_ribbons_of_a_side_do_not_overlap() -> None:
    ribbons, ends = flow_of([GOLD_TO_SILVER, SILVER_TO_GOLD, JOINED])
    for step in (0, -1):
        spans = sorted(ribbon.edges[step][1:] for ribbon in ribbons)
        for (_, high), (low, _) in itertools.pairwise(spans):
            assert high <= low
    gap = 0.06 * 10
    assert ends[0] == End(side=0, tier="gold", customers=2, middle=1)
    assert ends[1].middle == 2 + gap + 0.5
