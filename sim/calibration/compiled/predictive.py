"""Prediction from posterior draws: one-step chances, and free runs.

A household has D draws of its parameters. Each of its purchases reweights them; when few would count, they are drawn
anew and moved by Metropolis steps that leave their posterior as it is (Chopin 2002), so long histories end well too.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.calibration.compiled.arithmetic import compiled, distance, normal, root, uniform
from sim.calibration.compiled.likelihood import common_utility, habit_rate, log_chance, price_weight, remember

FEWEST = 1 / 3  # of the draws must count, or they are drawn anew
MOVES = 3


class Hyper(NamedTuple):
    """D draws of the population."""

    mu: np.ndarray  # [d, p]
    root: np.ndarray  # [d, p, p] of the covariance
    inverse: np.ndarray  # [d, p, p] of the root
    common: np.ndarray  # [d, C]


@compiled
def draw_households(hyper, theta, random):
    """Write a new household's parameters to theta [d, p], one for every draw of the population."""
    many, p = theta.shape
    bump = np.empty(p)
    for d in range(many):
        for k in range(p):
            bump[k] = normal(random)
        for k in range(p):
            s = hyper.mu[d, k]
            for m in range(k + 1):
                s += hyper.root[d, k, m] * bump[m]
            theta[d, k] = s


@compiled
def chances_of(theta, weight, x, z, result):
    """Write the chance of every brand at one purchase to `result` [j]."""
    top = -np.inf
    for j in range(x.shape[0]):
        result[j] = (theta[j - 1] if j > 0 else 0.0) - weight * x[j] + z[j]
        top = max(top, result[j])
    total = 0.0
    for j in range(x.shape[0]):
        result[j] = math.exp(result[j] - top)
        total += result[j]
    for j in range(x.shape[0]):
        result[j] /= total


@compiled
def follow(data, i, given, known, hyper, theta, which, random, chances):
    """Write the one-step chances of purchases `given` .. of household i to chances [n, j], and move its draws along.

    `theta` [d, p] belong to the draws which[d] of the population. `known`: they are posterior draws given purchases
    before `given`; otherwise draws of the population, which those purchases reweight first. A brand of -1 is unknown.
    """
    many, brands = theta.shape[0], data.share.shape[0]
    memory = np.empty((many, brands))
    memory[:] = data.share
    logs, chance, z = np.zeros(many), np.empty(brands), np.empty(brands)
    for n in range(data.start[i], data.start[i + 1]):
        asked, counts = n >= given, n >= given or (not known and n >= data.start[i] + data.skip)
        top, total = logs.max(), 0.0
        if asked:
            chances[n] = 0.0
        for d in range(many):
            common = hyper.common[which[d]]
            if asked or counts:
                common_utility(data.f[n], common, memory[d], z)
                chances_of(theta[d], price_weight(theta[d], brands, data.log_normal), data.x[n], z, chance)
                if asked:
                    weight = math.exp(logs[d] - top)
                    total += weight
                    for j in range(brands):
                        chances[n, j] += weight * chance[j]
                if counts and data.y[n] >= 0:
                    logs[d] += math.log(chance[data.y[n]] + 1e-300)
            if data.y[n] >= 0:
                remember(memory[d], habit_rate(common), data.y[n])
        if asked:
            chances[n] /= total
        if counts and data.y[n] >= 0 and _counting(logs) < FEWEST * many:
            draw_anew(logs, theta, which, memory, random)
            move(data, i, n + 1, hyper, theta, which, random)
    draw_anew(logs, theta, which, memory, random)


@compiled
def _counting(logs):
    """The effective number of draws."""
    top = logs.max()
    one, two = 0.0, 0.0
    for d in range(logs.shape[0]):
        w = math.exp(logs[d] - top)
        one += w
        two += w * w
    return one * one / two


@compiled
def draw_anew(logs, theta, which, memory, random):
    """Draw D of D draws by their weights, systematically; equal weights change nothing."""
    many = logs.shape[0]
    top = logs.max()
    if top == logs.min():
        return
    total = 0.0
    for d in range(many):
        total += math.exp(logs[d] - top)
    old, old_which, old_memory = theta.copy(), which.copy(), memory.copy()
    place, passed, source = uniform(random), 0.0, -1
    for d in range(many):
        while source < many - 1 and passed < (d + place) / many * total:
            source += 1
            passed += math.exp(logs[source] - top)
        theta[d], which[d], memory[d] = old[source], old_which[source], old_memory[source]
    logs[:] = 0.0


@compiled
def move(data, i, end, hyper, theta, which, random):
    """Metropolis steps of every draw under its population, given the purchases of household i before `end`."""
    many, p = theta.shape
    mean, cov, step = np.zeros(p), np.zeros((p, p)), np.zeros((p, p))
    for d in range(many):
        mean += theta[d] / many
    for d in range(many):
        for k in range(p):
            for m in range(p):
                cov[k, m] += (theta[d, k] - mean[k]) * (theta[d, m] - mean[m]) / many
    for k in range(p):
        cov[k, k] += 1e-6 + 0.01 * cov[k, k]
    if not root(cov, step):
        return
    step *= 2.38 / math.sqrt(p)
    first, brands = data.start[i], data.share.shape[0]
    z, memory, new = np.empty((end - first, brands)), np.empty(brands), np.empty(p)
    for d in range(many):
        h = which[d]
        common = hyper.common[h]
        memory[:] = data.share
        for n in range(first, end):
            common_utility(data.f[n], common, memory, z[n - first])
            if data.y[n] >= 0:
                remember(memory, habit_rate(common), data.y[n])
        at = _log_posterior(data, first, z, theta[d], hyper, h)
        for _ in range(MOVES):
            for k in range(p):
                new[k] = normal(random)
            for k in range(p - 1, -1, -1):
                s = theta[d, k]
                for m in range(k + 1):
                    s += step[k, m] * new[m]
                new[k] = s
            there = _log_posterior(data, first, z, new, hyper, h)
            if math.log(uniform(random)) < there - at:
                theta[d] = new
                at = there


@compiled
def _log_posterior(data, first, z, theta, hyper, h):
    weight = price_weight(theta, data.share.shape[0], data.log_normal)
    total = -0.5 * distance(theta, hyper.mu[h], hyper.inverse[h])
    for n in range(data.skip, z.shape[0]):
        if data.y[first + n] >= 0:
            total += log_chance(theta, weight, data.x[first + n], z[n], data.y[first + n])
    return total if total == total else -np.inf


@compiled
def run_free(data, i, given, theta, common, random, chosen):
    """One free run of household i: what it chooses from purchase `given` on, by its own choices; to chosen [n]."""
    brands = data.share.shape[0]
    memory, z = data.share.copy(), np.empty(brands)
    weight, rate = price_weight(theta, brands, data.log_normal), habit_rate(common)
    for n in range(data.start[i], data.start[i + 1]):
        bought = data.y[n]
        if n >= given:
            common_utility(data.f[n], common, memory, z)
            highest = -np.inf
            for j in range(brands):
                v = (theta[j - 1] if j > 0 else 0.0) - weight * data.x[n, j] + z[j]
                v -= math.log(-math.log(uniform(random)))
                if v > highest:
                    bought, highest = j, v
            chosen[n] = bought
        if bought >= 0:
            remember(memory, rate, bought)
