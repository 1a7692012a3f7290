"""The Dirichlet-multinomial of a panel, fitted at once for all households and with each fold left out."""

from typing import NamedTuple

import numpy as np
from scipy import special

from sim.measure.tally import Array

LOWEST, HIGHEST = -25.0, 12.0  # of ln a_j: sole use of one brand, and chance alone
ROUNDS, CLOSE, LONGEST = 100, 1e-11, 3.0  # Newton steps at most, gain in ln L a household to stop at, step of ln a


class _Column(NamedTuple):
    """Distinct numbers of purchases and how many households, in each fit, have each."""

    values: Array  # [m] float64
    households: Array  # [fit, m] float64

    def sums(self, a: Array) -> tuple[Array, Array, Array]:
        """[fit] ln of the rising factorial of a, its first and second derivatives, summed over households."""
        at, base = a[:, None] + self.values, a[:, None]
        return tuple(
            (self.households * (f(at) - f(base))).sum(axis=1)
            for f in (special.gammaln, special.digamma, lambda z: special.polygamma(1, z))
        )


def concentrations(x: Array, fold: Array, weight: Array | None = None) -> Array:
    """[1 + folds] S of the Dirichlet from purchases x [H, J], given how much each household buys (max. likelihood).

    Entry 0 is of everybody, the others leave the households of a fold out in turn. The purchase incidence half of
    the NBD-Dirichlet is left free, for panels are seldom without selection on it:
    log L = sum_h [sum_j ln (a_j)_(x_hj) - ln (S)_(n_h)], (a)_n = a (a + 1) .. (a + n - 1), S = sum_j a_j.
    """
    weight = np.ones(len(x)) if weight is None else weight
    brands = [_column(x[:, j], fold, weight) for j in range(x.shape[1])]
    every = _column(x.sum(axis=1), fold, weight)
    shares = (x * weight[:, None]).sum(axis=0)
    start = np.log(np.maximum(shares / shares.sum(), 1e-9))
    whole = _maximize(start[None], [_only(b) for b in brands], _only(every))
    folds = np.repeat(whole, len(every.households), axis=0)
    return np.exp(_maximize(folds, brands, every)).sum(axis=1)


def _column(n: Array, fold: Array, weight: Array) -> _Column:
    bought = n > 0
    values, place = np.unique(n[bought], return_inverse=True)
    names, where = np.unique(fold, return_inverse=True)
    cells = np.bincount(where[bought] * len(values) + place, weight[bought], minlength=len(names) * len(values))
    by_fold = cells.reshape(len(names), len(values))
    total = by_fold.sum(axis=0)
    return _Column(values.astype(float), np.vstack([total, total - by_fold]))


def _only(column: _Column) -> _Column:
    return column._replace(households=column.households[:1])


def _maximize(theta: Array, brands: list[_Column], every: _Column) -> Array:
    """ln a [fit, J] by damped Newton steps; the Hessian is diagonal plus rank one (Minka 2000), so no matrix is met."""
    theta = np.clip(theta, LOWEST, HIGHEST)
    damping, scale = np.full(len(theta), 1e-4), np.maximum(every.households.sum(axis=1), 1.0)
    value, gradient, diagonal, joint = _derivatives(theta, brands, every)
    active = np.ones(len(theta), bool)
    for _ in range(ROUNDS):
        step = _step(theta, gradient, diagonal, joint, damping)
        tried = np.clip(theta + step, LOWEST, HIGHEST)
        found = _derivatives(tried, brands, every)
        better = active & (found[0] >= value)
        small = (found[0] - value <= CLOSE * scale) & (damping < 1)
        theta = np.where(better[:, None], tried, theta)
        active &= ~(better & small) & (damping < 1e8)
        damping = np.where(better, damping / 10, damping * 10)
        value = np.where(better, found[0], value)
        gradient, diagonal = (
            np.where(better[:, None], new, old) for new, old in ((found[1], gradient), (found[2], diagonal))
        )
        joint = np.where(better, found[3], joint)
        if not active.any():
            break
    return theta


def _derivatives(theta: Array, brands: list[_Column], every: _Column) -> tuple[Array, Array, Array, Array]:
    """ln L [fit], its slope in ln a [fit, J], and minus its curvature: diagonal [fit, J] and rank one part [fit]."""
    a = np.exp(theta)
    level, slope, bend = every.sums(a.sum(axis=1))
    parts = [np.stack(p, axis=1) for p in zip(*(b.sums(a[:, j]) for j, b in enumerate(brands)), strict=True)]
    gradient = a * (parts[1] - slope[:, None])
    return parts[0].sum(axis=1) - level, gradient, -(a**2) * parts[2] - gradient, -bend


def _step(theta: Array, gradient: Array, diagonal: Array, joint: Array, damping: Array) -> Array:
    """(D - z a a')^-1 gradient by Sherman and Morrison, where that is positive definite; else by D alone."""
    a = np.exp(theta)
    d = np.maximum(diagonal, np.abs(gradient)) * (1 + damping[:, None]) + 1e-12
    plain = gradient / d
    left = 1 - joint * (a * a / d).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        bent = plain + a / d * (joint * (a * plain).sum(axis=1) / left)[:, None]
    return np.clip(np.where((left > 1e-9)[:, None], bent, plain), -LONGEST, LONGEST)
