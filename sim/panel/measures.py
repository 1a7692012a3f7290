"""Measures a panel with the metrics of the simulator: a tidy table with errors over households.

What only counts purchases is taken over the whole panel as one window. What needs customers to be known
before they are observed (usage ratio, repeat rate, churn) takes them from the first 70 % of each household's purchases
and measures the rest, so that a counted use never makes its own customer. What needs the order of
purchases is left out of a panel that has none.
"""

from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np

from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate, Metric, folds, jackknife, pooled
from sim.measure.reliability import reliable
from sim.measure.tally import TENURE, Tally
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
    own_ratio,
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


@dataclass
class Measured:
    """Values of metrics over everybody and without each fold, and the counts on which their errors rest."""

    values: dict[str, Array] = field(default_factory=dict)  # [1 + folds, J] of brands or [1 + folds] of the market
    counts: dict[str, tuple[Metric, Tally]] = field(default_factory=dict)

    def add(self, wanted: dict[str, Metric], tally: Tally) -> None:
        """Metrics of a pooled tally [fold, ...]."""
        whole = folds(tally)
        self.values |= {name: metric(whole) for name, metric in wanted.items()}
        self.counts |= {name: (metric, tally) for name, metric in wanted.items()}

    def estimate(self, name: str) -> Estimate:
        """Value and standard error, nan where too few can tell (`sim.measure.reliability`)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            value, error = jackknife(self.values[name])
            return Estimate(value, reliable(*self.counts[name], error) if name in self.counts else error)


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
    for name, part, keep in groups(panel, settings):
        found[name] = measured(part, fold[keep])
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
            return Measured(one_firm(panel, fold))
        return _of_provider(panel, fold) if panel.provider else _of_repertoire(panel, fold)


def _of_repertoire(panel: Panel, fold: Array) -> Measured:
    found = Measured()
    whole = pooled(tally(panel, fold=fold))
    found.add(COUNTED, whole)
    s = concentrations(purchase_counts(panel), fold, panel.weights)
    found.values["excess"] = found.values["stickiness"] - (1 / (1 + s))[:, None]
    found.values["own_ratio_lift"] = found.values["own_ratio"] / chance_ratio_by_fold(panel, fold)
    found.counts["own_ratio_lift"] = found.counts["own_ratio"]
    if panel.quantity is not None:
        found.values["unit_share"] = unit_share(panel, fold)
    if panel.ordered:
        found.add(IN_ORDER, whole)
        after = second_part(panel, fold)
        found.add(AFTER, after)
        found.values |= {name: _aligned(found.values[name], panel, fold) for name in AFTER}
        found.add(MARKET_IN_ORDER, whole)
    found.add(MARKET, whole)
    found.values |= {"dirichlet_phi": 1 / (1 + s), "concentration": s}
    if panel.members:
        found.add({"category_penetration": metrics.category_penetration}, whole)
        found.values["category_shape"] = category_shape(panel, fold)
    return found


def _aligned(each: Array, panel: Panel, fold: Array) -> Array:
    """The values of `second_part` with a row for every fold: one without such households leaves out nobody."""
    many = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    every, some = np.unique(fold), np.unique(fold[many])
    rows = np.zeros(1 + len(every), np.int64)
    rows[1 + np.searchsorted(every, some)] = 1 + np.arange(len(some))
    return each[rows]


def _of_provider(panel: Panel, fold: Array) -> Measured:
    found = Measured()
    counts = provider_tally(panel, fold)
    found.add(PROVIDER | {"ever_switched": metrics.ever_switched}, counts)
    whole = folds(counts)
    known = whole.transitions[..., 1:, 1:]
    found.values["switched"] = 1 - np.trace(known, axis1=-2, axis2=-1) / known.sum(axis=(-2, -1))
    stays = whole.tenure.sum(axis=-3)
    for b, first in enumerate(TENURE):
        if first and stays[0, b].sum() > 0:
            found.values[f"retention_from_{first}"] = stays[:, b, 0] / stays[:, b].sum(axis=-1)
    return found


def second_part(panel: Panel, fold: Array | None = None) -> Tally:
    """The last 30 % of the purchases of households with 4 or more, with who was a customer in the first 70 %."""
    fold = fold_of(panel) if fold is None else fold
    keep = np.bincount(panel.hh, minlength=len(panel.households)) >= FEWEST
    part = select_households(panel, keep)
    if not len(part.households):
        return pooled(tally(part, fold=fold[keep]))
    both = estimates.by_window(tally(part, after_start(part), fold[keep]))
    names = ("window", "both", "buyers", "transitions", "faithful", "standing")
    return both._replace(**{name: getattr(both, name)[:, -1] for name in names})
