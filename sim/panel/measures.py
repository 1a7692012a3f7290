"""Measures a panel with the metrics of the simulator: a tidy table with errors over households.

What only counts purchases is taken over the whole panel as one window. What needs customers to be known
before they are observed (usage ratio, repeat rate, churn) takes them from the first 70 % of each household's purchases
and measures the rest, so that a counted use never makes its own customer. What needs the order of
purchases is left out of a panel that has none.
"""

from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Metric, folds, jackknife, pooled
from sim.measure.reliability import at_least, least_error, least_of, part
from sim.measure.tally import TENURE, Tally
from sim.panel.concentration import concentrations
from sim.panel.count import after_start, purchase_counts, select_households, tally
from sim.panel.files import read
from sim.panel.folds import Folded, fold_of
from sim.panel.groups import groups
from sim.panel.one_firm import one_firm
from sim.panel.options import Options, options_from
from sim.panel.panel_metrics import (
    ORDER_OF_MARKET,
    category_shape,
    chance_ratio_by_fold,
    order_z,
    own_ratio,
    switched_among_observed,
    unit_share,
)
from sim.panel.provider import provider_tally
from sim.panel.types import Panel

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 4  # purchases from which a household has a before and an after
Row = tuple[str, str, str, float, float]
Values = dict[str, Folded]  # by the name of the metric

FITTED_HERE = {"excess", "dirichlet_phi"}  # from `concentrations`, which needs no households that bought nothing
OF_PROVIDER = {"share", "churn"}  # beside the metrics that only providers have


def wanted(of: str, needs: str) -> dict[str, Metric]:
    """The metrics of a repertoire market that need such counts: "uses", their "order", or who used "before"."""
    found = {
        i.name: metric for i, metric in metrics.listed(of, provider=False, table=False).items() if i.needs == needs
    }
    return {name: metric for name, metric in found.items() if name not in FITTED_HERE}


def measure(source: Panel | str | PathLike[str], options: Options | None = None, **named: object) -> "pd.DataFrame":
    """Every metric of a panel, or of the file at a path: group, firm ("" = the market), metric, value, error.

    Names are those of `metrics.table`, and mean the same. Besides: own_ratio U and own_ratio_lift U/U0 (1 = no
    loyalty), unit_share of quantities, next_use R_j, and of the market repeat, repeat_shuffled, repeat_chance,
    repeat_by_order, its order_z (standard errors of shuffling), concentration S. Groups are all, and, where asked for
    by `period`, `split` or `segment`, their parts and the change from before to after a date. Options are those of
    `read`. `attrs["warnings"]` are the panel's.
    """
    import pandas as pd

    settings = options_from(options, **named)
    panel = source if isinstance(source, Panel) else read(source, options=settings)
    fold = fold_of(panel)
    rows: list[Row] = []
    found: dict[str, Values] = {}
    for name, members, keep in groups(panel, settings):
        found[name] = measured(members, fold[keep])
        rows += _rows_of(name, found[name], panel.brands)
        if name == "all" and panel.ordered and not panel.provider and len(panel.brands) > 1:
            rows.append(("all", "", "order_z", order_z(panel), 1.0))
    if {"before", "after"} <= set(found):
        before, after = found["before"], found["after"]
        changes = {n: _change(before[n], after[n]) for n in before if n in after}
        rows += _rows_of("change", changes, panel.brands)
    frame = pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])
    frame.attrs["warnings"] = list(panel.warnings)
    return frame


def _change(before: Folded, after: Folded) -> Folded:
    """After - before, households paired; its error is unknown where that of either is."""
    with np.errstate(invalid="ignore"):  # a ratio may be infinite in both
        return Folded(after.each - before.each, np.hypot(before.least, after.least))


