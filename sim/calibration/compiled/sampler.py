"""One chain of the posterior: households by Metropolis and elliptical slices, the population by Gibbs steps.

Households' parameters are normal with mean `mu` and covariance `sigma`, which has the prior of Huang & Wand (2013).
Elliptical slices: Murray, Adams & MacKay (2010). Steps adapt during burn-in only (Haario, Saksman & Tamminen 2001).
"""

import math
from typing import NamedTuple

import numpy as np

from sim.calibration.compiled.arithmetic import compiled, distance, gamma, inverse_of_root, normal, root, uniform
from sim.calibration.compiled.likelihood import fill_common, household

TARGET, TARGET_MANY = 0.35, 0.25  # accepted steps, of one and of many dimensions
EVERY = 50  # sweeps between updates of the proposals
SLICE_EVERY = 3  # sweeps between elliptical slices
PACE = 0.01  # of learning the covariance of a household


class HyperPrior(NamedTuple):
    """Priors of the population, of p household parameters and C common ones."""

    mean: np.ndarray  # [p] of mu
    sd: np.ndarray  # [p]
    scale: np.ndarray  # [p] of the half-t of the standard deviations
    df: float  # nu of Huang & Wand
    common_mean: np.ndarray  # [C]
    common_sd: np.ndarray  # [C]
    habit_df: float  # of the t of the weight of habit, the last but one of the common parameters


class State(NamedTuple):
    """Where a chain is, and its proposals."""

    theta: np.ndarray  # [i, p]
    mu: np.ndarray  # [p]
    sigma: np.ndarray  # [p, p]
    a: np.ndarray  # [p] of Huang & Wand
    common: np.ndarray  # [C]
    z: np.ndarray  # [n, j] common part of utility
    spare: np.ndarray  # [n, j]
    ll: np.ndarray  # [i] log-likelihoods
    spare_ll: np.ndarray  # [i]
    spare_theta: np.ndarray  # [i, p]
    mean: np.ndarray  # [i, p] of the draws so far
    cov: np.ndarray  # [i, p, p]
    step: np.ndarray  # [i, p, p] root of the proposal
    size: np.ndarray  # [i] log of its size
    common_mean: np.ndarray  # [C]
    common_cov: np.ndarray  # [C, C]
    common_step: np.ndarray  # [C, C]
    sizes: np.ndarray  # [1 + 2 p] logs of the sizes of the common step, the shifts and the scalings
    random: np.ndarray  # [1] uint64
    scratch: np.ndarray  # [4, j]


@compiled
def refresh(data, state):
    """Compute what follows from the parameters."""
    fill_common(data, state.common, state.z)
    for i in range(state.ll.shape[0]):
        state.ll[i] = household(data, state.z, state.common, state.theta[i], i, state.scratch)


@compiled
def sweeps(data, prior, state, first, many, pace):
    """Sweeps number first .. first + many - 1; the first of all is 1, and negative numbers are burn-in.

    `pace` is that of learning the covariance of the common parameters, and the size of their steps.
    """
    p = state.mu.shape[0]
    lower, inverse = np.zeros((p, p)), np.zeros((p, p))
    for sweep in range(first, first + many):
        adapt = sweep < 0
        root(state.sigma, lower)
        inverse_of_root(lower, inverse)
        move_households(data, state, lower, inverse, sweep, adapt)
        move_common(data, prior, state, adapt, pace)
        move_population(prior, state)
        root(state.sigma, lower)
        inverse_of_root(lower, inverse)
        k = sweep % p
        shift(data, prior, state, k, adapt)
        rescale(data, prior, state, inverse, k, adapt)


