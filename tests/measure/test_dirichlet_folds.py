"""All folds fitted at once give what `dirichlet.fit` gives of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.measure import dirichlet, estimates, metrics
from sim.measure.dirichlet_folds import fitted_phis
from sim.study.simulation import simulate
from tests.markets import market


def one_by_one(category, mean, shares, penetrations):
    found = []
    for row in zip(category, mean, shares, penetrations, strict=True):
        try:
            found.append(dirichlet.fit(*row, trim=False).phi)
        except ValueError:
            found.append(np.nan)
    return np.array(found)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.1, 60), st.floats(0.05, 30), st.floats(0.05, 40), st.integers(1, 12), st.integers(0, 10**6)
)  # fmt: skip
def test_any_market(mean, shape, concentration, brands, seed):
    rng = np.random.default_rng(seed)
    model = dirichlet.Dirichlet(mean, shape, concentration, rng.dirichlet(np.ones(brands)).tolist())
    folds = 4
    noise = rng.uniform(0.85, 1.15, (folds, brands))
    given = (
        np.full(folds, dirichlet.category_penetration(model)),
        np.full(folds, mean),
        np.tile(model.shares, (folds, 1)),
        np.minimum(1, dirichlet.penetration(model) * noise),
    )
    np.testing.assert_allclose(fitted_phis(*given), one_by_one(*given), atol=1e-9)


@pytest.mark.parametrize(
    ("category", "mean", "shares", "penetrations"),
    [
        (0.0, 0.0, [0.5, 0.5], [0.0, 0.0]),  # nobody uses anything
        (0.5, 0.4, [0.5, 0.5], [0.2, 0.2]),  # less than a use for each user
        (0.9, 2.0, [0.5, 0.5], [0.6, 0.0]),  # a share without buyers
        (0.9, 2.0, [1.0], [0.9]),  # one brand tells nothing
        (0.9, 2.0, [np.nan, np.nan], [0.5, 0.5]),
        (1.0, 3.0, [0.6, 0.4], [0.9, 0.8]),  # everybody uses: the Poisson
        (1 - np.exp(-800.0), 800.0, [0.6, 0.4], [1.0, 0.99]),  # the first chance underflows
        (0.9, 2.0, [0.6, 0.4], [0.9, 0.9]),  # beyond chance alone
        (0.9, 2.0, [0.6, 0.4], [0.01, 0.01]),  # beyond sole use
    ],
)
def test_what_is_odd(category, mean, shares, penetrations):
    given = [np.array([x], float) for x in (category, mean, shares, penetrations)]
    np.testing.assert_allclose(fitted_phis(*given), one_by_one(*given), atol=1e-9)


def test_the_folds_of_a_run():
    counts = estimates.folds(estimates.pooled(simulate(market({"people": 1000, "weeks": 26})).tally))
    found = metrics.dirichlet_phi(counts)
    assert found.shape == (len(counts.people),) and np.isfinite(found).all() and len(np.unique(found)) > 20
