"""Prediction from posterior draws: one-step chances, and free runs.

A household has D draws of its parameters. Each of its purchases reweights them; when few would count, they are drawn
anew and moved by Metropolis steps that leave their posterior as it is (Chopin 2002), so long histories end well too.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.calibration.compiled.arithmetic import compiled, distance, normal, root, uniform
from sim.calibration.compiled.likelihood import (
    Data,
    begin,
    chances_of,
    common_utility,
    fill_common,
    habit_rate,
    household,
    price_weight,
    remember,
    settle,
)

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
def recall(data, i, end, common, theta, memory, taste):
    """Write tastes [j] of household i, and its memory [j] after its purchases before `end`."""
    rest = np.empty(memory.shape[0])
    settle(data, i, common, theta, price_weight(theta, memory.shape[0], data.log_normal), taste, rest, memory)
    begin(data, common, rest, memory)
    for n in range(data.start[i], end):
        if data.y[n] >= 0:
            remember(memory, habit_rate(common), data.y[n])


@compiled
def settle_all(data, common, theta, taste):
    """Write the tastes of people with parameters theta [n, p], at usual prices, to `taste` [n, j]; `data` is empty."""
    rest, v = np.empty(taste.shape[1]), np.empty(taste.shape[1])
    for n in range(theta.shape[0]):
        weight = price_weight(theta[n], taste.shape[1], data.log_normal)
        settle(data, 0, common, theta[n], weight, taste[n], rest, v)


@compiled
def utility(data, n, common, taste, weight, memory, v):
    """Write the systematic utility of purchase n to v [j]; `weight` is that of price."""
    common_utility(data, n, common, memory, v)
    for j in range(v.shape[0]):
        v[j] += taste[j] - weight * data.x[n, j]


@compiled
def follow(data, i, given, known, hyper, theta, which, random, chances):
    """Write the one-step chances of purchases `given` .. of household i to chances [n, j], and move its draws along.

    `theta` [d, p] belong to the draws which[d] of the population. `known`: they are posterior draws given purchases
    before `given`; otherwise draws of the population, which those purchases reweight first. A brand of -1 is unknown.
    """
    many, brands, start = theta.shape[0], data.share.shape[0], data.start[i]
    memory, taste = np.empty((many, brands)), np.empty((many, brands))
    for d in range(many):
        recall(data, i, start, hyper.common[which[d]], theta[d], memory[d], taste[d])
    logs, chance = np.zeros(many), np.empty(brands)
    for n in range(start, data.start[i + 1]):
        asked, counts = n >= given, n >= given or (not known and n >= start + data.skip)
        top, total = logs.max(), 0.0
        if asked:
            chances[n] = 0.0
        for d in range(many):
            common = hyper.common[which[d]]
            if asked or counts:
                weight = price_weight(theta[d], brands, data.log_normal)
                utility(data, n, common, taste[d], weight, memory[d], chance)
                chances_of(chance)
                if asked:
                    counted = math.exp(logs[d] - top)
                    total += counted
                    for j in range(brands):
                        chances[n, j] += counted * chance[j]
                if counts and data.y[n] >= 0:
                    logs[d] += math.log(chance[data.y[n]] + 1e-300)
            if data.y[n] >= 0:
                remember(memory[d], habit_rate(common), data.y[n])
        if asked:
            chances[n] /= total
        if counts and data.y[n] >= 0 and _counting(logs) < FEWEST * many:
            draw_anew(logs, theta, which, random)
            move(data, i, n + 1, hyper, theta, which, random)
            for d in range(many):
                recall(data, i, n + 1, hyper.common[which[d]], theta[d], memory[d], taste[d])
    draw_anew(logs, theta, which, random)


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
def draw_anew(logs, theta, which, random):
    """Draw D of D draws by their weights, systematically; equal weights change nothing."""
    many = logs.shape[0]
    top = logs.max()
    if top == logs.min():
        return
    total = 0.0
    for d in range(many):
        total += math.exp(logs[d] - top)
    old, old_which = theta.copy(), which.copy()
    place, passed, source = uniform(random), 0.0, -1
    for d in range(many):
        while source < many - 1 and passed < (d + place) / many * total:
            source += 1
            passed += math.exp(logs[source] - top)
        theta[d], which[d] = old[source], old_which[source]
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
    first = data.start[i]
    past = Data(np.array([first, end]), data.told[i : i + 1], *data[2:])
    brands = data.share.shape[0]
    z, new, scratch = np.empty((end - first, brands)), np.empty(p), np.empty((4, brands))
    for d in range(many):
        fill_common(past, hyper.common[which[d]], z)
        at = _log_posterior(past, z, theta[d], hyper, which[d], scratch)
        for _ in range(MOVES):
            for k in range(p):
                new[k] = normal(random)
            for k in range(p - 1, -1, -1):
                s = theta[d, k]
                for m in range(k + 1):
                    s += step[k, m] * new[m]
                new[k] = s
            there = _log_posterior(past, z, new, hyper, which[d], scratch)
            if math.log(uniform(random)) < there - at:
                theta[d] = new
                at = there


@compiled
def _log_posterior(past, z, theta, hyper, h, scratch):
    total = household(past, z, hyper.common[h], theta, 0, scratch)
    return total - 0.5 * distance(theta, hyper.mu[h], hyper.inverse[h])


@compiled
def run_free(data, i, given, theta, common, random, chosen):
    """One free run of household i: what it chooses from purchase `given` on, by its own choices; to chosen [n]."""
    brands, start = data.share.shape[0], data.start[i]
    memory, taste, v = np.empty(brands), np.empty(brands), np.empty(brands)
    recall(data, i, start, common, theta, memory, taste)
    weight, rate = price_weight(theta, brands, data.log_normal), habit_rate(common)
    for n in range(start, data.start[i + 1]):
        bought = data.y[n]
        if n >= given:
            utility(data, n, common, taste, weight, memory, v)
            highest = -np.inf
            for j in range(brands):
                found = v[j] - math.log(-math.log(uniform(random)))
                if found > highest:
                    bought, highest = j, found
            chosen[n] = bought
        if bought >= 0:
            remember(memory, rate, bought)