@compiled
def move_households(data, state, lower, inverse, sweep, adapt):
    """New parameters of every household, given the population."""
    p = state.mu.shape[0]
    new, bump = np.empty(p), np.empty(p)
    for i in range(state.theta.shape[0]):
        old = state.theta[i]
        if sweep % SLICE_EVERY == 0:
            slice_household(data, state, lower, i, new, bump)
        size = math.exp(state.size[i])
        at = distance(old, state.mu, inverse)
        for _ in range(2):
            propose(state.random, old, state.step[i], size, new, bump)
            ll = household(data, state.z, state.common, new, i, state.scratch)
            there = distance(new, state.mu, inverse)
            log_ratio = ll - state.ll[i] - 0.5 * (there - at)
            accepted = math.log(uniform(state.random)) < log_ratio
            if accepted:
                old[:] = new
                state.ll[i], at = ll, there
            if adapt:
                state.size[i] += 0.05 * ((1.0 if accepted else 0.0) - TARGET_MANY)
        if adapt:
            learn_step(old, state.mean[i], state.cov[i], state.step[i], sweep, PACE)


@compiled
def propose(random, old, step, size, new, bump):
    """Write old + size * step @ normals to `new`."""
    p = old.shape[0]
    for k in range(p):
        bump[k] = normal(random)
    for k in range(p):
        s = 0.0
        for m in range(k + 1):
            s += step[k, m] * bump[m]
        new[k] = old[k] + size * s


@compiled
def learn_step(x, mean, cov, step, sweep, pace):
    """Learn mean and covariance of the draws, of late; the root of it is the proposal, now and then."""
    p = x.shape[0]
    for k in range(p):
        for m in range(p):
            cov[k, m] += pace * ((x[k] - mean[k]) * (x[m] - mean[m]) - cov[k, m])
    for k in range(p):
        mean[k] += pace * (x[k] - mean[k])
    if sweep % EVERY == 0:
        padded, lower = np.empty((p, p)), np.zeros((p, p))
        for k in range(p):
            for m in range(p):
                padded[k, m] = cov[k, m] + (1e-4 + 0.01 * cov[k, k] if k == m else 0.0)
        if root(padded, lower):
            step[:] = lower


@compiled
def slice_household(data, state, lower, i, new, bump):
    """An elliptical slice of one household."""
    p = state.mu.shape[0]
    zero = np.zeros(p)
    other = np.empty(p)
    propose(state.random, zero, lower, 1.0, other, bump)
    level = state.ll[i] + math.log(uniform(state.random))
    angle = 2.0 * math.pi * uniform(state.random)
    low, high = angle - 2.0 * math.pi, angle
    for _ in range(60):
        c, s = math.cos(angle), math.sin(angle)
        for k in range(p):
            new[k] = state.mu[k] + (state.theta[i, k] - state.mu[k]) * c + other[k] * s
        ll = household(data, state.z, state.common, new, i, state.scratch)
        if ll > level:
            state.theta[i] = new
            state.ll[i] = ll
            return
        if angle < 0.0:
            low = angle
        else:
            high = angle
        angle = low + (high - low) * uniform(state.random)


@compiled
def common_prior(prior, common):
    """Log-density of the common parameters: normal, but Student's t for the weight of habit."""
    total = 0.0
    many = common.shape[0]
    for k in range(many):
        u = (common[k] - prior.common_mean[k]) / prior.common_sd[k]
        if k == many - 2:
            total -= 0.5 * (prior.habit_df + 1.0) * math.log(1.0 + u * u / prior.habit_df)
        else:
            total -= 0.5 * u * u
    return total


@compiled
def move_common(data, prior, state, adapt, pace):
    """Two steps, a large and a small one, of the parameters common to all."""
    many = state.common.shape[0]
    new, bump = np.empty(many), np.empty(many)
    for turn in range(2):
        size = math.exp(state.sizes[0]) * (1.0 if turn == 0 else 0.3)
        propose(state.random, state.common, state.common_step, size, new, bump)
        fill_common(data, new, state.spare)
        gain = common_prior(prior, new) - common_prior(prior, state.common)
        for i in range(state.ll.shape[0]):
            state.spare_ll[i] = household(data, state.spare, new, state.theta[i], i, state.scratch)
            gain += state.spare_ll[i] - state.ll[i]
        accepted = math.log(uniform(state.random)) < gain
        if accepted:
            state.common[:] = new
            state.z[:] = state.spare
            state.ll[:] = state.spare_ll
        if adapt and turn == 0:
            state.sizes[0] += 15.0 * pace * ((1.0 if accepted else 0.0) - TARGET_MANY)
    if adapt:
        learn_step(state.common, state.common_mean, state.common_cov, state.common_step, EVERY, pace)


