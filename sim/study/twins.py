"""The same people with the same draws in two worlds: what a change does, to every firm, segment, week and person.

Whoever the change does not touch draws the same numbers in both, so a difference has a far smaller error than either
world. Presence is solved once, for the scenario as it stands, and held in both.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from sim.engine.loop import Run, Shard, advance, initialize, simulate
from sim.measure import estimates
from sim.measure.estimates import Array, Estimate, Metric
from sim.measure.reliability import MIN_GROUPS
from sim.measure.tally import FOLDS, Tally
from sim.model.declare import ScenarioError, did_you_mean, leaves
from sim.model.fields import Scenario
from sim.model.scenario import change, to_dict
from sim.study.calibrate_shares import calibrate_shares

SHARED = ("seed", "replications", "people", "weeks", "burn_in", "window", "cells")  # in which twins cannot differ
SHOWN = 3  # values that differ, in the line that stands for twins
By = Callable[[Tally, Sequence[int]], Tally]


@dataclass
class Twins:
    """Two runs of the same people with the same draws: the scenario as it is, and changed."""

    control: Run
    changed: Run

    def __repr__(self) -> str:
        """One line: the control, and which values differ."""
        control, changed = ({p: v for p, v, _ in leaves(run.scenario)} for run in (self.control, self.changed))
        apart = [p for p in {**control, **changed} if control.get(p) != changed.get(p)]
        told = [f"{p} {control.get(p)} -> {changed.get(p)}" for p in apart[:SHOWN]]
        more = [f"{len(apart) - SHOWN} more"] if len(apart) > SHOWN else []
        return f"<Twins of {self.control.scenario!r}; {', '.join([*told, *more]) or 'no difference'}>"

    def difference(self, metric: Metric, segment: str = "", by: By = estimates.pooled) -> Estimate:
        """Changed minus control for everybody or a segment, with its paired error (people and replications).

        Over all weeks [j]; with `by=estimates.weekly` for each week [t, j] or `by=spells(...)` for each spell of weeks,
        if the metric reads weekly counts; with `by=estimates.by_window` for each window [w, j]. The error is nan where
        the worlds differ in too few groups of people to tell (fewer than MIN_GROUPS), and 0 up to where they differ.
        """
        counts = self._counts(segment, by)
        value, error = estimates.difference(metric, *counts)
        return Estimate(value, self._told(metric, counts, by, error))

    def relative(self, metric: Metric, segment: str = "", by: By = estimates.pooled) -> Estimate:
        """Changed over control, less 1, with its paired error; otherwise as `difference`."""
        counts = self._counts(segment, by)
        control, changed = map(estimates.folds, counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            value, error = estimates.jackknife(metric(changed) / metric(control) - 1)
        return Estimate(value, self._told(metric, counts, by, error))

    def variance_saved(self, metric: Metric, segment: str = "", by: By = estimates.pooled) -> Array:
        """Share of the variance of a difference that the common draws save, against a world of its own seed each."""
        counts = self._counts(segment, by)
        alone = sum(estimates.estimate(metric, c).error ** 2 for c in counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            saved: Array = 1 - self.difference(metric, segment, by).error ** 2 / alone
        return saved

    def people(self, week: int | None = None) -> pd.DataFrame:
        """Who met which fate: replication, number, segment, cohort, firm, fate, came_back; a row a person.

        `firm` is that of the last use when `week` opened in the control; by default the week from which the worlds
        differ, so that pasts are the same. With it at the end: `stays` in both worlds, `leaves_anyway` in neither,
        `leaves_because` only in the control, `stays_because` only in the changed world. `came_back`: stays in both,
        and was elsewhere, as a week closed, in the changed world only. Lives both worlds again.
        """
        worlds = self.control.scenario, self.changed.scenario
        week = _turn(*worlds) if week is None else week
        runs = range(worlds[0].replications)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            lived = [pool.map(partial(_path, world, week), runs) for world in worlds]
            fates = [_fates(worlds[0], r, *pair) for r, pair in enumerate(zip(*lived, strict=True))]
        return pd.concat(fates, ignore_index=True)

    def leavers(self, week: int | None = None, segment: str = "") -> pd.DataFrame:
        """Who left because of the change, who would have left anyway, who came back: firm, fate, people, share, error.

        The fates of `people` counted, of everybody or a segment. Those of a firm who `were` its customers are in one of
        `stays`, `leaves_anyway`, `leaves_because`, `stays_because`; `came_back` is a part of `stays`. Shares of
        `were`, errors over people and replications, nan where too few met a fate, or escaped it, to tell.
        """
        self._cells(segment)
        everybody, rows = self.people(week), []
        there = (everybody["segment"] == segment) | (segment == "")
        fold = _folds(everybody, self.control.scenario)
        for firm in self.control.scenario.firms:
            home = there & (everybody["firm"] == firm)
            met = {"were": home, **{fate: home & (everybody["fate"] == fate) for fate in FATES}}
            met["came_back"] = home & everybody["came_back"]
            were = _left_out(met["were"], fold)
            for fate, who in met.items():
                people = _left_out(who, fold)
                with np.errstate(invalid="ignore"):
                    share, error = map(float, estimates.jackknife(people / were))
                few = fate != "were" and min(_groups(who, fold), _groups(home & ~who, fold)) < MIN_GROUPS
                rows.append((firm, fate, people[0], share, np.nan if few else error))
        return pd.DataFrame(rows, columns=["firm", "fate", "people", "share", "error"])

    def _told(self, metric: Metric, counts: tuple[Tally, Tally], by: By, error: Array) -> Array:
        """The error of a difference, nan where it rests on too few groups of people.

        What a handful of people did has an error as chancy as they are: in a breach at a bank with 2,000 people the
        intervals of rivals held the mean of 160 replications in .41 to .71, and nobody having moved is +- 0.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            ours, theirs = map(metric, counts)
        apart = ((ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs))).sum(axis=0)
        alike = self._alike(by)
        if alike.ndim:
            with np.errstate(divide="ignore", invalid="ignore"):
                series = error.ndim >= metric(estimates.pooled(self.control.tally)).ndim
            alike = alike.reshape(-1, *(1,) * (error.ndim - 1)) if series else alike[-1]
        told: Array = np.where(alike | (apart >= MIN_GROUPS), error, np.nan)
        return told

    def _alike(self, by: By) -> Array:
        """Whether nothing at all differs between the worlds up to the end of each week, window or spell of `by`."""
        ours, theirs, s = self.control.tally, self.changed.tally, self.control.scenario
        alike = np.ones(s.weeks + 1, bool)
        for name in ("flow", "event", "news"):
            a, b = getattr(ours, name), getattr(theirs, name)
            most = min(a.shape[3], b.shape[3])  # scandals that both have; of others nobody must have heard
            same = a[:, :, :, :most] == b[:, :, :, :most]
            alone = a[:, :, :, most:].any(axis=(0, 2, 3, 4)) | b[:, :, :, most:].any(axis=(0, 2, 3, 4))
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
        known("segment", [segment] if segment else [], self.control.scenario.segments)
        return [n for n, (s, _) in enumerate(self.control.scenario.cells) if segment in ("", s)]


