"""The likelihood of a household's choices: the choice rule of `sim.model.rules`, with habit as its memory of purchases.

V_j = taste_j - price_weight x_j + sum_k weight_k f_jk + habit_weight habit_j: `systematic_utility + state_dependence`
of the rules for people who look at every brand and differ in taste and price weight only. A test holds both equal.
Where a market has a trend, less trend_j times the part of it that is still to come: tastes are those at its end.

Household i has utilities at rest of the brands 1 .. J-1, relative to brand 0, and then, where prices vary, its price
weight (or its logarithm): theta, which is normal over households. At rest memory is the chances of choice that it
implies, as it is in people who are born in the simulator; the taste of the rules is theta less what habit adds then.
So purchases move utility away from rest and back, and habit is told by their order alone: households who lie further
apart than a normal has them are not taken for habit.

What is common to all are the weights of f_k, then trend_j of brands 1 .. J-1 where there is one, the logit of where
memory begins, the weight of habit and the logit of its rate. Nobody saw what a household bought before: memory begins
between market shares and its resting point, and how far the data say (initial conditions: Heckman 1981). Given the
first purchase (Wooldridge 2005) it begins at shares.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.calibration.compiled.arithmetic import compiled

OCCASIONS = 10  # of a household, at which its chances at rest are taken


class Data(NamedTuple):
    """Purchases n, sorted by household i and time, of brands j."""

    start: np.ndarray  # [i + 1] int64, where the purchases of a household begin
    told: np.ndarray  # [i] int64, where those end at whose prices it is taken to rest
    y: np.ndarray  # [n] int64, the brand bought, -1 = not known
    x: np.ndarray  # [n, j] price less 1, in the simulator's units
    f: np.ndarray  # [n, j, k] what has a common weight: feature, display, first brand bought, gain, loss
    to_come: np.ndarray  # [n] the part of the trend that is still to come; 0 from the end of a history on
    share: np.ndarray  # [j] market shares
    usual_x: np.ndarray  # [j] x of the market, for households of whom nothing is told
    usual_f: np.ndarray  # [j, k] the same of f
    trend: bool  # whether brands have gained or lost over the histories
    skip: int  # 1: the first purchase of a household is taken as given
    log_normal: bool  # whether households' parameter is the logarithm of their price weight
    habit: bool  # False: habit does nothing, and tastes are as they are with it


@compiled
def chances_of(v):
    """Turn utilities [j] into chances of choice, in place."""
    top, total = v[0], 0.0
    for j in range(1, v.shape[0]):
        top = max(top, v[j])
    for j in range(v.shape[0]):
        v[j] = math.exp(v[j] - top)
        total += v[j]
    for j in range(v.shape[0]):
        v[j] /= total


@compiled
def price_weight(theta, brands, log_normal):
    """The price weight of a household with parameters theta [p]; 0 where there is none."""
    if theta.shape[0] < brands:
        return 0.0
    return math.exp(theta[brands - 1]) if log_normal else theta[brands - 1]


@compiled
def habit_weight(common):
    """The weight of habit, the last but one of the common parameters."""
    return common[common.shape[0] - 2]


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
def strength(data, common):
    """What the memory of purchases weighs."""
    return habit_weight(common) if data.habit else 0.0


@compiled
def settle(data, i, common, theta, weight, taste, rest, v):
    """Write the tastes of household i [j], and its chances of choice at rest [j], which memory then is.

    They are means over some of its own purchases, so that memory is not beside rest on average. `weight` is that of
    price; v [j] is overwritten.
    """
    brands, first, all_told = taste.shape[0], data.start[i], data.told[i] - data.start[i]
    many = min(all_told, OCCASIONS)
    for j in range(brands):
        taste[j] = theta[j - 1] if j > 0 else 0.0
        rest[j] = 0.0
    for m in range(max(many, 1)):
        n = first + all_told * m // max(many, 1)
        for j in range(brands):
            v[j] = taste[j] - weight * (data.x[n, j] if many > 0 else data.usual_x[j])
        if many > 0:
            add_common(data, common, data.f[n], data.to_come[n], v)
        else:
            add_common(data, common, data.usual_f, 0.0, v)
        chances_of(v)
        for j in range(brands):
            rest[j] += v[j] / max(many, 1)
    for j in range(brands):
        taste[j] -= habit_weight(common) * rest[j]


@compiled
def begin(data, common, rest, memory):
    """Write the memory [j] with which a household begins."""
    part = 0.0
    if data.skip == 0:
        part = 1.0 / (1.0 + math.exp(-common[common.shape[0] - 3]))
    for j in range(memory.shape[0]):
        memory[j] = data.share[j] + part * (rest[j] - data.share[j])


@compiled
def add_common(data, common, f, to_come, result):
    """Add what f [j, k] weighs to `result` [j], and take away the part of the trend that is still to come."""
    for j in range(f.shape[0]):
        for k in range(f.shape[1]):
            result[j] += common[k] * f[j, k]
        if data.trend and j > 0:
            result[j] -= common[f.shape[1] + j - 1] * to_come


@compiled
def common_utility(data, n, common, memory, result):
    """Write the part of utility of purchase n whose weights are common to all, with memory [j], to `result` [j]."""
    for j in range(memory.shape[0]):
        result[j] = strength(data, common) * memory[j]
    add_common(data, common, data.f[n], data.to_come[n], result)


@compiled
def fill_common(data, common, z):
    """Write the common part of the utility of every purchase to z [n, j], as if memory began at market shares."""
    rate = habit_rate(common)
    memory = np.empty(data.share.shape[0])
    for i in range(data.start.shape[0] - 1):
        memory[:] = data.share
        for n in range(data.start[i], data.start[i + 1]):
            common_utility(data, n, common, memory, z[n - data.start[0]])
            if data.y[n] >= 0:
                remember(memory, rate, data.y[n])


@compiled
def log_chance(taste, more, left, weight, x, z, y):
    """Log-probability that brand y is bought at one purchase, by utilities taste + left more - weight x + z, [j]."""
    mine = taste[y] + left * more[y] - weight * x[y] + z[y]
    total = 0.0
    for j in range(x.shape[0]):
        total += math.exp(taste[j] + left * more[j] - weight * x[j] + z[j] - mine)
    return -math.log(total)


@compiled
def household(data, z, common, theta, i, scratch):
    """Log-likelihood of the purchases of household i that are known; z is that of `fill_common`, scratch [4, j].

    What its memory began with beyond market shares fades with every purchase, whatever was bought.
    """
    taste, rest, more = scratch[0], scratch[1], scratch[2]
    weight, kept = price_weight(theta, more.shape[0], data.log_normal), 1.0 - habit_rate(common)
    settle(data, i, common, theta, weight, taste, rest, scratch[3])
    begin(data, common, rest, more)
    for j in range(more.shape[0]):
        more[j] = strength(data, common) * (more[j] - data.share[j])
    total, left = 0.0, 1.0
    for n in range(data.start[i], data.start[i + 1]):
        if data.y[n] < 0:
            continue
        if n >= data.start[i] + data.skip:
            total += log_chance(taste, more, left, weight, data.x[n], z[n - data.start[0]], data.y[n])
        left *= kept
    return total if total == total else -np.inf
