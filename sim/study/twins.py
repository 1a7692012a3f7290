"""Twins, or common random numbers: the same people with the same draws in two runs, to measure what a change does.

Whoever the change does not touch draws the same numbers in both runs, so a difference has a far smaller error than
either run. Presence is solved once, for the scenario as it stands, and held in both.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sim.compute.html import html_table, with_error
from sim.engine.loop import Run
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate, Metric
from sim.measure.groups import groups
from sim.measure.reliability import MIN_GROUPS
from sim.measure.tally import Tally
from sim.model.declare import ScenarioError, did_you_mean, leaves
from sim.model.fields import Scenario
from sim.model.scenario import change, to_dict
from sim.study import fates
from sim.study.calibrate_shares import calibrate_shares
from sim.study.fork import simulate_both

SHARED = ("seed", "replications", "people", "weeks", "burn_in", "window", "cells")  # in which twins cannot differ
SHOWN = 3  # values that differ, in the line that stands for twins
WEEKLY = ("flow", "event", "news")  # counters with an axis of weeks
By = Callable[[Tally, Sequence[int]], Tally]  # tally and cells -> counts with axes [group, ...]


@dataclass
class Twins:
    """Two runs of the same people with the same draws: the scenario as it is, and changed."""

    control: Run
    changed: Run

    def __repr__(self) -> str:
        """One line: the control, and which values differ."""
        control, changed = ({p: v for p, v, _ in leaves(run.scenario)} for run in (self.control, self.changed))
        differ = [p for p in {**control, **changed} if control.get(p) != changed.get(p)]
        shown = [f"{p} {control.get(p)} -> {changed.get(p)}" for p in differ[:SHOWN]]
        more = [f"{len(differ) - SHOWN} more"] if len(differ) > SHOWN else []
        return f"<Twins of {self.control.scenario!r}; {', '.join([*shown, *more]) or 'no difference'}>"

    def _repr_html_(self) -> str:
        """What the change did to share and stickiness of each firm, as a notebook shows it."""
        provider = self.control.scenario.market.regime == "provider"
        chosen = (metrics.share, metrics.firm_metrics(provider)["stickiness"])
        cells = ([with_error(*pair) for pair in zip(*self.difference(m), strict=True)] for m in chosen)
        heads = ["firm", "change of share", "change of stickiness"]
        return html_table(repr(self), heads, zip(self.control.scenario.firms, *cells, strict=True))

    def table(self) -> pd.DataFrame:
        """Changed minus control for every metric of a firm: group, firm, metric, value, error; a row each.

        Groups are everybody, each segment and each cohort; errors are paired, and nan where too few can tell.
        """
        s, rows = self.control.scenario, []
        for group, cells in groups(s).items():
            counts = estimates.pooled(self.control.tally, cells), estimates.pooled(self.changed.tally, cells)
            for name, metric in metrics.firm_metrics(s.market.regime == "provider").items():
                found = self._difference(metric, counts, estimates.pooled)
                rows += [(group, firm, name, *pair) for firm, *pair in zip(s.firms, *found, strict=True)]
        return pd.DataFrame(rows, columns=["group", "firm", "metric", "value", "error"])

    def difference(self, metric: Metric, segment: str = "", by: By = estimates.pooled) -> Estimate:
        """Changed minus control for everybody or a segment, with its paired error (over people and replications).

        Over all weeks [j]; with `by=estimates.weekly` for each week [t, j] or `by=spells(...)` for each spell of weeks,
        if the metric reads weekly counts; with `by=estimates.by_window` for each window [w, j]. The error is nan where
        the runs differ in too few groups of people to tell (fewer than MIN_GROUPS), and 0 up to where they differ.

        >>> from sim import build
        >>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
        >>> base = build({"people": 600, "weeks": 26, "segments": {"all": {}}, "firms": firms})
        >>> value, error = twins(base, {"firms.a.quality": 1.0}).difference(metrics.share)
        >>> bool(value[0] > 2 * error[0] > 0)
        True
        """
        return self._difference(metric, self._counts(segment, by), by)

    def relative(self, metric: Metric, segment: str = "", by: By = estimates.pooled) -> Estimate:
        """Changed over control, less 1, with its paired error; otherwise as `difference`."""
        counts = self._counts(segment, by)
        control, changed = map(estimates.folds, counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            value, error = estimates.jackknife(metric(changed) / metric(control) - 1)
        return Estimate(value, self._reliable(metric, counts, by, error))

    def variance_saved(self, metric: Metric, segment: str = "", by: By = estimates.pooled) -> Array:
        """Share of the variance of a difference that common random numbers save, against two other seeds."""
        counts = self._counts(segment, by)
        alone = sum(estimates.estimate(metric, c).error ** 2 for c in counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            saved: Array = 1 - self.difference(metric, segment, by).error ** 2 / alone
        return saved

    def people(self, week: int | None = None) -> pd.DataFrame:
        """What became of each person: replication, number, segment, cohort, firm, fate, came_back; a row a person.

        `firm` is that of the last use when `week` opened in the control; by default the week from which the runs
        differ, so that pasts are the same. With it at the end: `stays` in both runs, `leaves_anyway` in neither,
        `leaves_because` only in the control, `stays_because` only in the changed run. `came_back`: stays in both,
        and was elsewhere, as a week closed, in the changed run only. Simulates both again.
        """
        return fates.people(self.control.scenario, self.changed.scenario, week)

    def leavers(self, week: int | None = None, segment: str = "") -> pd.DataFrame:
        """Who left because of the change, who would have left anyway, who came back: firm, fate, people, share, error.

        The fates of `people` counted, of everybody or a segment. Those of a firm who `were` its customers are in one of
        `stays`, `leaves_anyway`, `leaves_because`, `stays_because`; `came_back` is a part of `stays`. Shares of
        `were`, errors over people and replications, nan where too few met a fate, or escaped it, to tell.
        """
        self._cells(segment)
        return fates.leavers(self.control.scenario, self.people(week), segment)

    def over(self, metric: Metric, cells: Sequence[int], by: By) -> Estimate:
        """As `difference`, of any cells."""
        return self._difference(metric, (by(self.control.tally, cells), by(self.changed.tally, cells)), by)

    def _difference(self, metric: Metric, counts: tuple[Tally, Tally], by: By) -> Estimate:
        value, error = estimates.difference(metric, *counts)
        return Estimate(value, self._reliable(metric, counts, by, error))

    def _reliable(self, metric: Metric, counts: tuple[Tally, Tally], by: By, error: Array) -> Array:
        """The error of a difference, nan where it rests on too few groups of people.

        What a handful of people did has an error as uncertain as they are few: in a breach at a bank with 2,000 people
        the intervals of rivals held the mean of 160 replications in .41 to .71, and nobody having moved is +- 0.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            ours, theirs = map(metric, counts)
        differing = ((ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs))).sum(axis=0)
        alike = self._alike(by)
        if alike.ndim:
            with np.errstate(divide="ignore", invalid="ignore"):
                series = error.ndim >= metric(estimates.pooled(self.control.tally)).ndim
            alike = alike.reshape(-1, *(1,) * (error.ndim - 1)) if series else alike[-1]
        reliable: Array = np.where(alike | (differing >= MIN_GROUPS), error, np.nan)
        return reliable

    def _alike(self, by: By) -> Array:
        """Whether nothing at all differs between the runs up to the end of each week, window or spell of `by`."""
        ours, theirs, s = self.control.tally, self.changed.tally, self.control.scenario
        alike = np.ones(s.weeks + 1, bool)
        for name in WEEKLY:
            a, b = getattr(ours, name), getattr(theirs, name)
            both = min(a.shape[3], b.shape[3])  # scandals of both runs; nobody must have heard of the others
            same = a[:, :, :, :both] == b[:, :, :, :both]
            alone = a[:, :, :, both:].any(axis=(0, 2, 3, 4)) | b[:, :, :, both:].any(axis=(0, 2, 3, 4))
            alike[1:] &= same.all(axis=(0, 2, 3, 4)) & ~alone
        alike = np.logical_and.accumulate(alike)
        if by is estimates.weekly:
            return alike[1:]
        if by is estimates.by_window:
            return alike[s.window :: s.window]
        ends = getattr(by, "ends", None)
        return alike[-1:].reshape(()) if ends is None else alike[list(ends)]

    def _counts(self, segment: str, by: By) -> tuple[Tally, Tally]:
        cells = self._cells(segment)
        return by(self.control.tally, cells), by(self.changed.tally, cells)

    def _cells(self, segment: str) -> list[int]:
        check_known("segment", [segment] if segment else [], self.control.scenario.segments)
        return [n for n, (s, _) in enumerate(self.control.scenario.cells) if segment in ("", s)]


