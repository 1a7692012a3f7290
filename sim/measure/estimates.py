"""From a tally to figures with errors: pooling counts, jackknife folds, paired differences."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sim.measure.reliability import reliable
from sim.measure.tally import Tally

Array = np.ndarray


Metric = Callable[[Tally], Array]


class Estimate(NamedTuple):
    """A value and its standard error, arrays of one shape."""

    value: Array
    error: Array


def pooled(tally: Tally, cells: Sequence[int] | None = None, weeks: slice = slice(None)) -> Tally:
    """The tally of some cells (default all), weeks and windows summed: axes [group, ...] remain.

    `weeks` limits the weekly counts only; of `standing` and `faithful` the last window is kept.
    """
    pick = slice(None) if cells is None else list(cells)
    weekly = {n: getattr(tally, n)[:, weeks][:, :, pick].sum(axis=(1, 2)) for n in ("flow", "event", "news")}
    windows = ("window", "both", "buyers", "transitions")
    by_window = {n: getattr(tally, n)[:, :, pick].sum(axis=(1, 2)) for n in windows}
    last = {n: getattr(tally, n)[:, -1:, pick].sum(axis=(1, 2)) for n in ("standing", "faithful")}
    rest = {n: getattr(tally, n)[:, pick].sum(axis=1) for n in ("people", "tenure", "after")}
    return Tally(**{**weekly, **by_window, **last, **rest})


def weekly(tally: Tally, cells: Sequence[int] | None = None) -> Tally:
    """As `pooled`, but the weekly counts keep their week: axes [group, week, ...]."""
    pick = slice(None) if cells is None else list(cells)
    series = {n: getattr(tally, n)[:, :, pick].sum(axis=2) for n in ("flow", "event", "news")}
    return pooled(tally, cells)._replace(**series)


def by_window(tally: Tally, cells: Sequence[int] | None = None) -> Tally:
    """As `pooled`, but the windowed counts keep their window: axes [group, window, ...]."""
    pick = slice(None) if cells is None else list(cells)
    names = ("window", "both", "buyers", "transitions", "faithful", "standing")
    return pooled(tally, cells)._replace(**{n: getattr(tally, n)[:, :, pick].sum(axis=2) for n in names})


def folds(tally: Tally) -> Tally:
    """Axis 0 becomes: everybody, then everybody but each group in turn (groups that are empty left aside)."""
    used = tally.people.reshape(len(tally.people), -1).sum(axis=1) > 0
    arrays = []
    for a in tally:
        total = a.sum(axis=0, keepdims=True)
        arrays.append(np.concatenate([total, total - a[used]]))
    return Tally(*arrays)


def jackknife(values: Array) -> Estimate:
    """Value and standard error from values [fold, ...] of `folds` (Tukey 1958: delete one group)."""
    groups = len(values) - 1
    if groups < 2:
        return Estimate(values[0], np.full_like(values[0], np.nan, dtype=float))
    left_out = values[1:]
    spread = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    return Estimate(values[0], np.sqrt((groups - 1) / groups * spread))


def estimate(metric: Metric, tally: Tally) -> Estimate:
    """A metric of a pooled tally [group, ...] and its standard error over people and replications.

    The error is nan where too few can tell (`sim.measure.reliability`), or where there are no two groups.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value, error = jackknife(metric(folds(tally)))
    return Estimate(value, reliable(metric, tally, error))


def difference(metric: Metric, tally: Tally, other: Tally) -> Estimate:
    """metric(other) - metric(tally) for twins, people with the same draws in two worlds, with the paired error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return jackknife(metric(folds(other)) - metric(folds(tally)))