def twins(scenario: Scenario, changes: dict[str, object]) -> Twins:
    """Live the scenario, and the same people with the same draws after `changes` (dotted path: value)."""
    control, shares = calibrate_shares(scenario)
    changed = change(control, changes)
    wrong = [f"{n}: twins cannot differ in it" for n in SHARED if getattr(control, n) != getattr(changed, n)]
    if list(control.firms) != list(changed.firms):
        wrong.append("firms: twins have the same; one that enters costs 10 until a move sets its own price")
    wrong += [f"firms.{n}.share: twins keep presence; change that" for n, f in changed.firms.items() if f.share]
    if wrong:
        raise ScenarioError(wrong)
    with ThreadPoolExecutor(2) as pool:
        found = Twins(*pool.map(simulate, (control, changed)))
    found.control.shares = shares
    return found


def story(scenario: Scenario) -> Twins:
    """Live the scenario without its scandals and moves, and with them."""
    told = to_dict(scenario)
    return twins(change(scenario, {"scandals": {}, "moves": {}}), {n: told[n] for n in ("scandals", "moves")})


def spells(*edges: int) -> By:
    """As `estimates.weekly`, but the weekly counts are summed from each of the weeks `edges` to the next, [w, ...]."""

    def by(tally: Tally, cells: Sequence[int]) -> Tally:
        weekly = estimates.weekly(tally, cells)
        sums = {
            n: np.add.reduceat(getattr(weekly, n)[:, : edges[-1]], edges[:-1], axis=1)
            for n in ("flow", "event", "news")
        }
        return weekly._replace(**sums)

    setattr(by, "ends", edges[1:])  # noqa: B010
    return by


