"""What stickiness is made of: the same people with the same draws in runs that lack one mechanism, or several.

`decompose` divides the stickiness index over the mechanisms, `captive` says what switching cost holds. Presence is
solved once, for the scenario as it stands, and held in every run.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from sim.engine.loop import simulate
from sim.engine.threads import threads
from sim.measure import estimates, metrics
from sim.measure.estimates import Array, Estimate, Metric
from sim.model.declare import ScenarioError
from sim.model.fields import Mechanisms, Scenario
from sim.model.timeline import make_world
from sim.study.calibrate_shares import calibrate_shares
from sim.study.progress import progress
from sim.study.twins import check_known, twins

MECHANISMS = tuple(f.name for f in fields(Mechanisms))
PEOPLE = 4_000  # of every run at most: their error is far below that of the orders
Coalition = frozenset[str]  # mechanisms that are on
Plan = list[tuple[float, str, Coalition]]  # with which weight which mechanism joins those already on


def index(scenario: Scenario) -> Metric:
    """The stickiness index sigma of the market's regime: over pairs of uses, or over the lag of a window."""
    return metrics.firm_metrics(scenario.market.regime == "provider")["stickiness"]


def captive(scenario: Scenario) -> pd.DataFrame:
    """Firm, part, value, error: the `index`; `free`, if leaving took no trouble and no time; `captive`, the rest."""
    pair, metric = twins(scenario, {"mechanisms.switching_cost": False}), index(scenario)
    whole, free = (estimates.estimate(metric, estimates.pooled(run.tally)) for run in (pair.control, pair.changed))
    parts = {"index": whole, "free": free, "captive": Estimate(whole.value - free.value, pair.difference(metric).error)}
    rows = [(firm, p, e.value[j], e.error[j]) for j, firm in enumerate(scenario.firms) for p, e in parts.items()]
    return pd.DataFrame(rows, columns=["firm", "part", "value", "error"])


def decompose(
    scenario: Scenario,
    mechanisms: Sequence[str] = MECHANISMS,
    permutations: int = 4,
    firm: str = "",
    workers: int = 0,
    people: int = PEOPLE,
    quiet: bool = False,
) -> pd.DataFrame:
    """Shapley shares of the stickiness index: firm, mechanism, value, error, error_people, error_orders.

    A mechanism's share is what it adds when it joins those already on, mean over all orders of joining (Shapley 1953);
    those not in `mechanisms` stay as they are. `chance` is the index with all of them off, `stickiness` that of the
    scenario, which the shares and chance sum to. What cannot matter gets 0. If n can and 2^n <= `permutations` x n, all
    coalitions are simulated; else orders are drawn (Castro, Gomez & Tejada 2009), each with its reverse.
    `error_people` is the jackknife over people and replications for these orders, `error_orders` the standard error
    over pairs of orders (0 if all), `error` the root of their squares' sum. `workers` 0 = all processors. Runs have at
    most `people`; more of them, and more `permutations`, make errors smaller.

    >>> from sim import build
    >>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
    >>> base = build({"people": 300, "weeks": 26, "segments": {"all": {}}, "firms": firms})
    >>> decompose(base, ["taste", "habit"], firm="a").mechanism.tolist()
    ['taste', 'habit', 'chance', 'stickiness']
    """
    check_known("mechanisms", mechanisms, MECHANISMS)
    check_known("firm", [firm] if firm else [], scenario.firms)
    if people < 1 or permutations < 1:
        raise ScenarioError([f"people, permutations: {people}, {permutations}; at least 1 of each is needed"])
    base = calibrate_shares(scenario)[0]
    base = base if base.population else replace(base, people=min(base.people, people))
    parts = _parts(base, mechanisms, permutations, workers, quiet)
    rows = []
    for name, part in parts.items():
        rows += [(f, name, *row) for f, row in zip(base.firms, _row(part), strict=True)]
    table = pd.DataFrame(rows, columns=["firm", "mechanism", "value", "error", "error_people", "error_orders"])
    return table[table["firm"] == firm].reset_index(drop=True) if firm else table


def _parts(
    base: Scenario, mechanisms: Sequence[str], permutations: int, workers: int, quiet: bool
) -> dict[str, list[Array]]:
    """The parts of the index by name, [plan][fold, j]: each mechanism's, `chance` and `stickiness`."""

    def only(coalition: Coalition) -> Scenario:
        off = {m: False for m in mechanisms if m not in coalition}
        return replace(base, mechanisms=replace(base.mechanisms, **off))

    players = [m for m in mechanisms if _key(only(frozenset(mechanisms) - {m})) != _key(base)]
    plans = _plans(players, permutations, base.seed)
    needed = {c for plan in plans for _, m, before in plan for c in (before, before | {m})}
    worth = _worths({c: only(c) for c in needed | {frozenset(), frozenset(players)}}, workers, quiet)
    none, whole = worth[frozenset()], worth[frozenset(players)]
    parts = {m: [np.zeros_like(none)] for m in mechanisms} | {"chance": [none], "stickiness": [whole]}
    for m in players:
        parts[m] = [sum(w * (worth[c | {m}] - worth[c]) for w, joins, c in plan if joins == m) for plan in plans]
    return parts


def _key(scenario: Scenario) -> bytes:
    """All that a run depends on: scenarios of one key run once. Numbers that cannot matter are set alike."""
    world = make_world(scenario)
    if not world.firms["switching_cost"].any():
        world.market["switching_cost_deterrence"] = 0
    if not world.traits["anchor_pull"].any():  # then no anchor is ever made
        world.market["anchor_start"] = 0
    if (world.firms["price"] == 1).all():
        world.traits["price_weight"] = world.traits["deal_weight"] = 0
    world.traits["consideration_size"] = np.minimum(world.traits["consideration_size"], len(scenario.firms))
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


def _worths(scenarios: dict[Coalition, Scenario], workers: int, quiet: bool) -> dict[Coalition, Array]:
    """The index by fold and firm, [fold, j], of every scenario."""
    keys = {c: _key(scenario) for c, scenario in scenarios.items()}
    distinct = {key: scenarios[c] for c, key in keys.items()}
    found: dict[bytes, Array] = {}
    with threads(workers) as pool, progress(len(distinct), 0, quiet) as step:
        for key, worth in zip(distinct, pool.map(_index_by_fold, distinct.values()), strict=True):
            found[key] = worth
            step(len(found))
    return {c: found[key] for c, key in keys.items()}


def _index_by_fold(scenario: Scenario) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return index(scenario)(estimates.folds(estimates.pooled(simulate(scenario, threads=1, by_week=False).tally)))


def _row(parts: Sequence[Array]) -> Array:
    """Value, error, error_people and error_orders, [j, 4], of the parts [plan][fold, j]."""
    value, people = estimates.jackknife(np.mean(parts, axis=0))
    each = np.array([part[0] for part in parts])
    orders = each.std(axis=0, ddof=1) / np.sqrt(len(each)) if len(each) > 1 else 0 * value
    return np.stack([value, np.hypot(people, orders), people, orders], axis=-1)
