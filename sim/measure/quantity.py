"""A figure of an answer with all its errors: the interval is the whole one, the parts say where it comes from."""

import math
from dataclasses import dataclass, replace

import numpy as np

from sim.measure.estimates import folds_of
from sim.measure.intervals import LEVEL, Z, degrees, interval, score_interval, t_quantile
from sim.measure.tally import FOLDS, Array

FEWEST = 30  # customers below which nothing is said of their change
MOVERS = 30  # people who move from which the jackknife alone knows the error
EXACT = 50  # people up to which a count has the interval of a Poisson law


@dataclass(frozen=True)
class Parts:
    """Standard errors by where they come from; nan: not included. Variances add up to that of the whole."""

    dice: float = math.nan  # which people, which draws
    presence: float = math.nan  # how well presence was solved for the shares that firms state
    parameters: float = math.nan  # numbers of the model that are not known
    cases: float = math.nan  # how much scandals of one kind differ; nan with parameters: in them

    @property
    def whole(self) -> float:
        """The root of the sum of squares of those included."""
        return math.sqrt(sum(e**2 for e in (self.dice, self.presence, self.parameters, self.cases) if e == e))


@dataclass(frozen=True)
class Quantity:
    """A value with its interval; nan ends where too few can tell."""

    value: float
    low: float
    high: float
    parts: Parts = Parts()
    level: float = LEVEL

    @property
    def known(self) -> bool:
        """Whether there is an interval at all."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def detected(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.known and not self.low <= 0 <= self.high

    def times(self, factor: float) -> "Quantity":
        """The same in another unit: all of it by a factor above 0."""
        p = self.parts
        parts = Parts(*(factor * e for e in (p.dice, p.presence, p.parameters, p.cases)))
        return Quantity(factor * self.value, factor * self.low, factor * self.high, parts, self.level)

    def at(self, level: float) -> "Quantity":
        """The same with an interval of another level, by its dice (Student's t of the folds)."""
        wide = float(t_quantile(FOLDS - 1.0, level)) * self.parts.dice
        return replace(self, low=self.value - wide, high=self.value + wide, level=level)

    def with_presence(self, relative: float) -> "Quantity":
        """The same with the error of solved presence, relative to the value and independent of the rest."""
        added = abs(self.value) * relative
        low = self.value - math.hypot(self.value - self.low, Z * added)
        high = self.value + math.hypot(self.high - self.value, Z * added)
        return Quantity(self.value, low, high, replace(self.parts, presence=added), self.level)


def nothing(value: float = math.nan) -> Quantity:
    """A value of which too few can tell the error."""
    return Quantity(value, math.nan, math.nan)


def change_of(lost: Array, gained: Array, base: Array, runs: float) -> tuple[Quantity, Quantity]:
    """Gained less lost: in people, mean of so many runs, and in % of `base`; counts by fold of people, [g] each.

    The error is the jackknife's; of fewer than MOVERS it is no less than that of so many independent movers, and of
    none it is not 0. The interval is that of a score test (`score_interval`): people who move are counts, so that it
    is skewed where all go one way. Counts of a few have steps, so that it then holds in more than 95 %.
    """
    (percent,) = changes_over(lost[:, None], gained[:, None], base[:, None])
    change, whole = gained - lost, float(base.sum())
    people = nothing(float(change.sum()))
    if percent.known:
        left_out = folds_of(change).astype(float)
        left_out[1:] *= len(change) / max(1, len(change) - 1)  # a total of people, of whom a group is left out
        people = _by_score(left_out[:, None], lost.sum(keepdims=True), gained.sum(keepdims=True), np.ones(1))[0]
    return people.times(1 / runs), percent if whole else nothing()


def changes_over(lost: Array, gained: Array, base: Array) -> list[Quantity]:
    """Gained less lost in % of `base`, for each week; counts by fold of people, [g, t] each; see `change_of`."""
    whole = base.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = 100 * folds_of(gained - lost) / folds_of(base)
        found = _by_score(values, lost.sum(axis=0), gained.sum(axis=0), 100 / whole)
    return [q if many >= FEWEST else nothing(q.value) for q, many in zip(found, whole, strict=True)]


def count_of(people: Array, runs: float) -> Quantity:
    """So many people, mean of so many runs; counts by fold of people, [g]."""
    from scipy.special import gammaincinv

    total = float(people.sum())
    left_out = folds_of(people).astype(float)
    left_out[1:] *= len(people) / max(1, len(people) - 1)
    (found,) = _by_t(left_out[:, None], np.array([math.sqrt(total)]))
    if total <= EXACT:  # Garwood 1936
        tail = (1 - LEVEL) / 2
        low = float(gammaincinv(total, tail)) if total else 0.0
        found = replace(found, low=low, high=float(gammaincinv(total + 1, 1 - tail)))
    return replace(found, low=max(0.0, found.low)).times(1 / runs)


def _least(movers: Array) -> Array:
    """The least standard error, in people, of a change that so many movers make."""
    found: Array = np.where(movers < MOVERS, np.sqrt(movers + 2.0), 0.0)
    return found


def _by_score(values: Array, lost: Array, gained: Array, unit: Array) -> list[Quantity]:
    """Values [fold, t] of gained less lost, in a unit of so much a person [t], with intervals of a score test."""
    movers, (error, df) = lost + gained, _spread(values)
    least = unit * _least(movers)
    with np.errstate(divide="ignore", invalid="ignore"):
        known = error > least  # else they move each for himself, which is a law that is known
        excess = np.where(known, (error / unit) ** 2 / movers, 1.0)
        ends = score_interval(gained - lost, movers, excess, np.where(known, t_quantile(df), Z))
    low, high = (unit * end for end in ends)
    rows = zip(values[0].tolist(), low.tolist(), high.tolist(), np.maximum(error, least).tolist(), strict=True)
    return [Quantity(value, down, up, Parts(dice=e)) for value, down, up, e in rows]


def _spread(values: Array) -> tuple[Array, Array]:
    """Jackknife errors of values [fold, t], and the degrees of freedom by which they are known."""
    groups = len(values) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = values[1:] - values[1:].mean(axis=0)
        second = (apart**2).mean(axis=0)
        df = degrees((apart**4).mean(axis=0) / second**2, groups)
    return np.sqrt((groups - 1) * second), df


def _by_t(values: Array, least: Array) -> list[Quantity]:
    """Values [fold, t] with Student's t intervals, whose standard error is at least `least` [t]."""
    (error, df), groups = _spread(values), len(values) - 1
    larger = error > least
    wide = t_quantile(np.where(larger, df, groups - 1.0)) * np.where(larger, error, least)
    rows = zip(values[0].tolist(), wide.tolist(), np.maximum(error, least).tolist(), strict=True)
    return [Quantity(value, value - w, value + w, Parts(dice=e)) for value, w, e in rows]


def ratio_of(part: Array, whole: Array) -> Quantity:
    """A ratio of two counts by fold of people, [g] each; nothing is known where they are the same in too many folds."""
    from sim.measure.reliability import MIN_GROUPS

    with np.errstate(divide="ignore", invalid="ignore"):
        values = folds_of(part) / folds_of(whole)
    if (part != 0).sum() < MIN_GROUPS:
        return nothing(float(values[0]))
    low, high = map(float, interval(values))
    return replace(_by_t(values[:, None], np.zeros(1))[0], low=low, high=high)


def half_of(change: Array, worst: int) -> Quantity:
    """Weeks from the first until half of the change in week `worst` is made up, from changes by fold [g, t].

    inf where it is not within the weeks; the interval is nan where it is not so without some group of people.
    """
    times = np.array([_crossing(series, worst) for series in folds_of(change)])
    if not np.isfinite(times).all():
        return nothing(float(times[0]))
    return _by_t(times[:, None], np.array([0.5]))[0]


def _crossing(series: Array, worst: int) -> float:
    """Weeks until a series has come down, or up, to half of its value in week `worst`; inf: never."""
    peak = float(series[worst])
    if not peak:
        return math.inf
    left = series[worst:] / peak
    below = np.flatnonzero(left <= 0.5)
    if not len(below):
        return math.inf
    n = int(below[0])
    step = (left[n - 1] - 0.5) / (left[n - 1] - left[n])
    return float(worst + n + step)