def twins(scenario: Scenario, changes: dict[str, object]) -> Twins:
    """Run the scenario, and the same people with the same draws after `changes` (dotted path: value).

    Raises ScenarioError for changes after which people or weeks are not the same, and for a share: presence is held.
    """
    control, shares = calibrate_shares(scenario)
    changed = change(control, changes)
    wrong = [f"{n}: twins cannot differ in it" for n in SHARED if getattr(control, n) != getattr(changed, n)]
    if list(control.firms) != list(changed.firms):
        wrong.append("firms: twins have the same; for one that comes or not set firms.NAME.enters")
    wrong += [f"firms.{n}.share: twins keep presence; change that" for n, f in changed.firms.items() if f.share]
    if wrong:
        raise ScenarioError(wrong)
    found = Twins(*simulate_both(control, changed, fates.first_difference(control, changed)))
    found.control.shares = shares
    return found


def with_and_without_events(scenario: Scenario) -> Twins:
    """Run the scenario without its scandals and moves (the control), and with them."""
    events = {name: to_dict(scenario)[name] for name in ("scandals", "moves")}
    return twins(change(scenario, {"scandals": {}, "moves": {}}), events)


def spells(*edges: int) -> By:
    """As `estimates.weekly`, but the weekly counts are summed from each of the weeks `edges` to the next, [w, ...]."""

    def by(tally: Tally, cells: Sequence[int]) -> Tally:
        weekly = estimates.weekly(tally, cells)
        sums = {n: np.add.reduceat(getattr(weekly, n)[:, : edges[-1]], edges[:-1], axis=1) for n in WEEKLY}
        return weekly._replace(**sums)

    setattr(by, "ends", edges[1:])  # noqa: B010
    return by


def check_known(what: str, names: Iterable[str], members: Iterable[str]) -> None:
    """ScenarioError unless all names are among the members."""
    wrong = [f"{what}: {name!r} is none{did_you_mean(name, members)}" for name in names if name not in members]
    if wrong:
        raise ScenarioError(wrong)
