"""The metrics of the simulator on a panel, as a tidy table with errors over households.

What only counts purchases is taken over the whole panel as one window. What needs customers to be customers before
they are watched (usage ratio, repeat rate, churn) fixes them on the first 70 % of each household's purchases and
measures on the rest, so that nobody is a customer by virtue of the uses that are counted. What needs the order of
purchases is left out of a panel that has none.
"""

from typing import Any

import numpy as np

from sim.measure import dirichlet, estimates, metrics
from sim.measure.estimates import Array, Metric, folds, jackknife, pooled
from sim.measure.tally import TENURE, Count, Tally
from sim.panel.concentration import concentrations
from sim.panel.count import after_start, counts, select, tally
from sim.panel.files import read
from sim.panel.folds import fold_of
from sim.panel.groups import groups
from sim.panel.one_firm import one_firm
from sim.panel.options import made
from sim.panel.provider import provider_tally
from sim.panel.types import Panel

FEWEST = 4  # purchases from which a household has a before and an after
LONG = 5_000  # purchases of a household above which the shape K of buying gets no error, as its folds take too long
Values = dict[str, Array]  # metric -> [1 + folds, J] of brands or [1 + folds] of the market


def own_ratio(t: Tally) -> Array:
    """Purchases of the firm over those of the others by all who bought it, U = SCR / (1 - SCR).

    Flattered by selection, as the purchase that makes a customer is counted; see `chance_ratio`.
    """
    own, category = t.window[..., Count.USES], t.window[..., Count.CATEGORY]
    return own / (category - own)


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


COUNTED: dict[str, Metric] = {
    "stickiness": metrics.pair_index,
    "own_ratio": own_ratio,
    "share": metrics.share,
    "penetration": metrics.penetration,
    "frequency": metrics.frequency,
    "category_requirements": metrics.category_requirements,
    "solely_loyal": metrics.solely_loyal,
    "once_only": metrics.once_only,
}
IN_ORDER: dict[str, Metric] = {"next_use": metrics.next_use, "habit_part": metrics.habit_part}
AFTER: dict[str, Metric] = {
    "usage_ratio": metrics.usage_ratio,
    "repeat_rate": metrics.repeat_rate,
    "churn": metrics.churn,
}
MARKET: dict[str, Metric] = {
    "category_mean": metrics.category_mean,
    "polarization": metrics.polarization,
    "duplication_coefficient": metrics.duplication_coefficient,
    "ever_switched": metrics.ever_switched,
}
MARKET_IN_ORDER: dict[str, Metric] = {
    "repeat": repeat,
    "repeat_shuffled": repeat_shuffled,
    "repeat_chance": repeat_chance,
    "repeat_by_order": repeat_by_order,
}
PROVIDER: dict[str, Metric] = {
    "stickiness": metrics.lag_index,
    "excess": metrics.lag_excess,
    "share": metrics.share,
    "retention": metrics.retention,
    "churn": metrics.churn,
}


def measure(source: Any, **options: Any) -> Any:
    """Every metric a panel (or the file at a path) can tell, tidy: group, firm ("" = the market), metric, value, error.

    Names are those of `metrics.table`, and mean the same. Besides: own_ratio U and own_ratio_lift U/U0 (1 = no
    loyalty), unit_share of quantities, next_use R_j, and of the market repeat, repeat_shuffled, repeat_chance,
    repeat_by_order, its order_z (standard errors of shuffling), concentration S. Groups are all, and, where asked for
    by `period`, `split` or `segment`, their parts and the change from before to after a date. `options` are those of
    `read`. `attrs["warnings"]` are the panel's.
    """
    import pandas as pd

    given = made(None, **options) if "options" not in options else options["options"]
    panel = source if isinstance(source, Panel) else read(source, options=given)
    fold = fold_of(panel)
    rows: list[tuple[str, str, str, float, float]] = []
    found: dict[str, Values] = {}
    for name, part, keep in groups(panel, given):
        found[name] = values(part, fold[keep])
        rows += _tidy(name, found[name], panel.brands)
        if name == "all" and panel.ordered and not panel.provider and len(panel.brands) > 1:
            rows.append(("all", "", "order_z", order_z(panel), 1.0))
    if {"before", "after"} <= set(found):
        both = {n: found["after"][n] - found["before"][n] for n in found["before"] if n in found["after"]}
        rows += _tidy("change", both, panel.brands)
    frame = pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])
    frame.attrs["warnings"] = list(panel.warnings)
    return frame


def _tidy(group: str, found: Values, brands: tuple[str, ...]) -> list[tuple[str, str, str, float, float]]:
    rows = []
    for name, each in found.items():
        with np.errstate(invalid="ignore"):
            value, error = jackknife(each)
        if each.ndim == 1:
            rows.append((group, "", name, float(value), float(error)))
        else:
            rows += [(group, brand, name, float(value[j]), float(error[j])) for j, brand in enumerate(brands)]
    return rows


