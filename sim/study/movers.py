"""Simulates a control and changed scenarios week by week, and counts who is elsewhere because of the change.

The people and their draws are the same in all of them, so that whoever is at another firm than in the control is
there because of the change, their own or that of those they hear from.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import IntEnum
from itertools import count, islice
from typing import NamedTuple

import numpy as np

from sim.engine.loop import AT_ONCE, CORES, THREADED, Run, Shard, advance, fork, initialize, open_counts, together
from sim.engine.threads import threads
from sim.measure.tally import FOLDS, Array, Tally, counted
from sim.model.fields import Scenario
from sim.study.fork import can_fork

Progress = Callable[[int, int], None]  # weeks done, of how many


class Fate(IntEnum):
    """What became of a person, seen from one firm. `home`: its customers as the first week that can differ opens."""

    HOME = 0
    LEFT_BECAUSE = 1  # home; a customer in the control, not in the changed run
    NEVER_CAME = 2  # not home; a customer in the control, not in the changed run
    STAYED_BECAUSE = 3  # home; a customer in the changed run only
    CAME_BECAUSE = 4  # not home; a customer in the changed run only
    LEFT_ANYWAY = 5  # home; a customer in neither
    CAME_BACK = 6  # home; a customer in both, who was away in the changed run only


class Movers(NamedTuple):
    """Counts of people as each week ends, from week `first` on; axes g fold, t week, s cell, j firm."""

    first: int
    lost: Array  # [g, t, s, j] customers in the control who are elsewhere in the changed run
    gained: Array  # [g, t, s, j] customers in the changed run who are elsewhere in the control
    fates: Array  # [g, t, s, Fate] of the firm in question


class _Observer:
    """Counts of one changed scenario against the control, in one replication."""

    def __init__(self, shard: Shard, firm: int, weeks: int):
        s = shard.scenario
        cells, self.firms, self.firm, self.week = len(s.cells), len(s.firms), firm, 0
        fold = np.repeat(np.arange(FOLDS), np.diff(shard.edges))
        self.place = fold * cells + shard.people.cell
        self.home = last_firm(shard) == firm
        self.mine = np.flatnonzero(self.home)
        self.away = np.zeros(len(self.mine), bool)
        shape = FOLDS, weeks, cells
        self.lost, self.gained = (np.zeros((*shape, self.firms), np.int64) for _ in range(2))
        self.fates = np.zeros((*shape, len(Fate)), np.int64)
        self.fates[..., Fate.HOME] = self._by_place(self.place[self.mine])[:, None]

    def observe(self, control: Array, changed: Array) -> None:
        """Count a week, from the firm used last by each person [i] in both runs."""
        t, apart = self.week, np.flatnonzero(control != changed)
        ours, theirs, place = control[apart], changed[apart], self.place[apart]
        self.lost[:, t] = self._by_firm(place, ours)
        self.gained[:, t] = self._by_firm(place, theirs)
        home, went, came = self.home[apart], ours == self.firm, theirs == self.firm
        fates = {
            Fate.LEFT_BECAUSE: home & went,
            Fate.NEVER_CAME: ~home & went,
            Fate.STAYED_BECAUSE: home & came,
            Fate.CAME_BECAUSE: ~home & came,
        }
        for fate, met in fates.items():
            self.fates[:, t, :, fate] = self._by_place(place[met])
        here, there, place = control[self.mine] == self.firm, changed[self.mine] == self.firm, self.place[self.mine]
        self.fates[:, t, :, Fate.LEFT_ANYWAY] = self._by_place(place[~here & ~there])
        self.fates[:, t, :, Fate.CAME_BACK] = self._by_place(place[here & there & self.away])
        self.away |= here & ~there
        self.week += 1

    def _by_place(self, place: Array) -> Array:
        cells = self.lost.shape[2]
        return np.bincount(place, minlength=FOLDS * cells).reshape(FOLDS, cells)

    def _by_firm(self, place: Array, firm: Array) -> Array:
        cells, many = self.lost.shape[2], self.firms + 1  # the first of them is none
        flat = np.bincount(place * many + firm + 1, minlength=FOLDS * cells * many)
        return flat.reshape(FOLDS, cells, many)[..., 1:]


def last_firm(shard: Shard) -> Array:
    """The firm used last by each person, [i]; -1 where there is none yet."""
    last: Array = shard.people.one["last"].astype(np.int64)
    return last


def run_together(
    control: Scenario, changed: Sequence[Scenario], firm: str, first: int, progress: Progress | None = None
) -> tuple[Run, list[tuple[Run, Movers]]]:
    """The control, and each changed scenario with those who moved because of it; presence must be solved.

    `first` is the week before which nothing differs. The runs are those of `simulate`, to the bit.
    """
    j, weeks = list(control.firms).index(firm), control.burn_in + control.weeks
    tick, of = count(1), weeks * control.replications
    tallies: list[list[Tally]] = [[] for _ in range(1 + len(changed))]
    seen: list[list[_Observer]] = [[] for _ in changed]
    forks = [can_fork(control, s, first) for s in changed]
    with _pools(control, 1 + len(changed)) as (over, within):
        for r in range(control.replications):
            apart = [control, *(s for s, f in zip(changed, forks, strict=True) if not f)]
            shards = list(over(lambda s, r=r: initialize(s, r, pool=within)[0], apart))
            for shard in shards:
                open_counts([shard])
            while (week := shards[0].week) < control.weeks:
                if week == first:
                    shards = _forked(shards, changed, forks)
                    observers = [_Observer(shards[0], j, control.weeks - first) for _ in changed]
                most = min(AT_ONCE, (first - week) * control.people)  # every week is looked at once they may differ
                list(over(lambda shard, most=most: advance([shard], within, most), shards))
                if week >= first:
                    ours = last_firm(shards[0])
                    for observer, shard in zip(observers, shards[1:], strict=True):
                        observer.observe(ours, last_firm(shard))
                for done in islice(tick, shards[0].week - week):
                    if progress:
                        progress(done, of)
            for n, shard in enumerate(shards):
                tallies[n].append(counted(shard.tally))
            for n, observer in enumerate(observers):
                seen[n].append(observer)
    runs = [Run(s, together(t)) for s, t in zip((control, *changed), tallies, strict=True)]
    return runs[0], list(zip(runs[1:], (_joined(first, o) for o in seen), strict=True))


def _forked(shards: Sequence[Shard], changed: Sequence[Scenario], forks: Sequence[bool]) -> list[Shard]:
    """The control, and a shard of each changed scenario: one that was run from the start, or a fork of the control."""
    apart = iter(shards[1:])
    return [shards[0], *(fork(shards[0], s) if f else next(apart) for s, f in zip(changed, forks, strict=True))]


def _joined(first: int, observers: Iterable[_Observer]) -> Movers:
    parts = [(o.lost, o.gained, o.fates) for o in observers]
    return Movers(first, *(np.concatenate(a) for a in zip(*parts, strict=True)))


@contextmanager
def _pools(scenario: Scenario, many: int) -> Iterator[tuple[Callable[..., Iterable], ThreadPoolExecutor | None]]:
    """Threads over scenarios where people are few, threads within each where they are many."""
    large = scenario.people >= THREADED
    with threads(CORES if large else min(CORES, many)) as pool:
        yield (map, pool) if large else (pool.map, None)
