"""What stickiness is made of: the same people with the same draws in worlds that differ in one thing, or in many.

`twins` live two worlds, `captive` says what the friction of leaving holds, and `anatomy` shares stickiness out over the
mechanisms. Presence is solved once, for the scenario as it stands, and held in every world.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from sim import metrics
from sim.declare import did_you_mean
from sim.engine import Run, advance, begin, settle, simulate
from sim.metrics import Array, Estimate, Metric
from sim.scenario import Mechanisms, Scenario, ScenarioError, change
from sim.tally import GROUPS, Tally
from sim.world import make_world

ALL = tuple(f.name for f in fields(Mechanisms))
SHARED = ("seed", "replications", "people", "weeks", "burn_in", "window", "cells")  # in which twins cannot differ
Coalition = frozenset[str]
Plan = list[tuple[float, str, Coalition]]  # with which weight which mechanism joins those already on


@dataclass
class Twins:
    """Two runs of the same people with the same draws: the scenario as it is, and changed."""

    control: Run
    changed: Run

    def difference(
        self, metric: Metric, segment: str = "", by: Callable[[Tally, Sequence[int]], Tally] = metrics.pooled
    ) -> Estimate:
        """Changed minus control for everybody or a segment, with its paired error (people and replications).

        Over all weeks [j]; with `by=metrics.weekly` for each week [t, j], if the metric reads weekly counts; with
        `by=metrics.by_window` for each window [w, j].
        """
        _known("segment", [segment] if segment else [], self.control.scenario.segments)
        cells = [n for n, (s, _) in enumerate(self.control.scenario.cells) if segment in ("", s)]
        return metrics.difference(metric, by(self.control.tally, cells), by(self.changed.tally, cells))

    def leavers(self, week: int | None = None) -> pd.DataFrame:
        """Who left because of the change, who would have left anyway, who came back: firm, fate, people, share, error.

        Of those whose last use was at firm j when `week` opened in the control; by default the week from which the
        worlds differ, so that their pasts are the same. With j at the end are, of those who `were`: `stays` in both
        worlds, `leaves_anyway` in neither, `leaves_because` only in the control, `stays_because` only in the changed
        world; the four sum to `were`. `came_back`, a part of `stays`: ever elsewhere, as a week closed, in the changed
        world only. Shares of `were`, errors over people and replications. Lives both worlds again.
        """
        worlds = self.control.scenario, self.changed.scenario
        week = _turn(*worlds) if week is None else week
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            paths = [[*pool.map(partial(_path, s), range(s.replications))] for s in worlds]
        control, changed = (np.array(lived)[:, week:] for lived in paths)
        home, rows, fates = control[:, 0], [], _fates(control, changed)
        for j, firm in enumerate(worlds[0].firms):
            were = _by_fold(home == j)
            for fate, met in fates.items():
                people = _by_fold(met & (home == j))
                with np.errstate(invalid="ignore"):
                    rows.append((firm, fate, people[0], *map(float, metrics.jackknife(people / were))))
        return pd.DataFrame(rows, columns=["firm", "fate", "people", "share", "error"])


def twins(scenario: Scenario, changes: dict[str, object]) -> Twins:
    """Live the scenario, and the same people with the same draws after `changes` (dotted path: value)."""
    control, shares = settle(scenario)
    changed = change(control, changes)
    wrong = [f"{n}: twins cannot differ in it" for n in SHARED if getattr(control, n) != getattr(changed, n)]
    if list(control.firms) != list(changed.firms):
        wrong.append("firms: twins have the same; let one enter, or go, by a move of its presence")
    wrong += [f"firms.{n}.share: twins keep presence; change that" for n, f in changed.firms.items() if f.share]
    if wrong:
        raise ScenarioError(wrong)
    with ThreadPoolExecutor(2) as pool:
        found = Twins(*pool.map(simulate, (control, changed)))
    found.control.shares = shares
    return found


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    wrong = [f"{what}: {name!r} is none{did_you_mean(name, known)}" for name in names if name not in known]
    if wrong:
        raise ScenarioError(wrong)


def _turn(control: Scenario, changed: Scenario) -> int:
    """The week of the first event that is not in both; 0 if more than events differ."""
    if replace(changed, scandals=control.scandals, moves=control.moves) != control:
        return 0
    ours, theirs = ({**s.moves, **{("scandal", n): e for n, e in s.scandals.items()}} for s in (control, changed))
    return min((e[n].week for e in (ours, theirs) for n in e if ours.get(n) != theirs.get(n)), default=0)


def _path(scenario: Scenario, replication: int) -> Array:
    """[t, i] the firm used last when week t opens, and at the end; -1 = none yet."""
    lives, path = begin(scenario, replication), []
    for week in range(-scenario.burn_in, scenario.weeks):
        if week >= 0:
            path.append(lives[0].people.one["last"].copy())
        advance(lives)
    return np.array([*path, lives[0].people.one["last"]])


def _fates(control: Array, changed: Array) -> dict[str, Array]:
    """[r, i] who met which fate, from the firms used last [r, t, i] in the two worlds."""
    stays, still = (path[:, -1] == control[:, 0] for path in (control, changed))
    strays, strayed = ((path != control[:, :1]).any(axis=1) for path in (control, changed))
    left = {"leaves_anyway": ~stays & ~still, "leaves_because": stays & ~still, "stays_because": ~stays & still}
    return {"were": stays | True, "stays": stays & still, **left, "came_back": still & strayed & ~strays}


def _by_fold(met: Array) -> Array:
    """Counts of [r, i]: of everybody, then of all but each group of people (as in the tally) and replication."""
    counts = np.add.reduceat(met.astype(int), np.unique(np.arange(GROUPS) * met.shape[1] // GROUPS), axis=1).ravel()
    return np.array([counts.sum(), *(counts.sum() - counts)])


def index(scenario: Scenario) -> Metric:
    """The stickiness index sigma of the market's regime: over pairs of uses, or over the lag of a window."""
    return metrics.firm_metrics(scenario.market.regime == "provider")["stickiness"]


