"""Attention is more right after joining: how often people deliberate, how soon they act."""

import numpy as np
import pytest

from sim.engine.loop import advance, initialize, simulate
from sim.measure.estimates import weekly
from sim.measure.tally import Event
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import market

ATTENTION, MORE, HALF_LIFE = 0.02, 4.0, 3.0
STUCK = {  # nobody leaves, and all have just begun
    "people": 40_000,
    "weeks": 12,
    "window": 4,
    "burn_in": 0,
    "market.regime": "provider",
    "market.incident_attention": 0.0,
    "consumer.attention": ATTENTION,
    "consumer.automaticity": 0.0,
    "market.early_attention": MORE,
    "market.early_half_life": HALF_LIFE,
    **{f"firms.f{j}.switching_cost": 10.0 for j in range(6)},
    "consumer.price_weight": 0.0,
    "mechanisms.regret": False,
}


def test_attention_is_halved_from_week_to_week_as_declared():
    """Uses that are deliberated, of all: attention x (1 + more x 2^(-tenure / half-life))."""
    tally = weekly(simulate(market(STUCK)).tally)
    seen = tally.event[..., Event.DELIBERATED].sum(axis=(0, -1))[:12]
    uses = tally.flow[..., 1:, 1:].sum(axis=(0, -2, -1))[:12]
    expected = uses * ATTENTION * (1 + MORE * 2 ** (-np.arange(12) / HALF_LIFE))
    assert (np.abs(seen - expected) < 4 * np.sqrt(expected)).all()
    assert seen[0] > 3 * seen[-1]


@pytest.mark.parametrize("more", [MORE, 0.0])
def test_who_has_just_joined_carries_out_an_exit_sooner(more):
    """Of those who wait, exit_rate x (1 + more x 2^(-tenure / half-life)) leave in a week."""
    free = {f"firms.f{j}.switching_cost": 0.0 for j in range(6)}
    parts = initialize(
        market({**STUCK, **free, "consumer.attention": 0.5, "market.exit_rate": 0.1, "market.early_attention": more})
    )
    for _ in range(3):
        advance(parts)
    before = parts[0].people.one.copy()
    advance(parts)
    waits, tenure = before["target"] >= 0, before["tenure"].astype(float)
    left = (parts[0].people.one["target"] < 0)[waits].sum()
    expected = (0.1 * (1 + more * 2 ** (-tenure[waits] / HALF_LIFE))).sum()
    assert waits.sum() > 1_000 and abs(left - expected) < 4 * np.sqrt(expected)


def test_a_surplus_of_nothing_costs_nothing():
    """Without it the half-life is read by nobody: the same bits."""
    runs = [simulate(market({**WORLDS["provider"], "market.early_half_life": h})) for h in (0.5, 50.0)]
    assert digest(runs[0].tally) == digest(runs[1].tally)
