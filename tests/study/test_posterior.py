"""Calibration to moments: a posterior that is known, recovery of a market's numbers, ridges, and bad input."""

import warnings

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from sim.model.declare import ScenarioError
from sim.model.scenario import change
from sim.study import runs
from sim.study.posterior import calibrate, nearest
from sim.study.priors import priors_of, values
from tests.markets import market

SMALL = {"people": 400, "weeks": 26, "burn_in": 8}
TWO = ("consumer.state_dependence", "market.taste_concentration")


def test_the_posterior_of_a_normal_law_is_the_known_one():
    """Scores x ~ N(0, 1), figures A x + N(0, .5): mean and covariance follow from Bayes."""
    a, error, seen = np.array([[1.0, 0.5], [-0.5, 1.0]]), 0.5, np.array([0.8, -0.4])
    model = lambda points: (ndtri(points) @ a.T)[None]  # noqa: E731
    kept = nearest(model, 2, [(v, error) for v in seen], points=4000, keep=0.5)
    covariance = np.linalg.inv(np.eye(2) + a.T @ a / error**2)
    middle = covariance @ a.T @ seen / error**2
    scores = ndtri(kept.chances)
    found = kept.weights @ scores
    np.testing.assert_allclose(found, middle, atol=0.06)
    spread = np.sqrt(kept.weights @ (scores - found) ** 2)
    np.testing.assert_allclose(spread, np.sqrt(np.diag(covariance)), rtol=0.08)


def test_intervals_hold_the_truth_as_often_as_they_say():
    """200 truths from the prior of a curved function: 80 % intervals hold 74 to 86 % of each (3 standard errors: 8)."""
    rng, inside = np.random.default_rng(3), []
    model = lambda points: np.stack([points[:, 0] ** 2, points[:, 0] + points[:, 1]], axis=-1)[None]  # noqa: E731
    for n in range(200):
        truth = rng.random(2)
        seen = model(truth[None])[0, 0] + 0.1 * rng.standard_normal(2)
        kept = nearest(model, 2, [(v, 0.1) for v in seen], points=600, keep=0.2, seed=n)
        ends = [np.quantile(c, (0.1, 0.9), weights=kept.weights, method="inverted_cdf") for c in kept.chances.T]
        inside.append([low <= x <= high for (low, high), x in zip(ends, truth, strict=True)])
    assert (np.abs(np.mean(inside, axis=0) - 0.8) < 0.085).all()


def test_the_numbers_of_a_market_are_recovered():
    base = market(SMALL)
    free = {path: prior for path, prior in priors_of(base).items() if path in TWO}
    assert set(free) == set(TWO)
    truth = values(base, {TWO[0]: 0.8, TWO[1]: 0.25}, free)
    columns = ("stickiness.f0", "share.f0", "penetration.f0", "stickiness.f1")
    seen = runs.run(change(base, {"seed": 77}), {"truth": truth}, replications=8, quiet=True)
    targets = {c: (float(seen[c].mean()), float(seen[c].std(ddof=1))) for c in columns if c in seen}
    assert len(targets) >= 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        one, two = (calibrate(base, targets, free, points=160, keep=0.4, workers=w, quiet=True) for w in (1, 2))
    assert one.draws.equals(two.draws), "the same whoever simulates"
    for row in one.table.itertuples():
        draws = one.draws[row.path]
        low, high = np.quantile(draws, (0.01, 0.99), weights=one.draws["weight"], method="inverted_cdf")
        assert low <= truth[row.path] <= high, row
    assert one.table["narrowed"].max() > 0.3
    worlds = one.worlds(3)
    assert len(worlds) == 3 and change(base, worlds[0]) != base


def test_a_ridge_is_warned_of():
    """Two numbers of which only the sum is seen."""
    model = lambda points: (ndtri(points).sum(axis=1, keepdims=True))[None]  # noqa: E731
    kept = nearest(model, 2, [(0.0, 0.05)], points=1000, keep=0.3)
    correlation = np.corrcoef(ndtri(kept.chances).T)[0, 1]
    assert correlation < -0.9
    from sim.study import posterior

    base = market(SMALL)
    free = {path: prior for path, prior in priors_of(base).items() if path in TWO}
    found = posterior.moment_fit(base, free, {"share.f0": (0.0, 0.05)}, kept)
    assert len(found.ridges) == 1 and found.ridges["correlation"][0] < -0.9
    with pytest.warns(UserWarning, match="cannot be told apart"):
        posterior._warn(found)


def test_a_target_out_of_reach_is_said():
    kept = nearest(lambda points: points[None], 1, [(3.0, 0.01)], points=200, keep=0.5)
    assert kept.misses[0] > 5 and ndtr(0) == 0.5


def test_everything_wrong_is_said_at_once():
    with pytest.raises(ScenarioError) as told:
        calibrate(market(SMALL), {"shares.f0": (0.2, 0.1), "share.f1": 3}, paths=["consumer.attentions"], keep=2)
    text = str(told.value)
    for part in ("'shares'", "targets.share.f1: 3 is not", "consumer.attentions: has no prior", "keep: 2"):
        assert part in text, part
    with pytest.raises(ScenarioError, match="at least 21 are needed"):
        calibrate(market(SMALL), {"share.f0": (0.2, 0.1)}, paths=[TWO[0]], points=40, keep=0.1)
