"""Policies: at the end of a window firms look at its counts, and a lever may move from the next week on.

What they do is a function of the scenario and of counts, which are integers of everybody: the same whatever threads,
shards or machines counted them. What was done is kept as moves: with them in place of the policies the run is the same.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sim.engine.shard import Shard
from sim.measure.metrics import firm_metrics
from sim.measure.tally import WINDOWED, Tally
from sim.model.events import Move, Policy
from sim.model.fields import Scenario
from sim.model.levers import is_open, levers_at, value_at
from sim.model.timeline import with_levers

DIGITS = 10  # after the point, of a lever that has moved by steps


def last_window(tally: Tally, week: int, window: int) -> Tally:
    """Counts of everybody in the window of so many weeks that ended with a week; `tally` has the burn-in's row."""
    w, rows = week // window, slice(week + 2 - window, week + 2)
    weekly = {n: getattr(tally, n)[:, rows].sum(axis=(0, 1, 2)) for n in ("flow", "event", "news")}
    windowed = {n: getattr(tally, n)[:, w].sum(axis=(0, 1)) for n in WINDOWED}
    rest = {n: getattr(tally, n).sum(axis=(0, 1)) for n in ("people", "tenure", "after")}
    return Tally(**{**weekly, **windowed, **rest})


def react(parts: Sequence[Shard], counts: Tally) -> None:
    """Let the firms of a replication react to the counts of the window that has just ended."""
    scenario = moved(parts[0].scenario, parts[0].week - 1, counts)
    if scenario is not parts[0].scenario:
        world = with_levers(parts[0].world, scenario)
        for shard in parts:
            shard.scenario, shard.world = scenario, world


def moved(s: Scenario, week: int, counts: Tally) -> Scenario:
    """The scenario with the moves that policies make after the window that ended with a week; itself if there are none.

    Each policy finds the levers as those before it have left them.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, policy in s.policies.items() if week + 1 < s.weeks else ():
            move = _move_of(s, policy, week, counts)
            if move:
                s = replace(s, moves={**s.moves, _free_name(f"{name}_week{week + 1}", s): move})
    return s


def _free_name(name: str, s: Scenario) -> str:
    return _free_name(f"{name}_", s) if name in s.moves else name


def _move_of(s: Scenario, policy: Policy, week: int, counts: Tally) -> Move | None:
    """The move of a policy, None if it makes none: a firm outside the market does not, nor does one at its floor."""
    firm, firms = policy.firm or s.focus, list(s.firms)
    if week + 1 < policy.week or not (is_open(s.firms[firm], week) and is_open(s.firms[firm], week + 1)):
        return None
    metric = firm_metrics(s.market.regime == "provider")[policy.when]
    found = float(metric(counts)[firms.index(policy.of or firm)])
    if not (found < policy.value if policy.crosses == "below" else found > policy.value):
        return None
    now = value_at(levers_at(s, week + 1)[firm], policy.lever)
    value = round(now + policy.step, DIGITS)
    value = min(value, policy.floor) if policy.step > 0 else max(value, policy.floor)
    moves = value > now if policy.step > 0 else value < now
    return Move(firm=firm, lever=policy.lever, week=week + 1, value=value) if moves else None


def moves_made(asked: Scenario, done: Scenario) -> dict[str, Move]:
    """The moves that policies made: those of a replication's scenario that were not asked for."""
    return {name: move for name, move in done.moves.items() if name not in asked.moves}


def as_moves(s: Scenario, made: dict[str, Move]) -> Scenario:
    """The scenario of one replication with its moves in place of the policies that made them: the same run."""
    return replace(s, policies={}, moves={**s.moves, **made}, replications=1)
