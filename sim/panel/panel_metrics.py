"""Metrics that only a panel has: own ratio, what order adds, share of units, spread of buying."""

import numpy as np

from sim.measure import dirichlet
from sim.measure.registry import metric
from sim.measure.reliability import odds
from sim.measure.tally import Array, Count, Tally
from sim.panel.count import purchase_counts
from sim.panel.types import Panel

LONG = 5_000  # purchases of a household above which the shape K of buying gets no error, as its folds take too long


def _own_and_other(t: Tally) -> tuple[Array, Array]:
    own = t.window[..., Count.USES]
    return own, t.window[..., Count.CATEGORY] - own


@metric(
    "own_ratio",
    "purchases here per purchase elsewhere",
    unit="ratio",
    needs="uses",
    rests_on=lambda t: odds(*_own_and_other(t)),
    short="usage ratio U",
    table=False,
)
def own_ratio(t: Tally) -> Array:
    """Purchases of the firm over those of the others by all who bought it, U = SCR / (1 - SCR).

    Flattered by selection, as the purchase that makes a customer is counted; see `chance_ratio`.
    """
    own, other = _own_and_other(t)
    return own / other


def repeat(t: Tally) -> Array:
    """R, the share of consecutive purchases that repeat the brand."""
    again, elsewhere = (t.window[..., what].sum(axis=-1) for what in (Count.ADJACENT, Count.SWITCHED))
    return again / (again + elsewhere)


def repeat_shuffled(t: Tally) -> Array:
    """R had the purchases of each household come in any other order (exact expectation): tastes alone."""
    return t.window[..., Count.SHUFFLED].sum(axis=-1) / t.window[..., Count.SHUFFLED_FOLLOWED].sum(axis=-1)


def repeat_chance(t: Tally) -> Array:
    """R had the purchases been dealt out to anybody: sum of shares before x shares after."""
    known = t.flow[..., 1:, 1:]
    both = known.sum(axis=-1) * known.sum(axis=-2)
    return both.sum(axis=-1) / known.sum(axis=(-2, -1)) ** 2


def repeat_by_order(t: Tally) -> Array:
    """R - R shuffled: what order adds, habit or drifting taste."""
    return repeat(t) - repeat_shuffled(t)


def order_z(panel: Panel) -> float:
    """How many standard errors the repeats lie above those of shuffled purchases.

    Exact moments of the number of runs when the n purchases of a household, n_j of each brand, are permuted (Mood
    1940, Ann. Math. Statist. 11, 367): variance of repeats, with a = sum n_j^2 and b = sum n_j^3,
    (a (a + n (n + 1)) - 2 n b - n^3) / (n^2 (n - 1)).
    """
    x = purchase_counts(panel).astype(float)
    x = x[x.sum(axis=1) > 1]
    n, a, b = x.sum(axis=1), (x**2).sum(axis=1), (x**3).sum(axis=1)
    variance = ((a * (a + n * (n + 1)) - 2 * n * b - n**3) / (n**2 * (n - 1))).sum()
    same = panel.hh[1:] == panel.hh[:-1]
    repeats = (same & (panel.y[1:] == panel.y[:-1])).sum()
    return float((repeats - ((a - n) / n).sum()) / np.sqrt(variance)) if variance > 0 else float("nan")


def chance_ratio(x: Array, weight: Array | None = None) -> Array:
    """U0_j, the own ratio of a brand nobody is loyal to: buyers of j are then selected by how much they buy.

    SCR0 = s_j sum n / sum n (1 - (1 - s_j)^n), from purchases x [H, J] with shares s_j; U0 = SCR0 / (1 - SCR0).
    """
    w = np.ones(len(x)) if weight is None else weight
    n, s = x.sum(axis=1), w @ x / (w @ x).sum()
    category_requirements = s * (w @ n) / (w @ (n[:, None] * (1 - (1 - s) ** n[:, None])))
    return category_requirements / (1 - category_requirements)


def chance_ratio_by_fold(panel: Panel, fold: Array) -> Array:
    """[1 + folds, J] of `chance_ratio`. Households that buy equally often are as one, so that folds cost little."""
    x, w = purchase_counts(panel), np.ones(len(panel.households)) if panel.weights is None else panel.weights
    n, names = x.sum(axis=1), np.unique(fold)
    sizes, place = np.unique(n, return_inverse=True)
    cell = np.searchsorted(names, fold) * len(sizes) + place
    people = np.bincount(cell, w, minlength=len(names) * len(sizes)).reshape(len(names), -1)
    uses = np.stack(
        [np.bincount(np.searchsorted(names, fold), w * x[:, j], minlength=len(names)) for j in range(x.shape[1])], 1
    )
    people, uses = (np.vstack([a.sum(axis=0), a.sum(axis=0) - a]) for a in (people, uses))
    s = uses / uses.sum(axis=1, keepdims=True)
    bought = people * sizes
    never = np.stack([((1 - s[:, [j]]) ** sizes * bought).sum(axis=1) for j in range(x.shape[1])], 1)
    total = bought.sum(axis=1, keepdims=True)
    category_requirements = s * total / (total - never)
    return category_requirements / (1 - category_requirements)


def unit_share(panel: Panel, fold: Array) -> Array:
    """[1 + folds, J] share of units."""
    many, names = len(panel.brands), np.unique(fold)
    w = panel.quantity if panel.weights is None else panel.quantity * panel.weights[panel.hh]
    each = np.bincount(np.searchsorted(names, fold[panel.hh]) * many + panel.y, w, minlength=len(names) * many)
    each = each.reshape(-1, many)
    each = np.vstack([each.sum(axis=0), each.sum(axis=0) - each])
    return each / each.sum(axis=1, keepdims=True)


def category_shape(panel: Panel, fold: Array) -> Array:
    """[1 + folds] K of the NBD of purchases by household, non-buyers included; folds are nan where that takes long."""
    n, names = np.bincount(panel.hh, minlength=len(panel.households)), np.unique(fold)
    w = np.ones(len(n)) if panel.weights is None else panel.weights
    keep = [np.ones(len(n), bool)] + [fold != f for f in names]
    found = np.full(len(keep), np.nan)
    for i, people in enumerate(keep[: 1 if n.max() > LONG else None]):
        found[i] = dirichlet.fit_nbd(np.bincount(n[people], w[people]))[1]
    return found
