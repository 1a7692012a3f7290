"""A run that goes on as another: what two scenarios have in common, up to the first event they differ in, is run once.

The people, their memory and all counts are copied, so that the fork gives what a run from its start would, to the bit.
"""

from dataclasses import replace

from sim.engine.shard import Shard, initialize
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
