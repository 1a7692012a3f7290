"""The metrics of the simulator on a panel, as a tidy table with errors over households.

What only counts purchases is taken over the whole panel as one window. What needs customers to be customers before
they are watched (usage ratio, repeat rate, churn) fixes them on the first 70 % of each household's purchases and
measures on the rest, so that nobody is a customer by virtue of the uses that are counted. What needs the order of
purchases is left out of a panel that has none.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from sim.measure import dirichlet, estimates, metrics
from sim.measure.estimates import folds, jackknife, pooled
from sim.measure.registry import listed, metric
from sim.measure.reliability import at_least, in_window, least_error, least_of, odds, part
from sim.measure.tally import TENURE, WINDOWED, Array, Count, Metric, Tally
from sim.panel.concentration import concentrations
from sim.panel.count import after_start, counts, select, tally
from sim.panel.files import read
from sim.panel.folds import Folded, fold_of
from sim.panel.groups import groups
from sim.panel.one_firm import one_firm
from sim.panel.options import made
from sim.panel.provider import provider_tally
from sim.panel.types import Panel

FEWEST = 4  # purchases from which a household has a before and an after
LONG = 5_000  # purchases of a household above which the shape K of buying gets no error, as its folds take too long
Values = dict[str, Folded]  # by the name of the metric


@metric(
    "own_ratio",
    "purchases here per purchase elsewhere",
    unit="ratio",
    needs="uses",
    rests_on=lambda t: odds(*in_window(Count.USES, Count.CATEGORY)(t)[:2]),
    short="usage ratio U",
    table=False,
)
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


ORDER: dict[str, Metric] = {
    "repeat": repeat,
    "repeat_shuffled": repeat_shuffled,
    "repeat_chance": repeat_chance,
    "repeat_by_order": repeat_by_order,
}
OF_PROVIDERS = ("stickiness", "excess", "share", "retention", "churn")
OTHERWISE = ("excess", "dirichlet_phi", "category_penetration")  # what a panel finds in a way of its own, if at all


def told(of: str, needs: str) -> dict[str, Metric]:
    """Name -> metric of brands or of the market that a panel can tell, by what must be known of it."""
    metrics = listed(of, provider=False, table=False)
    return {i.name: f for i, f in metrics.items() if i.needs == needs and i.name not in OTHERWISE}


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
    for name, members, keep in groups(panel, given):
        found[name] = values(members, fold[keep])
        rows += _tidy(name, found[name], panel.brands)
        if name == "all" and panel.ordered and not panel.provider and len(panel.brands) > 1:
            rows.append(("all", "", "order_z", order_z(panel), 1.0))
    if {"before", "after"} <= set(found):
        before, after = found["before"], found["after"]
        rows += _tidy("change", {n: _change(before[n], after[n]) for n in before if n in after}, panel.brands)
    frame = pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])
    frame.attrs["warnings"] = list(panel.warnings)
    return frame


def _tidy(group: str, found: Values, brands: tuple[str, ...]) -> list[tuple[str, str, str, float, float]]:
    rows = []
    for name, (each, least) in found.items():
        with np.errstate(invalid="ignore"):
            value, error = jackknife(each)
        error = at_least(error, least)
        if each.ndim == 1:
            rows.append((group, "", name, float(value), float(error)))
        else:
            rows += [(group, brand, name, float(value[j]), float(error[j])) for j, brand in enumerate(brands)]
    return rows


def _change(before: Folded, after: Folded) -> Folded:
    with np.errstate(invalid="ignore"):  # a ratio may be infinite in both
        return Folded(after.each - before.each, np.hypot(before.least, after.least))


def values(panel: Panel, fold: Array) -> Values:
    """Metrics of a panel over everybody and without each fold: what makes sense for what it is."""
    if not len(panel.hh):
        return {}
    with np.errstate(divide="ignore", invalid="ignore"):
        if len(panel.brands) == 1:
            return one_firm(panel, fold)
        return _of_provider(panel, fold) if panel.provider else _of_repertoire(panel, fold)


def _of_repertoire(panel: Panel, fold: Array) -> Values:
    counts, each_once = (pooled(tally(p, fold=fold)) for p in (panel, replace(panel, weights=None)))
    found, market = (_told(of, "uses", counts, each_once) for of in ("firm", "market"))
    s = _concentration(panel, fold)
    index, ratio = found["stickiness"], found["own_ratio"]
    found["excess"] = Folded(index.each - (1 / (1 + s))[:, None], index.least)
    found["own_ratio_lift"] = Folded(ratio.each / _left_out_ratio(panel, fold), ratio.least)
    if panel.quantity is not None:
        found["unit_share"] = Folded(_unit_share(panel, fold), found["share"].least)
    market |= {"dirichlet_phi": Folded(1 / (1 + s)), "concentration": Folded(s)}
    if panel.members:
        market["category_penetration"] = _folded(metrics.category_penetration, counts, each_once)
        market["category_shape"] = Folded(_shape(panel, fold))
    if panel.ordered:
        found |= _told("firm", "order", counts, each_once) | _from_before(panel, fold)
        market |= {name: _folded(function, counts, each_once) for name, function in ORDER.items()}
    return found | market


def _folded(function: Metric, counts: Tally, each_once: Tally) -> Folded:
    """A metric of weighted counts, its error resting on the counts of the same households without weights."""
    return Folded(function(folds(counts)), least_error(function, each_once))


def _told(of: str, needs: str, counts: Tally, each_once: Tally) -> Values:
    return {name: _folded(function, counts, each_once) for name, function in told(of, needs).items()}


def _from_before(panel: Panel, fold: Array) -> Values:
    """What needs customers to be known before they are watched."""
    counts, each_once = later(panel, fold), later(replace(panel, weights=None), fold)
    found = _told("firm", "before", counts, each_once)
    return {name: Folded(_aligned(each, panel, fold), least) for name, (each, least) in found.items()}


def _aligned(each: Array, panel: Panel, fold: Array) -> Array:
    """The values of `later` with a row for every fold: one without such households leaves out nobody."""
    many = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    every, some = np.unique(fold), np.unique(fold[many])
    rows = np.zeros(1 + len(every), np.int64)
    rows[1 + np.searchsorted(every, some)] = 1 + np.arange(len(some))
    return each[rows]


def _of_provider(panel: Panel, fold: Array) -> Values:
    counts, each_once = (provider_tally(p, fold) for p in (panel, replace(panel, weights=None)))
    known = {i.name: f for i, f in listed("firm", provider=True, table=False).items()}
    found = {name: _folded(known[name], counts, each_once) for name in OF_PROVIDERS}
    market = {"switched": _switched, "ever_switched": metrics.ever_switched}
    found |= {name: _folded(function, counts, each_once) for name, function in market.items()}
    return found | _retained_from(counts, each_once)


def _switched(t: Tally) -> Array:
    """Share of customers who are with another provider a lag later, of those who are seen then."""
    known = t.transitions[..., 1:, 1:]
    return 1 - np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))


def _retained_from(counts: Tally, each_once: Tally) -> Values:
    """Share of customers who stay the next time, by how many times in a row they were there."""
    stays, once = (t.tenure.sum(axis=-3) for t in (folds(counts), each_once))
    found = {}
    for b, first in enumerate(TENURE):
        if first and stays[0, b].sum() > 0:
            rests = part(once[:, b, 0], once[:, b].sum(axis=-1))
            found[f"retention_from_{first}"] = Folded(
                stays[:, b, 0] / stays[:, b].sum(axis=-1), least_of(rests, each_once.people.sum())
            )
    return found


def later(panel: Panel, fold: Array | None = None) -> Tally:
    """The last 30 % of the purchases of households with 4 or more, with who was a customer in the first 70 %."""
    fold = fold_of(panel) if fold is None else fold
    keep = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    part = select(panel, keep)
    if not len(part.households):
        return pooled(tally(part, fold=fold[keep]))
    both = estimates.by_window(tally(part, after_start(part), fold[keep]))
    return both._replace(**{name: getattr(both, name)[:, -1] for name in WINDOWED})


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
