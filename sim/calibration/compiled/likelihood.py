"""The likelihood of a household's choices: the choice rule of `sim.model.rules`, with habit as its memory of purchases.

V_j = taste_j - price_weight x_j + sum_k weight_k f_jk + habit_weight habit_j: `systematic_utility + state_dependence`
of the rules for people who look at every brand and differ in taste and price weight only. A test holds both equal.
Household i has tastes of the brands 1 .. J-1, relative to brand 0, and then, where prices vary, its price weight (or
its logarithm). What is common to all are the weights f_k, then the weight of habit, then the logit of its rate.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.calibration.compiled.arithmetic import compiled


class Data(NamedTuple):
    """Purchases n, sorted by household i and time, of brands j."""

    start: np.ndarray  # [i + 1] int64, where the purchases of a household begin
    y: np.ndarray  # [n] int64, the brand bought
    x: np.ndarray  # [n, j] price less 1, in the simulator's units
    f: np.ndarray  # [n, j, k] what has a common weight: feature, display, first brand bought, gain, loss
    share: np.ndarray  # [j] market shares, where memory begins
    skip: int  # 1: the first purchase of a household is taken as given
    log_normal: bool  # whether households' parameter is the logarithm of their price weight


@compiled
def price_weight(theta, brands, log_normal):
    """The price weight of a household with parameters theta [p]; 0 where there is none."""
    if theta.shape[0] < brands:
        return 0.0
    return math.exp(theta[brands - 1]) if log_normal else theta[brands - 1]


@compiled
def habit_rate(common):
    """The rate of memory, from the last of the common parameters."""
    return 1.0 / (1.0 + math.exp(-common[common.shape[0] - 1]))


@compiled
def remember(memory, rate, bought):
    """Memory [j] moves to 1 at the brand bought and to 0 at the others."""
    for j in range(memory.shape[0]):
        memory[j] += rate * ((1.0 if j == bought else 0.0) - memory[j])


@compiled
def common_utility(f, common, memory, result):
    """Write the part of utility whose weights are common to all, of one purchase, to `result` [j]; f is [j, k]."""
    weights = f.shape[1]
    for j in range(f.shape[0]):
        v = common[weights] * memory[j]
        for k in range(weights):
            v += common[k] * f[j, k]
        result[j] = v


@compiled
def fill_common(data, common, z):
    """Write the common part of the utility of every purchase to z [n, j]."""
    rate = habit_rate(common)
    memory = np.empty(data.share.shape[0])
    for i in range(data.start.shape[0] - 1):
        memory[:] = data.share
        for n in range(data.start[i], data.start[i + 1]):
            common_utility(data.f[n], common, memory, z[n])
            remember(memory, rate, data.y[n])


@compiled
def log_chance(theta, weight, x, z, y):
    """Log-probability that brand y is bought at one purchase: x, z [j]; `weight` is that of price."""
    mine = (theta[y - 1] if y > 0 else 0.0) - weight * x[y] + z[y]
    total = 0.0
    for j in range(x.shape[0]):
        total += math.exp((theta[j - 1] if j > 0 else 0.0) - weight * x[j] + z[j] - mine)
    return -math.log(total)


@compiled
def household(data, z, theta, i):
    """Log-likelihood of the purchases of household i."""
    weight = price_weight(theta, data.x.shape[1], data.log_normal)
    total = 0.0
    for n in range(data.start[i] + data.skip, data.start[i + 1]):
        total += log_chance(theta, weight, data.x[n], z[n], data.y[n])
    return total if total == total else -np.inf
