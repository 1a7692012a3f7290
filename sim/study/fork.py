"""A run that goes on as another: what two scenarios have in common, up to the first event they differ in, is run once.

The people, their memory and all counts are copied, so that the fork gives what a run from its start would, to the bit.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from sim.engine.loop import CORES, THREADED, Run, Shard, advance, initialize, open_counts, simulate
from sim.measure.tally import Tally, counted
from sim.model.fields import Scenario


def can_fork(control: Scenario, changed: Scenario, first: int) -> bool:
    """Whether the two differ in events alone, none before week `first`, and nothing is remembered of any by then.

    Flags of scandals have their place by the order of scandals, and policies have moved, so either is run from the
    start.
    """
    if control.policies or replace(changed, scandals=control.scandals, moves=control.moves) != control:
        return False
    return all(scandal.week >= first for s in (control, changed) for scandal in s.scandals.values())


def fork(shard: Shard, scenario: Scenario) -> Shard:
    """A shard with all people of a replication, between two weeks, that goes on in another scenario.

    The two must be the same up to this week (`can_fork`); `shard` stays as it is.
    """
    (found,) = initialize(scenario, shard.key[1], start=shard.people)
    for name in ("one", "bonds", "carried"):
        getattr(found.people, name)[:] = getattr(shard.people, name)
    for ours, theirs in zip(found.tally, shard.tally, strict=True):
        if ours.shape == theirs.shape:  # not where they have other scandals, of which nothing is counted yet
            ours[:] = theirs
    found.week = shard.week
    return found


def simulate_both(control: Scenario, changed: Scenario, first: int) -> tuple[Run, Run]:
    """The runs of two scenarios that are the same before week `first`, as `simulate` gives them."""
    runs = control.replications
    if not can_fork(control, changed, first) or control.people * runs >= THREADED:
        with ThreadPoolExecutor(2) as pool:
            return tuple(pool.map(simulate, (control, changed)))  # type: ignore[return-value]
    with ThreadPoolExecutor(CORES) as pool:
        over, within = (pool.map, map) if runs > 1 else (map, pool.map)

        def replication(r: int) -> list[Tally]:
            parts = initialize(control, r)
            open_counts(parts)
            _go_on(parts[0], control.burn_in + first)
            both = parts[0], fork(parts[0], changed)
            return list(within(lambda shard: _go_on(shard, control.weeks - first), both))

        found = list(over(replication, range(runs)))
    tallies = [Tally(*(np.concatenate(a) for a in zip(*some, strict=True))) for some in zip(*found, strict=True)]
    return Run(control, tallies[0]), Run(changed, tallies[1])


def _go_on(shard: Shard, weeks: int) -> Tally:
    """What is counted once so many weeks more have passed."""
    for _ in range(weeks):
        advance([shard])
    return counted(shard.tally)
