"""Errands: a share of uses goes to what is at hand, whatever the taste, and leaves the routine as it was."""

import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.measure import metrics
from sim.measure.estimates import pooled
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import SHARES, bare, market

EVEN = {"consumer.rate": 1.0, "market.rate_shape": 50.0, "people": 20_000, "weeks": 26, "window": 26}
ON = {"mechanisms.errands": True, "mechanisms.taste": True, **EVEN}


@pytest.mark.parametrize(("share", "phi"), [(1.0, 0.0), (0.5, 0.5**2 / 1.5), (0.0, 1 / 1.5)])
def test_uses_agree_as_often_as_two_of_no_errand_do(share, phi):
    """Two uses of a person agree beyond chance only where neither is an errand: phi of the Dirichlet, 1 / (1 + S)."""
    counts = pooled(simulate(bare({**ON, "market.errands": share, "market.taste_concentration": 0.5})).tally)
    assert metrics.polarization(counts)[0] == pytest.approx(phi, abs=0.02)
    np.testing.assert_allclose(metrics.share(counts)[0], SHARES, atol=0.02)


def test_an_errand_leaves_the_routine_alone():
    """Who has one firm alone is found there again after an errand: half of uses are there, and a part of the others."""
    run = simulate(bare({**ON, "market.errands": 0.5, "market.taste_concentration": 0.05}))
    flow = pooled(run.tally).flow.sum(axis=0)[1:, 1:]
    again = np.diag(flow) / flow.sum(axis=1)
    alone = 1 - 0.05 / 1.05 * (1 - np.array(SHARES))  # chance of the Dirichlet to use the firm again
    np.testing.assert_allclose(again[:3], (0.5 * alone + 0.5 * np.array(SHARES))[:3], atol=0.03)


def test_who_acts_on_a_scandal_shuns_the_firm_on_errands_too():
    scandal = {"firm": "f0", "week": 0, "reach": 1.0, "news_weeks": 1, "severity": 10.0, "contagion": 0.0}
    acts = {"consumer.action": 1.0, "mechanisms.scandal": True, "market.residue": 1.0, "market.reputation_share": 1.0}
    run = simulate(bare({**ON, **acts, "market.errands": 1.0, "scandals.boycott": scandal}))
    uses = pooled(run.tally, weeks=slice(2, 26)).flow.sum(axis=(0, 1))[1:]
    assert uses[0] < 1e-3 * uses[1]


@pytest.mark.parametrize(
    ("world", "changes"), [("repertoire", {"mechanisms.errands": False}), ("provider", {}), ("repertoire", {})]
)
def test_without_errands_nothing_changes_and_customers_of_a_provider_have_none(world, changes):
    runs = [market({**WORLDS[world], **more}) for more in ({}, {"market.errands": 0.4, **changes})]
    plain, errands = (digest(simulate(run).tally) for run in runs)
    assert (plain == errands) == (world == "provider" or bool(changes))
