"""Measures a panel with the metrics of the simulator: a tidy table with errors over households.

What only counts purchases is taken over the whole panel as one window. What needs customers to be known
before they are observed (usage ratio, repeat rate, churn) takes them from the first 70 % of each household's purchases
and measures the rest, so that a counted use never makes its own customer. What needs the order of
purchases is left out of a panel that has none.
"""

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from sim.measure import estimates, metrics
from sim.measure.estimates import Estimate, folds, jackknife, pooled
from sim.measure.registry import Counts, listed
from sim.measure.reliability import at_least, least_error, least_of, part
from sim.measure.tally import TENURE, WINDOWED, Array, Metric, Tally
from sim.panel.concentration import concentrations
from sim.panel.count import after_start, purchase_counts, select_households, tally
from sim.panel.files import read
from sim.panel.folds import fold_of
from sim.panel.groups import groups
from sim.panel.one_firm import one_firm
from sim.panel.options import Options, options_from
from sim.panel.panel_metrics import (
    category_shape,
    chance_ratio_by_fold,
    order_z,
    repeat,
    repeat_by_order,
    repeat_chance,
    repeat_shuffled,
    unit_share,
)
from sim.panel.provider import provider_tally
from sim.panel.types import Panel

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 4  # purchases from which a household has a before and an after
Row = tuple[str, str, str, float, float]

ORDER: dict[str, Metric] = {
    "repeat": repeat,
    "repeat_shuffled": repeat_shuffled,
    "repeat_chance": repeat_chance,
    "repeat_by_order": repeat_by_order,
}
OF_PROVIDERS = ("stickiness", "excess", "share", "retention", "churn")
OTHERWISE = ("excess", "dirichlet_phi", "category_penetration")  # what a panel finds in a way of its own, if at all


def known_from(of: str, needs: str) -> dict[str, Metric]:
    """Metrics of brands or of the market that a panel of purchases tells, by what must be known of the purchases."""
    found = listed(of, provider=False, table=False)
    return {i.name: function for i, function in found.items() if i.needs == needs and i.name not in OTHERWISE}


