"""A run that goes on as another: what two scenarios have in common, up to the first event they differ in, is run once.

The people, their memory and all counts are copied, so that the fork gives what a run from its start would, to the bit.
"""

from dataclasses import replace

from sim.engine.loop import (
    AT_ONCE,
    THREADED,
    Run,
    Shard,
    advance,
    fork,
    initialize,
    open_counts,
    simulate,
    together,
)
from sim.engine.threads import threads
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


def go_on(shard: Shard, week: int) -> Shard:
    """The shard, all people of a replication, stepped until a week opens."""
    while shard.week < week:
        advance([shard], None, min(AT_ONCE, (week - shard.week) * len(shard.people.one)))
    return shard


def simulate_both(control: Scenario, changed: Scenario, first: int) -> tuple[Run, Run]:
    """The runs of two scenarios that are the same before week `first`, as `simulate` gives them."""
    runs = control.replications
    if not can_fork(control, changed, first) or control.people * runs >= THREADED:
        with threads(2) as pool:
            return tuple(pool.map(simulate, (control, changed)))  # type: ignore[return-value]
    with threads() as pool:
        over, within = (pool.map, map) if runs > 1 else (map, pool.map)

        def replication(r: int) -> list[Tally]:
            parts = initialize(control, r)
            open_counts(parts)
            go_on(parts[0], first)
            both = parts[0], fork(parts[0], changed)
            return list(within(lambda shard: counted(go_on(shard, control.weeks).tally), both))

        found = list(over(replication, range(runs)))
    ours, theirs = (together(some) for some in zip(*found, strict=True))
    return Run(control, ours), Run(changed, theirs)
