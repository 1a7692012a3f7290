"""Tastes as the rules of the simulator have them, from what the estimator draws: households, and the population."""

import numpy as np

from sim.calibration.chains import Draws
from sim.calibration.choices import Choices, Terms, before, data_of
from sim.calibration.compiled.predictive import recall, settle_all

PEOPLE = 500  # in whom the moments of a population are taken


def at_end(choices: Choices, terms: Terms, draws: Draws, picks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(tastes relative to brand 0, habit after its last purchase), each [d, i, j], of households in these draws."""
    data = data_of(choices, terms, draws.variant)
    taste = np.empty((len(picks), len(choices.households), len(terms.share)))
    habit = np.empty_like(taste)
    for d, pick in enumerate(picks):
        for i, theta in enumerate(draws.theta[pick].astype(np.float64)):
            recall(data, i, data.start[i + 1], draws.common[pick], theta, habit[d, i], taste[d, i])
    return taste - taste[..., :1], habit


def moments(terms: Terms, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """(mean [d, p], covariance [d, p, p]) of tastes relative to brand 0 and of the price weight (or its logarithm).

    They are those of PEOPLE who are alike in all draws but for the population they belong to, and whose variates have
    mean 0 and covariance 1 exactly, so without habit there is no error of chance.
    """
    data, brands = before(terms, draws.variant), len(terms.share)
    many, p = draws.mu.shape
    variates = np.random.default_rng(1).normal(size=(PEOPLE, p))
    variates -= variates.mean(axis=0)
    variates = variates @ np.linalg.inv(np.linalg.cholesky(np.cov(variates.T).reshape(p, p))).T
    mean, covariance = np.empty((many, p)), np.empty((many, p, p))
    taste = np.empty((PEOPLE, brands))
    for d, root in enumerate(np.linalg.cholesky(draws.sigma)):
        theta = draws.mu[d] + variates @ root.T
        settle_all(data, draws.common[d], theta, taste)
        theta[:, : brands - 1] = taste[:, 1:] - taste[:, :1]
        mean[d], covariance[d] = theta.mean(axis=0), np.cov(theta.T).reshape(p, p)
    return mean, covariance