@dataclass
class Measured:
    """Values of metrics over everybody and without each fold, and what their errors are at least (nan: too few)."""

    values: dict[str, Array] = field(default_factory=dict)  # [1 + folds, J] of brands or [1 + folds] of the market
    least: dict[str, Array] = field(default_factory=dict)

    def add(self, wanted: dict[str, Metric], tally: Tally, once: Tally) -> None:
        """Metrics of a pooled tally [fold, ...], whose errors rest on `once`, the same households without weights."""
        whole = folds(tally)
        self.values |= {name: metric(whole) for name, metric in wanted.items()}
        self.least |= {name: least_error(metric, once) for name, metric in wanted.items()}

    def estimate(self, name: str) -> Estimate:
        """Value and standard error, nan where too few can tell (`sim.measure.reliability`)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            value, error = jackknife(self.values[name])
        return Estimate(value, at_least(error, self.least.get(name, np.zeros(()))))


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
    found: dict[str, Measured] = {}
    for name, members, keep in groups(panel, settings):
        found[name] = measured(members, fold[keep])
        rows += _rows_of(name, {n: found[name].estimate(n) for n in found[name].values}, panel.brands)
        if name == "all" and panel.ordered and not panel.provider and len(panel.brands) > 1:
            rows.append(("all", "", "order_z", order_z(panel), 1.0))
    if {"before", "after"} <= set(found):
        rows += _rows_of("change", _changes(found["before"], found["after"]), panel.brands)
    frame = pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])
    frame.attrs["warnings"] = list(panel.warnings)
    return frame


def _changes(before: Measured, after: Measured) -> dict[str, Estimate]:
    """After - before, households paired; the error is nan where that of either is."""
    changes = {}
    for name in [n for n in before.values if n in after.values]:
        with np.errstate(invalid="ignore"):
            value, paired = jackknife(after.values[name] - before.values[name])
        apart = np.hypot(before.estimate(name).error, after.estimate(name).error)
        changes[name] = Estimate(value, np.where(np.isnan(apart) | (paired == 0), apart, paired))
    return changes


def _rows_of(group: str, estimates: dict[str, Estimate], brands: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for name, (value, error) in estimates.items():
        if value.ndim == 0:
            rows.append((group, "", name, float(value), float(error)))
        else:
            rows += [(group, brand, name, float(value[j]), float(error[j])) for j, brand in enumerate(brands)]
    return rows


def measured(panel: Panel, fold: Array) -> Measured:
    """Metrics of a panel over everybody and without each fold: what makes sense for what it is."""
    if not len(panel.hh):
        return Measured()
    with np.errstate(divide="ignore", invalid="ignore"):
        if len(panel.brands) == 1:
            return Measured(*one_firm(panel, fold))
        return _of_provider(panel, fold) if panel.provider else _of_repertoire(panel, fold)


def _of_repertoire(panel: Panel, fold: Array) -> Measured:
    found = Measured()
    counts = [pooled(tally(p, fold=fold)) for p in (panel, unweighted(panel))]
    found.add(known_from("firm", "uses"), *counts)
    s = concentrations(purchase_counts(panel), fold, panel.weights)
    found.values["excess"] = found.values["stickiness"] - (1 / (1 + s))[:, None]
    found.values["own_ratio_lift"] = found.values["own_ratio"] / chance_ratio_by_fold(panel, fold)
    found.least |= {"excess": found.least["stickiness"], "own_ratio_lift": found.least["own_ratio"]}
    if panel.quantity is not None:
        found.values["unit_share"], found.least["unit_share"] = unit_share(panel, fold), found.least["share"]
    if panel.ordered:
        found.add(known_from("firm", "order"), *counts)
        before = known_from("firm", "before")
        found.add(before, second_part(panel, fold), second_part(unweighted(panel), fold))
        found.values |= {name: _aligned(found.values[name], panel, fold) for name in before}
        found.add(ORDER, *counts)
    found.add(known_from("market", "uses"), *counts)
    found.values |= {"dirichlet_phi": 1 / (1 + s), "concentration": s}
    if panel.members:
        found.add({"category_penetration": metrics.category_penetration}, *counts)
        found.values["category_shape"] = category_shape(panel, fold)
    return found


def unweighted(panel: Panel) -> Panel:
    """The panel with each household once: a weight of 1,000 tells no more than the one household that has it."""
    return replace(panel, weights=None)


def _aligned(each: Array, panel: Panel, fold: Array) -> Array:
    """The values of `second_part` with a row for every fold: one without such households leaves out nobody."""
    many = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    every, some = np.unique(fold), np.unique(fold[many])
    rows = np.zeros(1 + len(every), np.int64)
    rows[1 + np.searchsorted(every, some)] = 1 + np.arange(len(some))
    return each[rows]


def _of_provider(panel: Panel, fold: Array) -> Measured:
    found = Measured()
    counts, once = (provider_tally(p, fold) for p in (panel, unweighted(panel)))
    known = {i.name: function for i, function in listed("firm", provider=True, table=False).items()}
    found.add({name: known[name] for name in OF_PROVIDERS}, counts, once)
    found.add({"switched": _switched, "ever_switched": metrics.ever_switched}, counts, once)
    stays = folds(counts).tenure.sum(axis=-3)
    for b, first in enumerate(TENURE):
        if first and stays[0, b].sum() > 0:
            name = f"retention_from_{first}"
            found.values[name] = stays[:, b, 0] / stays[:, b].sum(axis=-1)
            found.least[name] = least_of(_stayed(once, b), once.people.sum())
    return found


def _switched(t: Tally) -> Array:
    """Share of customers who are with another provider a lag later, of those who are seen then."""
    known = t.transitions[..., 1:, 1:]
    return 1 - np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))


def _stayed(t: Tally, b: int) -> Counts:
    """Customers who stayed the next time, of those who were there for a TENURE bin of times in a row."""
    each = t.tenure.sum(axis=-3)[:, b]
    return part(each[:, 0], each.sum(axis=-1))


def second_part(panel: Panel, fold: Array | None = None) -> Tally:
    """The last 30 % of the purchases of households with 4 or more, with who was a customer in the first 70 %."""
    fold = fold_of(panel) if fold is None else fold
    keep = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    many = select_households(panel, keep)
    if not len(many.households):
        return pooled(tally(many, fold=fold[keep]))
    both = estimates.by_window(tally(many, after_start(many), fold[keep]))
    return both._replace(**{name: getattr(both, name)[:, -1] for name in WINDOWED})