def captive(scenario: Scenario) -> pd.DataFrame:
    """Firm, part, value, error: the `index`; `free`, if leaving took no trouble and no time; `captive`, the rest."""
    pair, metric = twins(scenario, {"mechanisms.friction": False}), index(scenario)
    whole, free = (metrics.estimate(metric, metrics.pooled(run.tally)) for run in (pair.control, pair.changed))
    parts = {"index": whole, "free": free, "captive": Estimate(whole.value - free.value, pair.difference(metric).error)}
    rows = [(firm, p, e.value[j], e.error[j]) for j, firm in enumerate(scenario.firms) for p, e in parts.items()]
    return pd.DataFrame(rows, columns=["firm", "part", "value", "error"])


def anatomy(
    scenario: Scenario, mechanisms: Sequence[str] = ALL, permutations: int = 8, firm: str = "", workers: int = 0
) -> pd.DataFrame:
    """Shapley shares of the stickiness index: firm, mechanism, value, error, error_people, error_orders.

    A mechanism's share is what it adds when it joins those already on, mean over all orders of joining (Shapley 1953);
    those not in `mechanisms` stay as they are. `chance` is the index with all of them off, `stickiness` that of the
    scenario, which the shares and chance sum to. What cannot matter gets 0. If n can and 2^n <= `permutations` x n, all
    coalitions are lived; else orders are drawn (Castro, Gomez & Tejada 2009), each with its reverse. `error_people` is
    the jackknife over people and replications for these orders, `error_orders` the standard error over pairs of orders
    (0 if all), `error` the root of their squares' sum. `workers` 0 = all processors.
    """
    _known("mechanisms", mechanisms, ALL)
    _known("firm", [firm] if firm else [], scenario.firms)
    base = settle(scenario)[0]

    def world(coalition: Coalition) -> Scenario:
        off = {m: False for m in mechanisms if m not in coalition}
        return replace(base, mechanisms=replace(base.mechanisms, **off))

    players = [m for m in mechanisms if _key(world(frozenset(mechanisms) - {m})) != _key(base)]
    plans = _plans(players, permutations, base.seed)
    needed = {c for plan in plans for _, m, before in plan for c in (before, before | {m})}
    worth = _worths({c: world(c) for c in needed | {frozenset(), frozenset(players)}}, workers)
    none, whole = worth[frozenset()], worth[frozenset(players)]
    parts = {m: [np.zeros_like(none)] for m in mechanisms} | {"chance": [none], "stickiness": [whole]}
    for m in players:
        parts[m] = [sum(w * (worth[c | {m}] - worth[c]) for w, joins, c in plan if joins == m) for plan in plans]
    rows = []
    for name, part in parts.items():
        rows += [(f, name, *row) for f, row in zip(base.firms, _row(part), strict=True)]
    table = pd.DataFrame(rows, columns=["firm", "mechanism", "value", "error", "error_people", "error_orders"])
    return table[table["firm"] == firm].reset_index(drop=True) if firm else table


def _key(scenario: Scenario) -> bytes:
    """All that a life depends on: worlds of one key are lived once. Numbers that nobody can feel are evened out."""
    world = make_world(scenario)
    if not world.firms["exit_friction"].any():
        world.market["friction_deterrence"] = 0
    if not world.traits["anchor_pull"].any():  # then no anchor is ever made
        world.market["anchor_start"] = 0
    if (world.firms["price"] == 1).all():
        world.traits["price_weight"] = 0
    world.traits["looks"] = np.minimum(world.traits["looks"], len(scenario.firms))
    return b"|".join(array.tobytes() for array in world)


def _plans(players: Sequence[str], permutations: int, seed: int) -> list[Plan]:
    """All coalitions with Shapley's weights as one plan; or a plan for each pair of an order and its reverse."""
    n = len(players)
    if 2**n <= max(1, permutations * n):
        joins = [(m, c) for m in players for size in range(n) for c in combinations(players, size) if m not in c]
        return [[(1 / (n * comb(n - 1, len(c))), m, frozenset(c)) for m, c in joins]]
    draw = np.random.default_rng(seed)
    orders = [[players[k] for k in draw.permutation(n)] for _ in range(max(2, permutations // 2))]
    return [[(0.5, m, frozenset(o[:at])) for o in (order, order[::-1]) for at, m in enumerate(o)] for order in orders]


def _worths(worlds: dict[Coalition, Scenario], workers: int) -> dict[Coalition, Array]:
    """The index by fold and firm, [fold, j], of every world."""
    keys = {c: _key(world) for c, world in worlds.items()}
    distinct = {key: worlds[c] for c, key in keys.items()}
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        lived = dict(zip(distinct, pool.map(_index_by_fold, distinct.values()), strict=True))
    return {c: lived[key] for c, key in keys.items()}


def _index_by_fold(scenario: Scenario) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return index(scenario)(metrics.folds(metrics.pooled(simulate(scenario, threads=1).tally)))


def _row(parts: Sequence[Array]) -> Array:
    """Value, error, error_people and error_orders, [j, 4], of the parts [plan][fold, j]."""
    value, people = metrics.jackknife(np.mean(parts, axis=0))
    each = np.array([part[0] for part in parts])
    orders = each.std(axis=0, ddof=1) / np.sqrt(len(each)) if len(each) > 1 else 0 * value
    return np.stack([value, np.hypot(people, orders), people, orders], axis=-1)