@compiled
def move_population(prior, state):
    """Gibbs steps of the mean, the covariance and the scales of Huang & Wand."""
    many, p = state.theta.shape
    lower, inverse = np.zeros((p, p)), np.zeros((p, p))
    root(state.sigma, lower)
    inverse_of_root(lower, inverse)
    precision = inverse.T @ inverse
    total = np.zeros(p)
    for i in range(many):
        total += state.theta[i]
    posterior = many * precision + np.diag(1.0 / prior.sd**2)
    right = precision @ total + prior.mean / prior.sd**2
    root(posterior, lower)
    inverse_of_root(lower, inverse)
    state.mu[:] = inverse.T @ (inverse @ right)
    for k in range(p):
        state.mu[:] += inverse[k] * normal(state.random)
    spread = np.diag(2.0 * prior.df / state.a)
    for i in range(many):
        d = state.theta[i] - state.mu
        spread += np.outer(d, d)
    inverse_wishart(state.random, spread, prior.df + p - 1.0 + many, state.sigma)
    root(state.sigma, lower)
    inverse_of_root(lower, inverse)
    for k in range(p):
        q = 0.0
        for m in range(p):
            q += inverse[m, k] ** 2
        state.a[k] = (prior.df * q + 1.0 / prior.scale[k] ** 2) / gamma(state.random, 0.5 * (prior.df + p))


@compiled
def inverse_wishart(random, spread, df, result):
    """A draw of the inverse Wishart distribution, by Bartlett's decomposition; written to `result`."""
    p = spread.shape[0]
    lower, bartlett, inverse = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p))
    root(spread, lower)
    for k in range(p):
        bartlett[k, k] = math.sqrt(2.0 * gamma(random, 0.5 * (df - k)))
        for m in range(k):
            bartlett[k, m] = normal(random)
    inverse_of_root(bartlett, inverse)
    half = lower @ inverse.T
    result[:] = half @ half.T


@compiled
def shift(data, prior, state, k, adapt):
    """Move parameter k of all households and of their mean alike."""
    by = math.exp(state.sizes[1 + k]) * normal(state.random)
    state.spare_theta[:] = state.theta
    state.spare_theta[:, k] += by
    before, after = (state.mu[k] - prior.mean[k]) / prior.sd[k], (state.mu[k] + by - prior.mean[k]) / prior.sd[k]
    if _take(data, state, 0.5 * (before * before - after * after), 1 + k, adapt):
        state.mu[k] += by


@compiled
def rescale(data, prior, state, inverse, k, adapt):
    """Stretch the deviations of parameter k from its mean, and its standard deviation, alike."""
    p = state.mu.shape[0]
    by = math.exp(state.sizes[1 + p + k]) * normal(state.random)
    factor = math.exp(by)
    state.spare_theta[:] = state.theta
    for i in range(state.theta.shape[0]):
        state.spare_theta[i, k] = state.mu[k] + factor * (state.theta[i, k] - state.mu[k])
    q = 0.0
    for m in range(p):
        q += inverse[m, k] ** 2
    gain = -(prior.df + p - 1.0) * by - prior.df / state.a[k] * q * (1.0 / (factor * factor) - 1.0)
    if _take(data, state, gain, 1 + p + k, adapt):
        state.sigma[k] *= factor
        state.sigma[:, k] *= factor


@compiled
def _take(data, state, gain, which, adapt):
    """Whether spare_theta is taken for theta; `gain` is that of the prior."""
    for i in range(state.ll.shape[0]):
        state.spare_ll[i] = household(data, state.z, state.common, state.spare_theta[i], i, state.scratch)
        gain += state.spare_ll[i] - state.ll[i]
    accepted = math.log(uniform(state.random)) < gain
    if accepted:
        state.theta[:] = state.spare_theta
        state.ll[:] = state.spare_ll
    if adapt:
        state.sizes[which] += 0.05 * ((1.0 if accepted else 0.0) - TARGET)
    return accepted
