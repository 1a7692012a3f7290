"""The same person with the same draws in two worlds: exactly one thing differs."""

import numpy as np
import pytest

from sim.engine.loop import advance, initialize, simulate
from sim.measure import estimates, metrics
from sim.model.scenario import change
from tests.engine.test_same_bits import STORY, digest
from tests.markets import bare, market

LIVELY = {k: v for k, v in STORY.items() if k not in ("scandals", "moves")}


def test_a_scandal_nobody_hears_changes_no_bit():
    quiet = market(LIVELY)
    unheard = {"firm": "f0", "week": 3, "reach": 0.0, "contagion": 0.9}
    run, twin = simulate(quiet), simulate(change(quiet, {"scandals.x": unheard}))
    assert digest(run.tally._replace(news=np.zeros(0))) == digest(twin.tally._replace(news=np.zeros(0)))
    assert not twin.tally.news.any()


@pytest.mark.parametrize(
    "later",
    [
        {"scandals.x": {"firm": "f0", "week": 9, "action": 8.0}},
        {"moves.x": {"firm": "f1", "lever": "price", "value": 0.5, "week": 9}},
        {"moves.x": {"firm": "f1", "lever": "touchpoints.app.failure_rate", "value": 0.9, "week": 9}},
    ],
    ids=["scandal", "price", "touchpoint"],
)
def test_flows_are_identical_up_to_the_week_of_the_change(later):
    quiet = market(LIVELY)
    flow, twin = (simulate(s).tally.flow for s in (quiet, change(quiet, later)))
    np.testing.assert_array_equal(flow[:, :9], twin[:, :9])
    assert (flow[:, 9:] != twin[:, 9:]).any()


def test_one_more_person_changes_nobody_else():
    """Without neighbors nobody touches another: everyone lives the same life, whoever else is born."""
    few, more = (initialize(market({**LIVELY, "network.kind": "none", "people": n}))[0] for n in (600, 601))
    for shard in (few, more):
        for _ in range(30):
            advance([shard])
    for ours, theirs in zip(few.people, more.people, strict=True):
        np.testing.assert_array_equal(ours, theirs[:600])


def test_one_more_firm_changes_no_draw_of_the_others():
    """Whoever does not go to the newcomer does what they did before, use by use, when nothing is carried over."""
    changes = {"market.regime": "provider", "mechanisms.taste": True, "market.taste_law": "normal", "people": 3000}
    old = bare(changes)
    new = change(old, {"firms.newcomer": {"presence": 0.05}})
    parts = [initialize(s)[0] for s in (old, new)]
    stayed = 0
    for _ in range(20):
        for shard in parts:
            advance([shard])
        before, after = (shard.people.one["last"] for shard in parts)
        same = after != len(old.firms)
        np.testing.assert_array_equal(before[same], after[same])
        stayed += same.sum()
    assert 0.9 * 3000 * 20 < stayed < 3000 * 20


def test_twins_measure_a_difference_better_than_strangers():
    base = market({**LIVELY, "people": 2000})
    better = change(base, {"firms.f2.quality": 0.3})
    stranger = change(better, {"seed": 99})
    counts = [estimates.pooled(simulate(s).tally) for s in (base, better, stranger)]
    paired = estimates.difference(metrics.share, counts[0], counts[1])
    apart = np.hypot(*(estimates.estimate(metrics.share, c).error for c in (counts[0], counts[2])))
    assert paired.value[2] > 2 * paired.error[2]
    assert (paired.error < 0.7 * apart).all()
