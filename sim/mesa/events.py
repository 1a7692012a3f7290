"""The story of a life under way: what is to come may be rewritten, what was lived may not."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.engine.loop import Run, Shard
from sim.measure.tally import Tally, counted, empty_tally
from sim.model.declare import ScenarioError, did_you_mean
from sim.model.fields import Scenario
from sim.model.scenario import change
from sim.model.state import with_scandal_slots
from sim.model.timeline import World, make_world

EVENTS = {"scandal": "scandals", "move": "moves"}
FIXED = {  # arrays that no week changes: what they come from
    "market": "market, network, mechanisms, people, window or burn_in",
    "traits": "consumer, segments or cohorts",
    "cells": "the weights of segments or cohorts",
    "presence": "firms or their presence at the start",
}


def rewrite(shard: Shard, scenario: Scenario) -> None:
    """Let the story go on as `scenario` has it, or raise a ScenarioError if that would change what was lived."""
    world = make_world(scenario, (shard.world.starts, shard.world.recipients))
    wrong = _otherwise(shard, scenario, world)
    if wrong:
        raise ScenarioError(wrong)
    shard.tally = room(shard.tally, scenario, len(world.scandals))
    shard.people = with_scandal_slots(shard.people, len(world.scandals))
    shard.idle.clear()
    shard.scenario, shard.world = scenario, world


def _otherwise(shard: Shard, scenario: Scenario, world: World) -> list[str]:
    """What of the past a scenario would change."""
    old, t = shard.world, max(shard.week, 0) + 1
    wrong = [
        f"{what}: cannot change once the market is open; start another Market"
        for name, what in FIXED.items()
        if not np.array_equal(getattr(old, name), getattr(world, name))
    ]
    if scenario.seed != shard.scenario.seed:
        wrong.append("seed: cannot change once the market is open; start another Market")
    for name, k in zip(shard.scenario.scandals, range(len(old.scandals)), strict=False):
        if old.scandals["week"][k] < shard.week and not _same_scandal(old, world, k, t):
            wrong.append(f"scandals.{name}: it broke in week {old.scandals['week'][k]}; what was lived cannot change")
    levers = ((old.firms, world.firms), (old.failures, world.failures))
    if not wrong and not all(np.array_equal(a[:t], b[:t]) for a, b in levers):
        wrong.append(f"firms, moves or outages: weeks before {shard.week} have been lived and cannot change")
    return wrong


def _same_scandal(old: World, new: World, k: int, t: int) -> bool:
    if len(new.scandals) <= k or old.scandals[k] != new.scandals[k]:
        return False
    pairs = (
        (old.attribution[k], new.attribution[k]),
        (old.news_exposure[:t, k], new.news_exposure[:t, k]),
        (old.salience[:t, k], new.salience[:t, k]),
    )
    return all(np.array_equal(a, b) for a, b in pairs)


def room(tally: Tally, scenario: Scenario, scandals: int) -> Tally:
    """The tally with room for the scenario's weeks, windows (the last perhaps begun only) and scandals."""
    windows = -(-scenario.weeks // scenario.window)
    larger = empty_tally(scenario.weeks, windows, len(scenario.cells), len(scenario.firms), scandals)
    for old, new in zip(tally, larger, strict=True):
        part = tuple(slice(0, min(n, m)) for n, m in zip(old.shape, new.shape, strict=True))
        new[part] = old[part]
    return larger


def event(shard: Shard, kind: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of the scenario that an event makes: a scandal, a move, or an apology for the scandal `name`."""
    week = values.get("week", shard.week)
    if week < shard.week:
        raise ScenarioError([f"{name}: week {week} has been lived; the coming week is {shard.week}"])
    if kind == "apology":
        scandals = shard.scenario.scandals
        if name not in scandals:
            raise ScenarioError([f"apology: {name!r} is no scandal{did_you_mean(name, scandals)}"])
        said = {"response": 0.5, **values, "response_delay": week - scandals[name].week}
        return {f"scandals.{name}.{field}": value for field, value in said.items() if field != "week"}
    if kind not in EVENTS:
        raise ScenarioError([f"{kind!r} is no event{did_you_mean(kind, [*EVENTS, 'apology'])}"])
    return {f"{EVENTS[kind]}.{name}": {**values, "week": week}}


def result(shard: Shard) -> Run:
    """What was lived so far, with the scenario that gives the same numbers from the start."""
    s, weeks = shard.scenario, shard.week
    last = max((k for k, c in enumerate(s.scandals.values()) if c.week < weeks), default=-1)
    changes: dict[str, Any] = {"weeks": weeks}
    changes |= {f"moves.{name}": None for name, move in s.moves.items() if move.week >= weeks}
    for k, (name, scandal) in enumerate(s.scandals.items()):
        if k > last:
            changes[f"scandals.{name}"] = None
        elif scandal.week >= weeks:  # keeps its place in the addresses of draws, and nobody hears of it
            silent = {"week": weeks - 1, "reach": 0.0, "harmed_share": 0.0, "outage": 0.0}
            changes |= {f"scandals.{name}.{field}": value for field, value in silent.items()}
    return Run(change(s, changes), so_far(shard, last + 1))


def so_far(shard: Shard, scandals: int | None = None) -> Tally:
    """The counts of the weeks lived and of the windows that have ended, of the first `scandals` scandals."""
    weeks, windows = max(shard.week, 0), max(shard.week, 0) // shard.scenario.window
    tally = counted(shard.tally)
    tally = tally._replace(**{n: getattr(tally, n)[:, :weeks] for n in ("flow", "event", "news")})
    names = ("window", "both", "buyers", "transitions", "faithful", "standing")
    tally = tally._replace(**{n: getattr(tally, n)[:, :windows] for n in names})
    return tally._replace(news=tally.news[:, :, :, :scandals])
