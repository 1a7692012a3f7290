"""The figure of a calibration: shares, repeat, switching and chances, predicted against observed."""

from typing import TYPE_CHECKING

import numpy as np

from sim.calibration.fit import Inner

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Points = dict[str, np.ndarray]


def statistics(y: np.ndarray, inner: Inner, rows: np.ndarray) -> Points:
    """Share [j], repeat rate [j] and joint switching [j * j] of the purchases in the mask `rows`, as y has them."""
    many = len(inner.choices.brands)
    later = rows & (inner.choices.nth > 0)
    place = np.flatnonzero(later)
    matrix = np.bincount(y[place - 1] * many + y[place], minlength=many * many).reshape(many, many).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        repeat = np.diag(matrix) / matrix.sum(axis=1)
    share = np.bincount(y[rows], minlength=many) / max(int(rows.sum()), 1)
    return {"share": share, "repeat": repeat, "switching": (matrix / max(matrix.sum(), 1)).ravel()}


def points(inner: Inner) -> "dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]]":
    """(observed, mean of free runs, their standard deviation) by statistic, for what was fitted and held out."""
    result: dict[str, dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for name, rows, runs in (("fitted", ~inner.asked, inner.fitted), ("held out", inner.asked, inner.free)):
        seen = statistics(inner.choices.y, inner, rows)
        drawn = [statistics(run, inner, rows) for run in runs]
        result[name] = {k: (v, *mean_and_spread(np.array([d[k] for d in drawn]))) for k, v in seen.items()}
    return result


def mean_and_spread(each: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean, standard deviation) of the rows that have a value; nan where none has, as of a brand that nobody bought.

    >>> mean_and_spread(np.array([[1.0, np.nan, np.nan], [3.0, 2.0, np.nan]]))
    (array([ 2.,  2., nan]), array([ 1.,  0., nan]))
    """
    there = np.isfinite(each)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, each, 0.0).sum(axis=0) / there.sum(axis=0)
        spread = np.sqrt(np.where(there, (each - mean) ** 2, 0.0).sum(axis=0) / there.sum(axis=0))
    return mean, spread


def draw(inner: Inner, title: str) -> "Figure":
    """Four panels: shares, repeat rates, switching, and the chances of the held-out purchases."""
    from sim.report.figures import predicted

    chance = inner.chances["market"][inner.asked]
    hit = np.eye(chance.shape[1])[inner.choices.y[inner.asked]]
    place = np.clip((chance * 10).astype(int), 0, 9).ravel()
    count = np.bincount(place, minlength=10)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected, happened = (np.bincount(place, v.ravel(), minlength=10) / count for v in (chance, hit))
        spread = np.sqrt(expected * (1 - expected) / count)  # of what happens, were the chances right
    by = points(inner)
    titles = {
        "share": "Share of each brand",
        "repeat": "Repeat rate of each brand",
        "switching": "Switching, pairs of brands",
    }
    panels = {label: {kind: by[kind][name] for kind in by} for name, label in titles.items()}
    panels["Chances one step ahead"] = {"held out": (happened, expected, spread)}
    return predicted(panels, title)
