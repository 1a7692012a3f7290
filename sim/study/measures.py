"""What is kept of each run of a study: which metrics, of which groups of people, in total, by window or by week."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np

from sim.measure.estimates import estimate_each, pooled, weekly
from sim.measure.groups import groups as groups_of
from sim.measure.metrics.table import OF_PRESENCE, with_presence
from sim.measure.registry import METRICS, MetricInfo
from sim.measure.tally import WEEKLY, WINDOWED, Metric, Tally
from sim.model.declare import did_you_mean
from sim.model.fields import Scenario

if TYPE_CHECKING:
    from sim.engine.loop import Run

Keep = Literal["totals", "windows", "weekly"]
TIME = {"weekly": "week", "windows": "window"}  # the column of a study that says when


class Measure(NamedTuple):
    """What a study keeps: names of metrics (none: those of every table), groups of people, and over which time."""

    metrics: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("all",)
    keep: Keep = "totals"

    @property
    def columns(self) -> list[str]:
        """The columns that tell the rows of one run apart."""
        return [*(["group"] if self.groups != ("all",) else []), *([TIME[self.keep]] if self.keep in TIME else [])]


class Figures(NamedTuple):
    """What was measured of a run: a column for each metric and error, a row for each group and time."""

    columns: tuple[str, ...]
    rows: np.ndarray  # [row, column] float64


def complaints_of(measure: Measure, scenarios: Sequence[Scenario]) -> list[str]:
    """What is wrong with it for any of the scenarios."""
    wrong = []
    if measure.keep not in get_args(Keep):
        wrong.append(f"keep: {measure.keep!r} is not known{did_you_mean(measure.keep, get_args(Keep))}")
    weekly = {i.name for i in METRICS if i.per == "week"}
    names = list(dict.fromkeys(i.name for i in METRICS))
    for name in measure.metrics:
        if name not in names:
            wrong.append(f"metrics: {name!r} is none{did_you_mean(name, names)}")
        elif measure.keep == "weekly" and name not in weekly:
            wrong.append(f'metrics: {name!r} needs a whole window; keep="windows" has it, or ask for {_or(weekly)}')
    for s in scenarios:
        known = groups_of(s)
        wrong += [f"groups: {g!r} is none{did_you_mean(g, known)}" for g in measure.groups if g not in known]
        if measure.keep == "windows" and s.weeks < s.window:
            wrong.append(f"keep: there is no whole window of {s.window} weeks in {s.weeks}")
    twice = [*_twice("metrics", measure.metrics), *_twice("groups", measure.groups)]
    return list(dict.fromkeys(wrong + twice + ([] if measure.groups else ["groups: none"])))


def _or(names: set[str]) -> str:
    return ", ".join(i for i in dict.fromkeys(i.name for i in METRICS) if i in names)


def _twice(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what}: {n!r} stands there twice" for k, n in enumerate(names) if n in names[:k]]


def labels(measure: Measure, scenario: Scenario) -> list[tuple[object, ...]]:
    """What stands in `measure.columns` for each row of a run."""
    times = {"weekly": scenario.weeks, "windows": scenario.weeks // scenario.window}.get(measure.keep)
    of_group = [(g,) if "group" in measure.columns else () for g in measure.groups]
    return [(*g, *t) for g in of_group for t in ([()] if times is None else [(n,) for n in range(times)])]


def measured(run: "Run", measure: Measure | None = None) -> Figures:
    """Each metric of a run with its standard error over its people (and replications)."""
    measure, s = measure or Measure(), run.scenario
    cells, firms, rows = groups_of(s), list(s.firms), []
    chosen = metrics_of(measure, s)
    columns = [c for info in chosen for name in _names(info, firms) for c in (name, f"{name}.error")]
    for group in measure.groups:
        everybody = len(cells[group]) == len(s.cells)
        parts = _parts(run.tally, measure.keep, None if everybody else cells[group], s)
        rows += [_rows(part, chosen, run, measure.keep == "weekly") for part in parts]
    return Figures(tuple(columns), np.concatenate(rows))


def metrics_of(measure: Measure, scenario: Scenario) -> dict[MetricInfo, Metric]:
    """The metrics that a scenario has of those asked for, in the order in which they were, or are declared."""
    regime = scenario.market.regime
    there = {i: f for i, f in METRICS.items() if i.regime in (regime, "both")}
    if measure.metrics:
        by_name = {i.name: i for i in there}
        return {by_name[name]: there[by_name[name]] for name in measure.metrics if name in by_name}
    kept = {i: f for i, f in there.items() if i.table and (measure.keep != "weekly" or i.per == "week")}
    return dict(sorted(kept.items(), key=lambda item: item[0].of == "market"))


def _names(info: MetricInfo, firms: Sequence[str]) -> list[str]:
    return [f"{info.name}.{firm}" for firm in firms] if info.of == "firm" else [info.name]


def _parts(tally: Tally, keep: Keep, cells: Sequence[int] | None, s: Scenario) -> list[Tally]:
    """The counts of some cells: of the whole run, of each window, or of all weeks in one with an axis of weeks."""
    if keep == "weekly":
        return [weekly(tally, cells)]
    if keep == "totals":
        return [pooled(tally, cells)]
    return [pooled(_window(tally, w, s.window), cells) for w in range(s.weeks // s.window)]


def _window(tally: Tally, window: int, weeks: int) -> Tally:
    """The counts of one window."""
    of_weeks = {name: getattr(tally, name)[:, window * weeks : (window + 1) * weeks] for name in WEEKLY}
    of_window = {name: getattr(tally, name)[:, window : window + 1] for name in WINDOWED}
    return tally._replace(**of_weeks, **of_window)


def _rows(counts: Tally, chosen: dict[MetricInfo, Metric], run: "Run", by_week: bool) -> np.ndarray:
    """[row, column] value and error of each metric, in turn."""
    lines, firms = counts.flow.shape[1] if by_week else 1, list(run.scenario.firms)
    if not chosen:
        return np.zeros((lines, 0))
    found = estimate_each(list(chosen.values()), counts)
    if run.shares:
        for n, info in enumerate(chosen):
            found[n] = with_presence(found[n], firms, run.shares) if info.name in OF_PRESENCE else found[n]
    value, error = (np.concatenate([a.reshape(lines, -1) for a in of], axis=1) for of in zip(*found, strict=True))
    return np.stack([value, error], axis=-1).reshape(lines, -1)
