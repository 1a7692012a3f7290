"""Measures the history of one firm, without competitors: repeat buying, frequency, retention."""

import numpy as np
from scipy import optimize, special

from sim.measure.reliability import least_of, part
from sim.panel import bg_nbd
from sim.panel.folds import Folded
from sim.panel.types import Panel

EXPLANATION = (
    "There are no brands, so this is the history of one firm: repeat buying, frequency and retention are given. "
    "Share, stickiness, switching and all that compares with competitors cannot be known from it."
)
PARTS = 6  # of the time after the first purchase, in which customers are looked for
QUARTER = 91.3125  # days


def one_firm(panel: Panel, fold: np.ndarray) -> dict[str, Folded]:
    """metric -> [1 + folds] with the least its error can be; of customers, who all bought once at least.

    again: bought more than once. frequency: purchases a customer. interval: mean time between purchases. active_k:
    share, of those watched that long, who bought in the k-th quarter (or sixth of the time) after their first
    purchase. nbd_mean, nbd_shape: M and K of the NBD of purchases, fitted to those of 1 and more (zero-truncated).
    alive, leaving: of the BG/NBD, share of customers who still are, and mean chance to leave after a purchase; without
    error.
    """
    households = len(panel.households)
    weight = np.ones(households) if panel.weights is None else panel.weights
    n = np.bincount(panel.hh, minlength=households)
    bought = n > 0
    sums = _Sums(fold, weight)
    found = {
        "frequency": sums.ratio(n, bought),
        "again": sums.share(n > 1, bought),
        "once_only": sums.share(n == 1, bought),
    }
    if panel.columns.get("time"):
        first, last = _ends(panel, households)
        found["interval"] = sums.ratio(np.where(bought, last - first, 0), np.maximum(n - 1, 0))
        found |= _active(panel, first, sums)
    mean, shape = truncated_nbd(n[bought], weight[bought])
    blank = np.full(len(found["again"].each), np.nan)
    found["nbd_mean"], found["nbd_shape"] = (Folded(np.r_[v, blank[1:]]) for v in (mean, shape))
    if panel.columns.get("time"):
        some = n > 0
        still = _still_customers(n[some] - 1, (last - first)[some], panel.t.max() - first[some], weight[some])
        found |= {name: Folded(np.r_[value, blank[1:]]) for name, value in still.items()}
    return found


class _Sums:
    """Sums over everybody, and over everybody but each fold."""

    def __init__(self, fold: np.ndarray, weight: np.ndarray):
        self.place, self.weight = np.unique(fold, return_inverse=True)[1], weight

    def ratio(self, numerator: np.ndarray, denominator: np.ndarray) -> Folded:
        """The sum of one over that of the other, numbers by household."""
        parts = [np.bincount(self.place, self.weight * values) for values in (numerator, denominator)]
        top, bottom = (np.r_[p.sum(), p.sum() - p] for p in parts)
        return Folded(top / bottom)

    def share(self, event: np.ndarray, at_risk: np.ndarray) -> Folded:
        """The share of households at risk of whom an event is true, which few of them cannot tell."""
        counts = part(*(np.bincount(self.place, values) for values in (event, at_risk)))
        return self.ratio(event, at_risk)._replace(least=least_of(counts, len(self.place)))


def _ends(panel: Panel, households: int) -> tuple[np.ndarray, np.ndarray]:
    first, last = np.full(households, np.nan), np.full(households, np.nan)
    starts = np.r_[True, panel.hh[1:] != panel.hh[:-1]]
    ends = np.r_[panel.hh[1:] != panel.hh[:-1], True]
    first[panel.hh[starts]], last[panel.hh[ends]] = panel.t[starts], panel.t[ends]
    return first, last


def _active(panel: Panel, first: np.ndarray, sums: _Sums) -> dict[str, Folded]:
    end = panel.t.max()
    length = (
        QUARTER if panel.origin is not None and end - panel.t.min() >= 2 * QUARTER else (end - panel.t.min()) / PARTS
    )
    since = panel.t - first[panel.hh]
    found = {}
    for period in range(1, PARTS + 1):
        low, high = (period - 1) * length, period * length
        watched = np.nan_to_num(first, nan=np.inf) + high <= end
        inside = (since > low) & (since <= high)
        there = np.bincount(panel.hh[inside], minlength=len(first)) > 0
        if length > 0 and watched.any():
            found[f"active_{period}"] = sums.share(there & watched, watched)
    return found


def _still_customers(x: np.ndarray, recency: np.ndarray, length: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    model = bg_nbd.fit(x, recency, length, weight)
    if model is None:
        return {}
    alive = np.average(bg_nbd.chance_alive(model, x, recency, length), weights=weight)
    return {"alive": float(alive), "leaving": model.a / (model.a + model.b)}


def truncated_nbd(n: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Maximum likelihood M, K of a zero-truncated NBD of purchases n >= 1; nan where nobody bought twice."""
    if n.max(initial=0) < 2:
        return float("nan"), float("nan")
    sizes, place = np.unique(n, return_inverse=True)
    people = np.bincount(place, weight)

    def minus(logs: np.ndarray) -> float:
        mean, shape = np.exp(logs)
        ways = special.gammaln(shape + sizes) - special.gammaln(shape) - special.gammaln(sizes + 1)
        terms = ways - shape * np.log1p(mean / shape) + sizes * np.log(mean / (mean + shape))
        none = -shape * np.log1p(mean / shape)
        return float(-(people * (terms - np.log(-np.expm1(none)))).sum())

    start = np.log([max((n * weight).sum() / weight.sum() - 1, 0.1), 0.5])
    found = optimize.minimize(minus, start, method="Nelder-Mead", bounds=[(-12, 15), (-12, 12)])
    return float(np.exp(found.x[0])), float(np.exp(found.x[1]))
