"""95 % intervals of a jackknife: Student's t for tails as heavy as they are seen to be, joined with one for skewness.

A few heavy users make the value and its error of a small firm skewed, and correlated: value +- 1.96 errors misses on
one side. Two remedies are joined, the wider end of each. First, Student's t with as many degrees of freedom as the
variance is known by: the kurtosis of what the folds contribute says how well (Satterthwaite 1946). Second, Hall's
transformation of the t statistic, which removes its skewness (Hall 1992, J. Roy. Statist. Soc. B 54), around the value
less the jackknife's estimate of its bias. `experiments/coverage.py` measures how often they hold the true value.
"""

from typing import NamedTuple

import numpy as np

from sim.measure.tally import Array

LEVEL = 0.95
Z = 1.959964  # standard errors of a normal law on either side of it
LEAST_DF = 3.0  # however heavy the tails seem
MOST_BIAS = 0.5  # standard errors: what is taken off for bias at most, which is itself estimated
MOST_REACH = 1.5  # times that of Student's t: the transformation runs away where the skewness is itself unknown
FLAT = 1e-6  # skewness below which the transformation changes nothing


class Interval(NamedTuple):
    """The two ends, arrays of one shape; nan where too few can tell."""

    low: Array
    high: Array


def interval(values: Array, level: float = LEVEL) -> Interval:
    """The interval from values [fold, ...] of `estimates.folds`: all people, then all but each group of people.

    >>> import numpy as np
    >>> people = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    >>> means = np.array([people.mean(), *(np.delete(people, n).mean() for n in range(8))])
    >>> [round(float(end), 2) for end in interval(means)]
    [1.58, 6.89]
    """
    value, left_out = values[0], values[1:]
    groups = len(left_out)
    if groups < 3:
        return Interval(*np.full((2, *np.shape(value)), np.nan))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = left_out.mean(axis=0)
        parts = (groups - 1) * (mean - left_out)  # what each group adds to the value
        second = (parts**2).mean(axis=0)
        error = np.sqrt(second / (groups - 1))
        skewness = (parts**3).mean(axis=0) / second**1.5 / np.sqrt(groups)
        t = t_quantile(degrees((parts**4).mean(axis=0) / second**2, groups), level)
        center = value - np.clip((groups - 1) * (mean - value), -MOST_BIAS * error, MOST_BIAS * error)
        most = MOST_REACH * t
        down, up = np.fmin(_hall(t, skewness), most), np.fmax(_hall(-t, skewness), -most)
        low, high = np.fmin(value - t * error, center - error * down), np.fmax(value + t * error, center - error * up)
    return Interval(np.where(error == 0, value, low), np.where(error == 0, value, high))


def score_interval(net: Array, movers: Array, excess: Array, quantile: Array) -> Interval:
    """The interval of gained less lost, counts of `movers` in all whose variances are `excess` times Poisson's.

    Those differences that a score test does not reject, with the mean number of movers most likely under each: it
    holds for a handful of movers, for none, and is skewed where all go one way (Miettinen & Nurminen 1985, Statist.
    Med. 4). With many movers it is net +- quantile standard errors. The ends solve a cubic with three real roots.

    >>> [round(float(end), 1) for end in score_interval(*map(np.array, (-9.0, 9.0, 1.0, 1.96)))]  # nine lost
    [-17.1, -4.7]
    """
    k = quantile**2 * excess
    p, r = k * (movers + k), net * k**2
    angle = np.arccos(np.clip(1.5 * r / p * np.sqrt(3 / p), -1, 1)) / 3
    size = 2 * np.sqrt(p / 3)
    return Interval(net + size * np.cos(angle + 2 * np.pi / 3), net + size * np.cos(angle))


def degrees(kurtosis: Array, groups: int) -> Array:
    """Degrees of freedom of a variance from so many groups, of which contributions have this kurtosis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = np.clip(2 * groups / np.maximum(kurtosis - 1, 1e-9), LEAST_DF, groups - 1)
    return found


def t_quantile(df: Array | float, level: float = LEVEL) -> Array:
    """How many standard errors reach from the middle to either end of an interval of this level (Student's t)."""
    from scipy.special import stdtrit

    found: Array = stdtrit(df, (1 + level) / 2)
    return found


def _hall(t: Array, skewness: Array) -> Array:
    """The t statistic at which Hall's transformation is t, for skewness already divided by the root of the groups."""
    safe = np.where(np.abs(skewness) < FLAT, 1.0, skewness)
    bent = 3 / safe * (np.cbrt(1 + safe * (t - safe / 6)) - 1)
    found: Array = np.where(np.abs(skewness) < FLAT, t, bent)
    return found
