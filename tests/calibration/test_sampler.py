"""The sampler: without data it draws from the prior, with data it finds what made them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t as student_t

from sim.calibration.chains import Chain, Length, run_chains
from sim.calibration.choices import Choices, Terms, choices_of, ranked_brands
from sim.calibration.compiled.arithmetic import gamma, normal, uniform
from sim.calibration.fit import VARIANTS, basic_terms
from sim.panel import read
from tests.calibration.panels import drawn


def still(what, done):
    """No progress is shown."""


def empty(households: int) -> Choices:
    none = np.zeros((0, 3))
    names = np.array([str(i) for i in range(households)])
    start = np.zeros(households + 1, np.int64)
    return Choices(("a", "b", "c"), names, start, np.zeros(0, np.int64), none, None, None, None, start[:0])


@pytest.mark.parametrize(("name", "trend"), [("whole", False), ("simulator", True)])
def test_without_purchases_draws_are_those_of_the_prior(name, trend):
    """Shifts, scalings and slices leave the prior as it is, so each moment of it must come out."""
    terms = Terms((0.5, 0.3, 0.2), 1.0, False, True, False, trend=trend)
    chain = Chain(empty(8), terms, VARIANTS[name], Length(3000, 120_000, 6000), 5)
    (draws,) = run_chains([chain], still, "")
    prior = chain.prior
    for values, mean, sd in (
        *zip(draws.mu.T, prior.mean, prior.sd, strict=True),
        *zip(draws.common.T[:-2], prior.common_mean, prior.common_sd, strict=False),
        (draws.common[:, -1], prior.common_mean[-1], prior.common_sd[-1]),
    ):
        assert values.mean() == pytest.approx(mean, abs=0.15 * sd)
        assert values.std() == pytest.approx(sd, rel=0.1)
    sd = np.sqrt(np.diagonal(draws.sigma, axis1=1, axis2=2))
    # With nu = 2 the standard deviations are half-t with 2 degrees of freedom: its median is .8165 of the scale.
    assert np.median(sd, axis=0) == pytest.approx(0.8165 * prior.scale, rel=0.15)
    correlation = draws.sigma[:, 1, 0] / (sd[:, 0] * sd[:, 1])
    assert np.quantile(correlation, [0.25, 0.5, 0.75]) == pytest.approx([-0.5, 0, 0.5], abs=0.08)  # uniform
    habit = np.abs(draws.common[:, -2]) / prior.common_sd[-2]
    assert np.median(habit) == pytest.approx(student_t.ppf(0.75, prior.habit_df), rel=0.1)


@pytest.mark.parametrize("trend", [(), (0.0, 1.5, -1.0)])
def test_it_finds_the_numbers_that_made_a_panel(tmp_path, trend):
    """Mean tastes, price weight, feature, trend, habit and its rate lie within four standard deviations."""
    drawn(150, 20, trend=trend or (0.0, 0.0, 0.0)).to_csv(tmp_path / "p.csv", index=False)
    panel = read(tmp_path / "p.csv")
    choices = choices_of(panel, ranked_brands(panel))
    terms = replace(basic_terms(choices), trend=bool(trend))
    (draws,) = run_chains([Chain(choices, terms, VARIANTS["simulator"], Length(1500, 2000, 500), 1)], still, "")
    brands = [("a", "b", "c").index(b) for b in choices.brands]
    truth = np.array([0.0, 0.5, -1.0])[brands]
    logit = np.log(0.6 / 0.4)
    gained = np.array(trend)[brands] if trend else np.zeros(1)
    expected = [*(truth[1:] - truth[0]), np.log(4.0), 0.8, *(gained[1:] - gained[0]), 1.5, logit]
    found = np.delete(np.column_stack([draws.mu, draws.common]), -3, axis=1)  # less that of how habit began
    # The price of 1 is the panel's mean, here 1 as well.
    z = (found.mean(axis=0) - expected) / found.std(axis=0)
    assert np.abs(z).max() < 4, z
    assert found.std(axis=0).max() < 0.8  # and it is known by the data, not by wide intervals


def test_the_same_seed_is_the_same_chain_and_threads_do_not_matter(tmp_path):
    drawn(10, 8).to_csv(tmp_path / "p.csv", index=False)
    panel = read(tmp_path / "p.csv")
    choices = choices_of(panel, ranked_brands(panel))
    terms, length = basic_terms(choices), Length(50, 100, 50)

    def chains(seed):
        return [Chain(choices, terms, v, length, seed) for v in VARIANTS.values()]

    one, two = run_chains(chains(7), still, ""), [run_chains([c], still, "")[0] for c in chains(7)]
    for a, b in zip(one, two, strict=True):
        assert a.theta.tobytes() == b.theta.tobytes() and a.common.tobytes() == b.common.tobytes()
    assert run_chains(chains(8), still, "")[0].mu.tobytes() != one[0].mu.tobytes()


def test_random_numbers_have_their_moments():
    state = np.array([1], np.uint64)
    u = np.array([uniform(state) for _ in range(20_000)])
    z = np.array([normal(state) for _ in range(20_000)])
    assert u.mean() == pytest.approx(0.5, abs=0.01) and u.var() == pytest.approx(1 / 12, rel=0.05)
    assert z.mean() == pytest.approx(0, abs=0.03) and z.var() == pytest.approx(1, rel=0.05)
    for shape in (0.6, 3.0):
        g = np.array([gamma(state, shape) for _ in range(20_000)])
        assert g.mean() == pytest.approx(shape, rel=0.05) and g.var() == pytest.approx(shape, rel=0.12)
