"""From a tally to figures with errors: pooling counts, jackknife folds, paired differences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.measure.intervals import Interval, Z, interval
from sim.measure.reliability import at_least, least_error, least_errors, reliable
from sim.measure.tally import WEEKLY, WINDOWED, Array, Metric, Tally

if TYPE_CHECKING:
    import pandas as pd


class Estimate(NamedTuple):
    """A value and its standard error, arrays of one shape."""

    value: Array
    error: Array


def pooled(tally: Tally, cells: Sequence[int] | None = None, weeks: slice = slice(None)) -> Tally:
    """The tally of some cells (default all), weeks and windows summed: axes [group, ...] remain.

    `weeks` limits the weekly counts only; of `standing` and `faithful` the last window is kept.
    """
    pick = slice(None) if cells is None else list(cells)
    weekly = {n: getattr(tally, n)[:, weeks][:, :, pick].sum(axis=(1, 2)) for n in WEEKLY}
    windows = ("window", "both", "buyers", "transitions")
    by_window = {n: getattr(tally, n)[:, :, pick].sum(axis=(1, 2)) for n in windows}
    last = {n: getattr(tally, n)[:, -1:, pick].sum(axis=(1, 2)) for n in ("standing", "faithful")}
    rest = {n: getattr(tally, n)[:, pick].sum(axis=1) for n in ("people", "tenure", "after")}
    return Tally(**{**weekly, **by_window, **last, **rest})


def weekly(tally: Tally, cells: Sequence[int] | None = None) -> Tally:
    """As `pooled`, but the weekly counts keep their week: axes [group, week, ...]."""
    pick = slice(None) if cells is None else list(cells)
    series = {n: getattr(tally, n)[:, :, pick].sum(axis=2) for n in WEEKLY}
    return pooled(tally, cells)._replace(**series)


def by_window(tally: Tally, cells: Sequence[int] | None = None) -> Tally:
    """As `pooled`, but the windowed counts keep their window: axes [group, window, ...]."""
    pick = slice(None) if cells is None else list(cells)
    return pooled(tally, cells)._replace(**{n: getattr(tally, n)[:, :, pick].sum(axis=2) for n in WINDOWED})


def folds(tally: Tally) -> Tally:
    """The jackknife folds: axis 0 becomes all people, then all but each group in turn; empty groups are left out."""
    used = tally.people.reshape(len(tally.people), -1).sum(axis=1) > 0
    arrays = []
    for a in tally:
        total = a.sum(axis=0, keepdims=True)
        arrays.append(np.concatenate([total, total - a[used]]))
    return Tally(*arrays)


def folds_of(counts: Array) -> Array:
    """Counts [group, ...] of everybody, then of all but each group in turn: [fold, ...]; as `folds` of a tally."""
    total = counts.sum(axis=0, keepdims=True)
    return np.concatenate([total, total - counts])


def jackknife(values: Array) -> Estimate:
    """Value and standard error from values [fold, ...] of `folds` (Tukey 1958: delete one group)."""
    groups = len(values) - 1
    if groups < 2:
        return Estimate(values[0], np.full_like(values[0], np.nan, dtype=float))
    left_out = values[1:]
    spread = ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0)
    return Estimate(values[0], np.sqrt((groups - 1) / groups * spread))


def estimate(metric: Metric, tally: Tally, folded: Tally | None = None) -> Estimate:
    """A metric of a pooled tally [group, ...] and its standard error over people and replications.

    The error is nan where too few can tell (`sim.measure.reliability`), or where there are no two groups. `folded` is
    `folds(tally)`, for those who ask for many metrics.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value, error = jackknife(metric(folds(tally) if folded is None else folded))
    return Estimate(value, reliable(metric, tally, error))


def estimate_each(chosen: Sequence[Metric], tally: Tally, folded: Tally | None = None) -> list[Estimate]:
    """As `estimate` of each metric, to the bit, with one pass of the jackknife over all of them."""
    folded = folds(tally) if folded is None else folded
    with np.errstate(divide="ignore", invalid="ignore"):
        values = [np.asarray(metric(folded)) for metric in chosen]
        error = at_least(_errors(values), least_errors(chosen, tally, [v.shape[1:] for v in values]))
    ends = np.cumsum([v[0].size for v in values])[:-1]
    return [Estimate(v[0], e.reshape(v.shape[1:])) for v, e in zip(values, np.split(error, ends), strict=True)]


def _errors(values: Sequence[Array]) -> Array:
    """The jackknife errors of values [fold, ...], flat and one after another.

    Sums over folds are taken in the order in which each would be alone: by pairs where a fold is a single number.
    """
    whole = np.concatenate([v.reshape(len(v), -1) for v in values], axis=1)
    single = np.repeat([v[0].size == 1 for v in values], [v[0].size for v in values])
    error = np.empty(whole.shape[1])
    error[~single] = jackknife(np.ascontiguousarray(whole[:, ~single])).error
    error[single] = jackknife(np.ascontiguousarray(whole[:, single].T).T).error
    return error


def estimate_interval(metric: Metric, tally: Tally, folded: Tally | None = None) -> tuple[Estimate, Interval]:
    """As `estimate`, and its 95 % interval, which is nan where the error is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        values = metric(folds(tally) if folded is None else folded)
        value, error = jackknife(values)
        least = least_error(metric, tally)
        low, high = interval(values)
        added = Z * least
        ends = value - np.hypot(value - low, added), value + np.hypot(high - value, added)
    return Estimate(value, at_least(error, least)), Interval(*ends)


def difference(metric: Metric, tally: Tally, other: Tally) -> Estimate:
    """metric(other) - metric(tally) with its paired error, of two runs of the same people with the same draws."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return jackknife(metric(folds(other)) - metric(folds(tally)))


def frame(found: Estimate, **axes: Sequence[object]) -> "pd.DataFrame":
    """An estimate with labels: a row per entry, the columns value and error, an index of the axes' names.

    Give the labels of each axis of the estimate by its name, in order; ValueError where they do not fit.

    >>> found = frame(Estimate(np.array([0.6, 0.4]), np.array([0.02, 0.01])), firm=["a", "b"])
    >>> found.loc["b"].to_dict(), found.index.name
    ({'value': 0.4, 'error': 0.01}, 'firm')
    """
    import pandas as pd

    shape = tuple(len(labels) for labels in axes.values())
    if shape != np.shape(found.value):
        raise ValueError(
            f"labels {dict(zip(axes, shape, strict=True))} for an estimate of shape {np.shape(found.value)}"
        )
    labels = [pd.Index(list(members), name=name) for name, members in axes.items()]
    index = labels[0] if len(labels) == 1 else pd.MultiIndex.from_product(labels)
    return pd.DataFrame({"value": np.ravel(found.value), "error": np.ravel(found.error)}, index)
