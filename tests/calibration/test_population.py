"""Tastes of the rules, from what the estimator draws."""

from dataclasses import replace

import numpy as np
import pytest

from sim.calibration.chains import Draws
from sim.calibration.choices import Choices, Terms
from sim.calibration.fit import VARIANTS
from sim.calibration.population import PEOPLE, at_end, moments

TERMS = Terms((0.5, 0.3, 0.2), 1.0, False, False, False, prices=(1.1, 1.0, 0.8))
RATE = 0.25


def draws(habit: float, began: float = 0.0) -> Draws:
    """Two draws of a population with three brands and a price weight, and of two households."""
    rng = np.random.default_rng(1)
    half = rng.normal(size=(2, 3, 3))
    common = np.tile([began, habit, np.log(RATE / (1 - RATE))], (2, 1))
    sigma = half @ half.transpose(0, 2, 1) + 0.5 * np.eye(3)
    return Draws(VARIANTS["simulator"], rng.normal(size=(2, 2, 3)), rng.normal(size=(2, 3)), sigma, common)


def at_rest(theta: np.ndarray, prices: tuple[float, ...] = TERMS.prices) -> np.ndarray:
    """[..., j] chances at these prices of utilities at rest theta [..., p]."""
    v = np.concatenate([np.zeros((*theta.shape[:-1], 1)), theta[..., :2]], axis=-1)
    v -= np.exp(theta[..., 2:]) * (np.array(prices) - 1)
    return np.exp(v) / np.exp(v).sum(axis=-1, keepdims=True)


def test_without_habit_the_moments_are_those_of_the_population():
    mine = draws(0.0)
    mean, covariance = moments(TERMS, mine)
    np.testing.assert_allclose(mean, mine.mu, atol=1e-12)
    np.testing.assert_allclose(covariance, mine.sigma, atol=1e-12)


def test_with_habit_they_are_those_of_tastes_less_what_habit_adds_at_rest():
    mine = draws(1.5)
    mean, covariance = moments(TERMS, mine)
    theta = np.random.default_rng(3).multivariate_normal(mine.mu[1], mine.sigma[1], 400_000)
    chance = at_rest(theta)
    theta[:, :2] -= 1.5 * (chance[:, 1:] - chance[:, :1])
    error = theta.std(axis=0) / PEOPLE**0.5
    assert (np.abs(mean[1] - theta.mean(axis=0)) < 3 * error).all()
    assert np.diag(covariance[1]) == pytest.approx(theta.var(axis=0), rel=0.2)


def test_households_end_with_the_habit_of_their_purchases_and_the_tastes_that_rest_where_they_are():
    mine, blocks = draws(1.5, began=50.0), (np.ones((3, 3)), None, None)
    choices = Choices(
        *(("a", "b", "c"), np.array(["one", "two"]), np.array([0, 3, 3]), np.array([2, 2, 0])),
        *(*blocks, None, np.arange(3)),  # type: ignore[arg-type]
    )
    taste, habit = at_end(choices, TERMS, mine, np.array([1]))
    theta = mine.theta[1]
    rest = at_rest(theta)
    rest[0] = at_rest(theta[0], (1.0, 1.0, 1.0))  # the prices of its own purchases
    np.testing.assert_allclose(taste[0, :, 1:] + 1.5 * (rest[:, 1:] - rest[:, :1]), theta[:, :2], atol=1e-12)
    np.testing.assert_allclose(habit[0, 1], rest[1], atol=1e-12)  # it bought nothing
    memory = rest[0].copy()
    for y in (2, 2, 0):
        memory += RATE * (np.eye(3)[y] - memory)
    np.testing.assert_allclose(habit[0, 0], memory, atol=1e-12)
    shares = at_end(choices, TERMS, replace(mine, common=mine.common - [100, 0, 0]), np.array([1]))[1]
    np.testing.assert_allclose(shares[0, 1], TERMS.share, atol=1e-12)
