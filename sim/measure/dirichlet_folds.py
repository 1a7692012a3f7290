"""The NBD-Dirichlet fitted to many folds of one market at once, compiled: phi alone, as of `sim.measure.dirichlet.fit`.

Chances follow from their predecessors: P(n + 1) from P(n), and that of no purchase among n + 1 uses from that among n.
So no logarithm is taken, and a fold takes some 10 us where the general functions take 1,200.
"""

from functools import lru_cache

import numpy as np

from sim.compute.jit import device_function, entry_point
from sim.measure.dirichlet import LEFT_OUT, POISSON, fit
from sim.measure.tally import Array

LARGEST = 30.0  # S that is looked for at most, as in `dirichlet.fit`
CLOSE, MOST_ROUNDS = 1e-13, 200  # of phi, and of rounds to come so close
LEAST_CHANCE = 1e-290  # P(0) below which the recursion would lose all digits
MOST_USES = 1 << 15  # in a window, beyond which the recursion does not look
NONE, TOO_MANY = -1.0, -2.0  # instead of phi: nothing fits, or people use too much for the recursion


def fitted_phis(category: Array, mean: Array, shares: Array, penetrations: Array) -> Array:
    """phi of the Dirichlet of each fold, [fold], nan where none fits.

    `category` and `mean` are B and M by fold; `shares` and `penetrations` [fold, brand]. As `dirichlet.fit` without
    trimming, to 1e-9. What was fitted lately is not fitted again: two metrics of a run ask for the same.
    """
    given = np.column_stack([category, mean, shares, penetrations]).astype(float)
    return _fitted(given.tobytes(), given.shape[1]).copy()


@lru_cache(maxsize=16)
def _fitted(content: bytes, width: int) -> Array:
    """phi of each fold; rows of B, M, shares and penetrations."""
    rows = np.frombuffer(content).reshape(-1, width).copy()  # compiled code takes arrays that it may write to
    half = 1 + width // 2
    category, mean, shares, penetrations = (
        np.ascontiguousarray(a) for a in (rows[:, 0], rows[:, 1], rows[:, 2:half], rows[:, half:])
    )
    found = np.empty(len(rows))
    phis_of_folds(category, mean, shares, penetrations, np.empty(MOST_USES), found)
    for n in np.flatnonzero(found == TOO_MANY):
        try:
            found[n] = fit(category[n], mean[n], shares[n], penetrations[n], trim=False).phi
        except ValueError:
            found[n] = NONE
    return np.where(found < 0, np.nan, found)


@entry_point
def phis_of_folds(category, mean, shares, penetrations, chances, found):
    """phi of each fold into `found`, or NONE or TOO_MANY; `chances` is memory to work in."""
    for n in range(len(mean)):
        found[n] = phi_of_fold(category[n], mean[n], shares[n], penetrations[n], chances)


@device_function
def phi_of_fold(category, mean, shares, penetrations, chances):
    """phi of one fold, or NONE or TOO_MANY."""
    possible = 0 < category <= 1 and category <= mean < np.inf
    for j in range(len(shares)):
        m, b = shares[j], penetrations[j]
        possible = possible and m >= 0 and 0 <= b <= 1 and (b > 0) == (m > 0)
    if not possible:
        return NONE
    shape = shape_of(category, mean)
    if first_chance(mean, shape) < LEAST_CHANCE:
        return TOO_MANY
    many = fill_chances(chances, mean, shape)
    if many > len(chances):
        return TOO_MANY
    total, weight = 0.0, 0.0
    for j in range(len(shares)):
        m = shares[j]
        if 0 < m < 1:
            phi = phi_of_brand(m, penetrations[j], chances, many)
            total += m * (1 / phi - 1)
            weight += m
    return 1 / (1 + total / weight) if weight > 0 else NONE


@device_function
def shape_of(category, mean):
    """K at which a share `category` of people use anything; inf where it cannot be told from the Poisson."""
    if -np.expm1(-mean) <= category or category >= 1:
        return np.inf
    zeros = np.log1p(-category)
    low, high = -40.0, np.log(POISSON)
    if POISSON * np.log1p(mean / POISSON) + zeros <= 0:
        return np.inf
    while high - low > CLOSE * 10:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        K = np.exp(middle)
        if K * np.log1p(mean / K) + zeros < 0:
            low = middle
        else:
            high = middle
    return np.exp((low + high) / 2)


@device_function
def first_chance(mean, shape):
    """P(0), the chance not to use the category."""
    return np.exp(-mean) if shape == np.inf else np.exp(-shape * np.log1p(mean / shape))


@device_function
def phi_of_brand(m, observed, chances, many):
    """phi at which a brand of share m has the observed penetration, by regula falsi (Illinois); penetration falls."""
    low, high = 1 / (1 + LARGEST), 1.0
    at_low, at_high = reach(m, low, chances, many) - observed, reach(m, high, chances, many) - observed
    if at_low <= 0:
        return low
    if at_high >= 0:
        return high
    side = 0
    for _ in range(MOST_ROUNDS):
        phi = (low * at_high - high * at_low) / (at_high - at_low)
        if not low < phi < high:
            phi = (low + high) / 2
        gap = reach(m, phi, chances, many) - observed
        if gap > 0:
            if phi - low < CLOSE and side == 1:
                return phi
            low, at_low, at_high = phi, gap, at_high * (0.5 if side == 1 else 1.0)
            side = 1
        else:
            if high - phi < CLOSE or gap == 0:
                return phi
            high, at_high, at_low = phi, gap, at_low * (0.5 if side == -1 else 1.0)
            side = -1
        if high - low < CLOSE:
            break
    return (low + high) / 2


@device_function
def fill_chances(chances, mean, shape):
    """P(1), P(2), .. into `chances`, up to where LEFT_OUT of the uses is left; how many, more than fit if it ends."""
    chance, seen, n = first_chance(mean, shape), 0.0, 0
    while seen < mean * (1 - LEFT_OUT) and (n < 2 * mean or chance > 0):
        if n == len(chances):
            return n + 1
        chance *= mean / (n + 1) if shape == np.inf else (shape + n) / (n + 1) * (mean / (shape + mean))
        chances[n] = chance
        n += 1
        seen += n * chance
    return n


@device_function
def reach(m, phi, chances, many):
    """The share of people who buy a brand of share m at least once; `chances` are P(1), P(2), .., so many."""
    S = 1 / phi - 1
    none, some = 1.0, 0.0
    for n in range(many):
        none *= 1 - m if n == 0 else (S * (1 - m) + n) / (S + n)
        some += chances[n] * (1 - none)
    return some