def _rows_of(group: str, found: Values, brands: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for name, (each, least) in found.items():
        with np.errstate(invalid="ignore"):
            value, error = jackknife(each)
        error = at_least(error, least)
        if value.ndim == 0:
            rows.append((group, "", name, float(value), float(error)))
        else:
            rows += [(group, brand, name, float(value[j]), float(error[j])) for j, brand in enumerate(brands)]
    return rows


def measured(panel: Panel, fold: Array) -> Values:
    """Metrics of a panel over everybody and without each fold: what makes sense for what it is."""
    if not len(panel.hh):
        return {}
    with np.errstate(divide="ignore", invalid="ignore"):
        if len(panel.brands) == 1:
            return one_firm(panel, fold)
        return _of_provider(panel, fold) if panel.provider else _of_repertoire(panel, fold)


def _of_repertoire(panel: Panel, fold: Array) -> Values:
    counts, unweighted = (pooled(tally(p, fold=fold)) for p in (panel, replace(panel, weights=None)))
    found = _all_folded(wanted("firm", "uses"), counts, unweighted)
    s = concentrations(purchase_counts(panel), fold, panel.weights)
    found["excess"] = Folded(found["stickiness"].each - (1 / (1 + s))[:, None], found["stickiness"].least)
    least = found["category_requirements"].least  # U = SCR / (1 - SCR) rests on the same counts
    found["own_ratio"] = Folded(own_ratio(folds(counts)), least)
    found["own_ratio_lift"] = Folded(found["own_ratio"].each / chance_ratio_by_fold(panel, fold), least)
    if panel.quantity is not None:
        found["unit_share"] = Folded(unit_share(panel, fold), found["share"].least)
    if panel.ordered:
        found |= _all_folded(wanted("firm", "order"), counts, unweighted)
        found |= _of_second_part(panel, fold)
        found |= _all_folded(ORDER_OF_MARKET | wanted("market", "order"), counts, unweighted)
    of_market = wanted("market", "uses")
    if panel.members:
        found["category_shape"] = Folded(category_shape(panel, fold))
    else:
        of_market.pop("category_penetration")
    found |= _all_folded(of_market, counts, unweighted)
    return found | {"dirichlet_phi": Folded(1 / (1 + s)), "concentration": Folded(s)}


def _all_folded(of: dict[str, Metric], counts: Tally, unweighted: Tally) -> Values:
    """Metrics of weighted counts; their errors rest on the counts of the same households without weights."""
    whole = folds(counts)
    return {name: Folded(metric(whole), least_error(metric, unweighted)) for name, metric in of.items()}


def _of_second_part(panel: Panel, fold: Array) -> Values:
    """The metrics that need customers to be known before they are observed."""
    counts, unweighted = (second_part(p, fold) for p in (panel, replace(panel, weights=None)))
    found = _all_folded(wanted("firm", "before"), counts, unweighted)
    return {name: Folded(_aligned(each, panel, fold), least) for name, (each, least) in found.items()}


def _aligned(each: Array, panel: Panel, fold: Array) -> Array:
    """The values of `second_part` with a row for every fold: one without such households leaves out nobody."""
    many = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    every, some = np.unique(fold), np.unique(fold[many])
    rows = np.zeros(1 + len(every), np.int64)
    rows[1 + np.searchsorted(every, some)] = 1 + np.arange(len(some))
    return each[rows]


def _of_provider(panel: Panel, fold: Array) -> Values:
    counts, unweighted = (provider_tally(p, fold) for p in (panel, replace(panel, weights=None)))
    known = metrics.listed("firm", provider=True, table=False) | metrics.listed("market", provider=True)
    of = {i.name: metric for i, metric in known.items() if i.regime == "provider" or i.name in OF_PROVIDER}
    of |= {"switched": switched_among_observed, "ever_switched": metrics.ever_switched}
    return _all_folded(of, counts, unweighted) | _retention_by_tenure(counts, unweighted)


def _retention_by_tenure(counts: Tally, unweighted: Tally) -> Values:
    """Share of customers who stay the next time, by the number of times in a row they were there."""
    stays, rests = (t.tenure.sum(axis=-3) for t in (folds(counts), unweighted))
    found: Values = {}
    for b, first in enumerate(TENURE):
        if first and stays[0, b].sum() > 0:
            least = least_of(part(rests[:, b, 0], rests[:, b].sum(axis=-1)), unweighted.people.sum())
            found[f"retention_from_{first}"] = Folded(stays[:, b, 0] / stays[:, b].sum(axis=-1), least)
    return found


def second_part(panel: Panel, fold: Array | None = None) -> Tally:
    """The last 30 % of the purchases of households with 4 or more, with who was a customer in the first 70 %."""
    fold = fold_of(panel) if fold is None else fold
    keep = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    some = select_households(panel, keep)
    if not len(some.households):
        return pooled(tally(some, fold=fold[keep]))
    both = estimates.by_window(tally(some, after_start(some), fold[keep]))
    names = ("window", "both", "buyers", "transitions", "faithful", "standing")
    return both._replace(**{name: getattr(both, name)[:, -1] for name in names})
