"""Events added to a market under way: the scenario may change for the weeks to come, never for those behind."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sim.engine.loop import Run, Shard
from sim.measure.tally import WEEKLY, WINDOWED, Tally, counted, empty_tally
from sim.model.declare import ScenarioError, did_you_mean, read
from sim.model.events import Move
from sim.model.fields import Scenario
from sim.model.scenario import change, move_complaints
from sim.model.state import with_scandal_slots
from sim.model.timeline import World, make_world, with_levers

EVENT_GROUPS = {"scandal": "scandals", "move": "moves"}
UNCHANGEABLE = {  # arrays that no week changes: what they come from
    "market": "market, network, mechanisms, people, window or burn_in",
    "traits": "consumer, segments or cohorts",
    "cells": "the weights of segments or cohorts",
    "ages": "the years of cohorts",
    "presence": "firms or their presence at the start",
    "taste_factor": "taste_covariance",
}


def replace_scenario(shard: Shard, scenario: Scenario) -> None:
    """Go on with another scenario; ScenarioError if that would change weeks already simulated."""
    world = make_world(scenario, (shard.world.starts, shard.world.recipients), shard.key[1])
    wrong = _changed_past(shard, scenario, world)
    if wrong:
        raise ScenarioError(wrong)
    shard.tally = resize_tally(shard.tally, scenario, len(world.scandals))
    shard.people = with_scandal_slots(shard.people, len(world.scandals))
    shard.idle.clear()
    shard.scenario, shard.world = scenario, world


def _changed_past(shard: Shard, scenario: Scenario, world: World) -> list[str]:
    """Complaints about what a scenario would change in the weeks already simulated."""
    old, t = shard.world, max(shard.week, 0) + 1
    wrong = [
        f"{what}: cannot change in a market under way; make another Market"
        for name, what in UNCHANGEABLE.items()
        if not np.array_equal(getattr(old, name), getattr(world, name))
    ]
    for name in ("seed", "population", "population_sha256"):
        if getattr(scenario, name) != getattr(shard.scenario, name):
            wrong.append(f"{name}: cannot change in a market under way; make another Market")
    for name, k in zip(shard.scenario.scandals, range(len(old.scandals)), strict=False):
        if old.scandals["week"][k] < shard.week and not _same_scandal(old, world, k, t):
            wrong.append(f"scandals.{name}: it broke in week {old.scandals['week'][k]}; the past cannot change")
    levers = ((old.firms, world.firms), (old.failures, world.failures), (old.season, world.season))
    if not wrong and not all(np.array_equal(a[:t], b[:t]) for a, b in levers):
        wrong.append(f"firms, moves, outages or season: weeks before {shard.week} are over and cannot change")
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


def resize_tally(tally: Tally, scenario: Scenario, scandals: int) -> Tally:
    """The tally, large enough for the scenario's weeks, windows (the last may be incomplete) and scandals."""
    windows = -(-scenario.weeks // scenario.window)
    larger = empty_tally(scenario.weeks, windows, len(scenario.cells), len(scenario.firms), scandals)
    for old, new in zip(tally, larger, strict=True):
        part = tuple(slice(0, min(n, m)) for n, m in zip(old.shape, new.shape, strict=True))
        new[part] = old[part]
    return larger


def add_move(shard: Shard, name: str, values: Mapping[str, Any]) -> bool:
    """Add a move that is in order to the scenario of a shard and to its world; False, and nothing, for any other.

    It says what `replace_scenario` would, in a tenth of the time: nothing but levers is made anew.
    """
    s, wrong = shard.scenario, list[str]()
    move = read(Move, {"week": shard.week, **values}, f"moves.{name}.", wrong)
    if name in s.moves or not name.isidentifier() or move.week < shard.week or wrong or move_complaints(s, name, move):
        return False
    shard.scenario = replace(s, moves={**s.moves, name: move})
    shard.world = with_levers(shard.world, shard.scenario)
    return True


def event_changes(shard: Shard, kind: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of the scenario that an event makes: a scandal, a move, or an apology for the scandal `name`."""
    week = values.get("week", shard.week)
    if week < shard.week:
        raise ScenarioError([f"{name}: week {week} is over; the coming week is {shard.week}"])
    if kind == "apology":
        scandals = shard.scenario.scandals
        if name not in scandals:
            raise ScenarioError([f"apology: {name!r} is no scandal{did_you_mean(name, scandals)}"])
        fields = {"response": 0.5, **values, "response_delay": week - scandals[name].week}
        return {f"scandals.{name}.{field}": value for field, value in fields.items() if field != "week"}
    if kind not in EVENT_GROUPS:
        raise ScenarioError([f"{kind!r} is no event{did_you_mean(kind, [*EVENT_GROUPS, 'apology'])}"])
    return {f"{EVENT_GROUPS[kind]}.{name}": {**values, "week": week}}


def result(shard: Shard) -> Run:
    """The run so far, with the scenario that gives the same numbers from the start."""
    s, weeks = shard.scenario, shard.week
    last = max((k for k, c in enumerate(s.scandals.values()) if c.week < weeks), default=-1)
    changes: dict[str, Any] = {"weeks": weeks, "policies": {}}  # what they did is among the moves
    changes |= {f"moves.{name}": None for name, move in s.moves.items() if move.week >= weeks}
    for k, (name, scandal) in enumerate(s.scandals.items()):
        if k > last:
            changes[f"scandals.{name}"] = None
        elif scandal.week >= weeks:  # keeps its number, an address of draws, and stays unknown
            silent = {"week": weeks - 1, "reach": 0.0, "harmed_share": 0.0, "outage": 0.0}
            changes |= {f"scandals.{name}.{field}": value for field, value in silent.items()}
    return Run(change(s, changes), completed_tally(shard, last + 1))


def completed_tally(shard: Shard, scandals: int | None = None) -> Tally:
    """The counts of complete weeks and complete windows, of the first `scandals` scandals."""
    weeks, windows = max(shard.week, 0), max(shard.week, 0) // shard.scenario.window
    tally = counted(shard.tally)
    tally = tally._replace(**{n: getattr(tally, n)[:, :weeks] for n in WEEKLY})
    tally = tally._replace(**{n: getattr(tally, n)[:, :windows] for n in WINDOWED})
    return tally._replace(news=tally.news[:, :, :, :scandals])
