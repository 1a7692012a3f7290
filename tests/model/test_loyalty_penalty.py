"""Who has been with a provider for a year pays more than a newcomer, and so leaves more often when they look."""

import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.measure.estimates import pooled
from sim.measure.tally import TENURE
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import SHARES, bare, market

ATTENTION, WEIGHT, PENALTY = 0.02, 3.0, 0.4
PLAIN = {  # people look at random, and choose by presence and price alone
    "people": 40_000,
    "weeks": 104,
    "market.regime": "provider",
    "market.attention_concentration": 1e4,
    "mechanisms.inattention": True,
    "mechanisms.price": True,
    "consumer.attention": ATTENTION,
    "consumer.automaticity": 0.0,
    "consumer.price_weight": WEIGHT,
}


@pytest.mark.parametrize("penalty", [PENALTY, 0.0])
def test_of_those_who_look_more_leave_from_the_second_year_on(penalty):
    """Chance to leave: attention x (1 - the logit share of the own firm), with the penalty in it after a year."""
    tally = pooled(simulate(bare({**PLAIN, "market.loyalty_penalty": penalty})).tally)
    stayed, left = np.moveaxis(tally.tenure.sum(axis=0), -1, 0)
    for old in (False, True):
        bins = (TENURE >= 52) if old else (TENURE >= 1) & (TENURE < 52)
        own = np.array(SHARES) * np.exp(-WEIGHT * penalty * old)
        uses = (stayed + left)[:, bins].sum(axis=1)
        expected = uses * ATTENTION * (1 - own / (own + 1 - np.array(SHARES)))
        assert uses.min() > 1_000
        assert (np.abs(left[:, bins].sum(axis=1) - expected) < 4 * np.sqrt(expected)).all()


def test_no_penalty_costs_nothing_and_a_repertoire_has_none():
    """Only providers have customers who stay on; there the market without a penalty has the same bits as before."""
    runs = [simulate(market({**WORLDS["repertoire"], "market.loyalty_penalty": p})) for p in (0.0, 0.5)]
    assert digest(runs[0].tally) == digest(runs[1].tally)