def values(panel: Panel, fold: Array) -> Values:
    """Metrics of a panel over everybody and without each fold: what makes sense for what it is."""
    if not len(panel.hh):
        return {}
    with np.errstate(divide="ignore", invalid="ignore"):
        if len(panel.brands) == 1:
            return one_firm(panel, fold)
        return _of_provider(panel, fold) if panel.provider else _of_repertoire(panel, fold)


def _of_repertoire(panel: Panel, fold: Array) -> Values:
    whole = folds(pooled(tally(panel, fold=fold)))
    found = {name: metric(whole) for name, metric in COUNTED.items()}
    s = _concentration(panel, fold)
    found["excess"] = found["stickiness"] - (1 / (1 + s))[:, None]
    found["own_ratio_lift"] = found["own_ratio"] / _left_out_ratio(panel, fold)
    if panel.quantity is not None:
        found["unit_share"] = _unit_share(panel, fold)
    market = {name: metric(whole) for name, metric in MARKET.items()}
    market |= {"dirichlet_phi": 1 / (1 + s), "concentration": s}
    if panel.members:
        market["category_penetration"] = metrics.category_penetration(whole)
        market["category_shape"] = _shape(panel, fold)
    if panel.ordered:
        found |= {name: metric(whole) for name, metric in IN_ORDER.items()}
        after = folds(later(panel, fold))
        found |= {name: _aligned(metric(after), panel, fold) for name, metric in AFTER.items()}
        market |= {name: metric(whole) for name, metric in MARKET_IN_ORDER.items()}
    return found | market


def _aligned(each: Array, panel: Panel, fold: Array) -> Array:
    """The values of `later` with a row for every fold: one without such households leaves out nobody."""
    many = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    every, some = np.unique(fold), np.unique(fold[many])
    rows = np.zeros(1 + len(every), np.int64)
    rows[1 + np.searchsorted(every, some)] = 1 + np.arange(len(some))
    return each[rows]


def _of_provider(panel: Panel, fold: Array) -> Values:
    whole = folds(provider_tally(panel, fold))
    found = {name: metric(whole) for name, metric in PROVIDER.items()}
    known = whole.transitions[..., 1:, 1:]
    market = {
        "switched": 1 - np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1)),
        "ever_switched": metrics.ever_switched(whole),
    }
    stays = whole.tenure.sum(axis=-3)
    for b, first in enumerate(TENURE):
        if first and stays[0, b].sum() > 0:
            market[f"retention_from_{first}"] = stays[:, b, 0] / stays[:, b].sum(axis=-1)
    return found | market


def later(panel: Panel, fold: Array | None = None) -> Tally:
    """The last 30 % of the purchases of households with 4 or more, with who was a customer in the first 70 %."""
    fold = fold_of(panel) if fold is None else fold
    keep = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    part = select(panel, keep)
    if not len(part.households):
        return pooled(tally(part, fold=fold[keep]))
    both = estimates.by_window(tally(part, after_start(part), fold[keep]))
    names = ("window", "both", "buyers", "transitions", "faithful", "standing")
    return both._replace(**{name: getattr(both, name)[:, -1] for name in names})


def order_z(panel: Panel) -> float:
    """How many standard errors the repeats lie above those of shuffled purchases.

    Exact moments of the number of runs when the n purchases of a household, n_j of each brand, are permuted (Mood
    1940, Ann. Math. Statist. 11, 367): variance of repeats, with a = sum n_j^2 and b = sum n_j^3,
    (a (a + n (n + 1)) - 2 n b - n^3) / (n^2 (n - 1)).
    """
    x = counts(panel).astype(float)
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


def _left_out_ratio(panel: Panel, fold: Array) -> Array:
    """[1 + folds, J] of `chance_ratio`. Households that buy equally often are as one, so that folds cost little."""
    x, w = counts(panel), np.ones(len(panel.households)) if panel.weights is None else panel.weights
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


def _concentration(panel: Panel, fold: Array) -> Array:
    return concentrations(counts(panel), fold, panel.weights)


def _unit_share(panel: Panel, fold: Array) -> Array:
    """[1 + folds, J] share of units."""
    many, names = len(panel.brands), np.unique(fold)
    w = panel.quantity if panel.weights is None else panel.quantity * panel.weights[panel.hh]
    each = np.bincount(np.searchsorted(names, fold[panel.hh]) * many + panel.y, w, minlength=len(names) * many)
    each = each.reshape(-1, many)
    each = np.vstack([each.sum(axis=0), each.sum(axis=0) - each])
    return each / each.sum(axis=1, keepdims=True)


def _shape(panel: Panel, fold: Array) -> Array:
    """[1 + folds] K of the NBD of purchases by household, non-buyers included; folds are nan where that takes long."""
    n, names = np.bincount(panel.hh, minlength=len(panel.households)), np.unique(fold)
    w = np.ones(len(n)) if panel.weights is None else panel.weights
    keep = [np.ones(len(n), bool)] + [fold != f for f in names]
    found = np.full(len(keep), np.nan)
    for i, who in enumerate(keep[: 1 if n.max() > LONG else None]):
        found[i] = dirichlet.fit_nbd(np.bincount(n[who], w[who]))[1]
    return found