FATES = ("leaves_anyway", "leaves_because", "stays_because", "stays")


def known(what: str, names: Iterable[str], members: Iterable[str]) -> None:
    """ScenarioError unless all names are among the members."""
    wrong = [f"{what}: {name!r} is none{did_you_mean(name, members)}" for name in names if name not in members]
    if wrong:
        raise ScenarioError(wrong)


def _turn(control: Scenario, changed: Scenario) -> int:
    """The week of the first event that is not in both; 0 if more than events differ."""
    if replace(changed, scandals=control.scandals, moves=control.moves) != control:
        return 0
    ours, theirs = ({**s.moves, **{("scandal", n): e for n, e in s.scandals.items()}} for s in (control, changed))
    return min((e[n].week for e in (ours, theirs) for n in e if ours.get(n) != theirs.get(n)), default=0)


def _path(scenario: Scenario, first: int, replication: int) -> tuple[Array, Array]:
    """The firm used last when each week from `first` on opens, and at the end [t, i], and everybody's cell [i]."""
    parts = initialize(scenario, replication)
    path: list[Array] = []
    for week in range(-scenario.burn_in, scenario.weeks):
        if week >= first:
            path.append(_standing(parts[0])[0])
        advance(parts)
    last, cell = _standing(parts[0])
    return np.array([*path, last]), cell


def _standing(shard: Shard) -> tuple[Array, Array]:
    """The firm used last and the cell of everybody by number: all that twins know of how rows of people are kept."""
    return shard.people.one["last"].copy(), shard.people.cell.copy()


def _fates(s: Scenario, replication: int, control: tuple[Array, Array], changed: tuple[Array, Array]) -> pd.DataFrame:
    """The rows of `Twins.people` of one replication, from the paths [t, i] in the two worlds; -1 = no firm yet."""
    (ours, cell), (theirs, _) = control, changed
    home = ours[0]
    kept, still = ours[-1] == home, theirs[-1] == home
    strays, strayed = (ours != home).any(axis=0), (theirs != home).any(axis=0)
    segments, cohorts = (np.array(names)[cell] for names in zip(*s.cells, strict=True))
    columns = {
        "replication": replication,
        "number": np.arange(len(home)),
        "segment": segments,
        "cohort": cohorts,
        "firm": np.array([*s.firms, ""])[home],
        "fate": np.array(FATES)[kept + 2 * still],
        "came_back": kept & still & strayed & ~strays,
    }
    return pd.DataFrame(columns)


def _folds(people: pd.DataFrame, s: Scenario) -> Array:
    """The fold of each person: the group of the tally and the replication."""
    starts = np.unique(np.arange(FOLDS) * s.people // FOLDS)
    group = np.searchsorted(starts, people["number"], side="right") - 1
    fold: Array = people["replication"].to_numpy() * len(starts) + group
    return fold


def _groups(met: pd.Series, fold: Array) -> int:
    """How many folds have somebody who met it."""
    return len(np.unique(fold[met.to_numpy()]))


def _left_out(met: pd.Series, fold: Array) -> Array:
    """Counts of everybody, then of all but each fold."""
    counts = np.bincount(fold, met, fold[-1] + 1)
    return np.array([counts.sum(), *(counts.sum() - counts)])
