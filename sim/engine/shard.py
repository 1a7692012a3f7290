"""A shard of a replication: its people, its tally, and the threads that step it fold by fold.

A fold is the unit of parallel work: one thread at a time processes it, and that thread alone writes its slice of the
tally. So the result does not depend on the number of threads or shards.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numba import config

from sim.compute.jit import CHECKED
from sim.compute.kernel_args import KernelArgs
from sim.compute.numba_private import direct_call
from sim.engine.buffers import KernelData, make_buffers
from sim.engine.kernel import (
    age_folds,
    close_window_folds,
    draw_ages,
    initialize_each,
    initialize_folds,
    step_each,
    step_folds,
)
from sim.engine.threads import CORES, end_if_stopped
from sim.measure.tally import FOLDS, Tally, empty_tally
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.network import Links, checked_links
from sim.model.state import USED, USES_A_WEEK, People, as_int32, make_people
from sim.model.timeline import World, make_world
from sim.model.word_of_mouth import Outbox

PIECES = 8  # of work for each thread, so that one that is held up leaves some of its work to the others
DRAWN = 20_000  # people that a thread draws between two looks at whether to stop: less than a tenth of a second
ONE_BY_ONE = CHECKED or bool(config.DISABLE_JIT)  # plain Python has no vectors
STEP_FOLDS, INITIALIZE = (step_each, initialize_each) if ONE_BY_ONE else (step_folds, initialize_folds)
Pool = ThreadPoolExecutor | None
Pieces = Iterator[tuple[int, int]]  # of folds: from one to before another
T = TypeVar("T")


def no_messages() -> Outbox:
    """An empty outbox."""
    return Outbox(*np.zeros((2, 0, 3), np.int32))


@dataclass
class Shard:
    """Some folds of one replication, between two weeks of its run."""

    scenario: Scenario
    world: World
    people: People
    tally: Tally
    key: tuple[int, int]  # seed, replication
    folds: range
    edges: np.ndarray  # [FOLDS + 1] int64, row at which each fold begins
    week: int  # the next to be simulated, -burn_in to weeks
    first: int = 0  # the number of the person in row 0
    outbox: Outbox = field(default_factory=no_messages)  # of the last week
    data: KernelArgs | None = None  # people, world and tally, as the kernel gets them
    idle: deque[KernelArgs] = field(default_factory=deque)  # buffers that no thread is using

    def __repr__(self) -> str:
        """One line: which people, before which week, of which scenario."""
        last = self.first + len(self.people.one) - 1
        return f"<Shard with persons {self.first} to {last} before week {self.week} of {self.scenario!r}>"

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the addresses of arrays, which a copy would not share."""
        return {**self.__dict__, "data": None, "idle": deque()}


def initialize(
    scenario: Scenario,
    replication: int = 0,
    shards: int = 1,
    network: Links | None = None,
    start: People | None = None,
    pool: Pool = None,
    only: int | None = None,
    by_week: bool = True,
) -> list[Shard]:
    """The people of a replication before their first week of burn-in, in shards of whole folds (or shard `only`).

    They are drawn, or taken from `start` (an earlier run's people): their tastes, memory and habits are kept; messages,
    counters and scandal flags are cleared. Not `by_week`, the weeks are counted together. ScenarioError if presence is
    not solved, `start` does not fit, or the machine has too little memory.
    """
    refuse_unsolved(scenario)
    if start is not None and start.bonds.shape != (scenario.people, len(scenario.firms)):
        raise ScenarioError(
            [f"start: {start.bonds.shape} people x firms for {scenario.people} x {len(scenario.firms)}"]
        )
    world = make_world(scenario, None if network is None else checked_links(network, scenario.people), replication)
    price_weights = bool(world.market["own_price_weights"][0]) or (start is not None and len(start.price_factor) > 0)
    parts = []
    for number in range(shards) if only is None else (only,):
        folds = range(number * FOLDS // shards, (number + 1) * FOLDS // shards)
        shard = _allocate(scenario, replication, world, folds, price_weights, by_week or bool(scenario.policies))
        if start is None:
            _by_fold(shard, INITIALIZE, pool)
        else:
            _adopt(shard, start)
        if len(shard.people.left) and (start is None or not len(start.left)):
            draw_ages(*_everybody(shard))
        parts.append(shard)
    return parts


def refuse_unsolved(scenario: Scenario) -> None:
    """ScenarioError if firms state shares for which presence is not solved yet."""
    stated = [name for name, firm in scenario.firms.items() if firm.share is not None]
    if stated:
        raise ScenarioError(
            [
                f"firms.{stated[0]}.share: presence is not solved for stated shares ({', '.join(stated)}); "
                "call sim.simulate, or sim.study.calibrate_shares.calibrate_shares before the engine"
            ]
        )


def _allocate(
    scenario: Scenario, replication: int, world: World, folds: range, price_weights: bool, by_week: bool = True
) -> Shard:
    """A shard with all arrays of zeros."""
    firsts = np.arange(FOLDS + 1) * scenario.people // FOLDS
    first = int(firsts[folds.start])
    many, carried = int(firsts[folds.stop]) - first, np.uint8 if _fills(scenario) else None
    firms, cells, scandals = len(scenario.firms), len(scenario.cells), len(world.scandals)
    try:
        people = make_people(many, firms, scandals, carried, price_weights, len(world.ages) > 0)
        tally = empty_tally(scenario.weeks if by_week else 1, scenario.weeks // scenario.window, cells, firms, scandals)
    except MemoryError as error:
        what, why = "people, weeks, segments x cohorts, firms", str(error).partition(" for an array")[0]
        raise ScenarioError([f"{what}: too many for this machine ({why})"]) from None
    key, week = (scenario.seed, replication), -scenario.burn_in
    return Shard(scenario, world, people, tally, key, folds, firsts - first, week, first)


def _fills(scenario: Scenario) -> bool:
    """Can anybody's uses in one window fill a counter?"""
    return scenario.window * (1 if scenario.market.regime == "provider" else USES_A_WEEK) > USED


def fork(shard: Shard, scenario: Scenario) -> Shard:
    """A copy that goes on as another scenario, which so far has had the same world and, like this one, no scandal."""
    world = make_world(scenario, None, shard.key[1])
    copy = _allocate(scenario, shard.key[1], world, shard.folds, len(shard.people.price_factor) > 0)
    for here, there in ((copy.people, shard.people), (copy.tally, shard.tally)):
        for name in set(here._fields) - {"scandal_flags", "news"}:
            getattr(here, name)[:] = getattr(there, name)
    copy.week = shard.week
    return copy


def _adopt(shard: Shard, start: People) -> None:
    """Copy the people of an earlier run into the rows of a shard; what belonged to that run is cleared."""
    here, rows = shard.people, slice(shard.first, shard.first + len(shard.people.one))
    for name in ("rate", "cell", "one", "bonds"):
        getattr(here, name)[:] = getattr(start, name)[rows]
    for name in ("price_factor", "left"):
        if len(getattr(here, name)) and len(getattr(start, name)):
            getattr(here, name)[:] = getattr(start, name)[rows]
    here.one["seen"] = shard.week
    here.one["uses"], here.one["message"], here.bonds["count"], here.one["home"] = 0, 0, 0, here.one["last"]
    for g in shard.folds:
        cells = here.cell[shard.edges[g] : shard.edges[g + 1]]
        shard.tally.people[g] = np.bincount(cells, minlength=shard.tally.people.shape[1])


def _everybody(shard: Shard) -> tuple[KernelArgs, tuple[int, int], np.uint32, np.ndarray, int, int]:
    """The arguments of compiled functions that do something to all people."""
    return kernel_data(shard), shard.key, np.uint32(shard.first), shard.edges, shard.folds.start, shard.folds.stop


def grow_older(shard: Shard) -> None:
    """The end of a week for people's ages, where they grow older; the burn-in has none."""
    if len(shard.people.left) and shard.week >= 0:
        age_folds(*_everybody(shard))


def step_week(shard: Shard, pool: Pool = None, weeks: int = 1) -> None:
    """Simulate the week for everybody in a shard; RuntimeError past the last, for which the tally has no row.

    More `weeks` than one, of a shard that is alone and without `pool`, are simulated as one: `shard.week` is the last
    of them then, and those before have been ended.
    """
    if shard.week >= shard.scenario.weeks:
        raise RuntimeError(f"week {shard.week} is beyond the last of the scenario ({shard.scenario.weeks - 1})")
    shard.outbox = _by_fold(shard, STEP_FOLDS, pool, weeks)
    shard.week += weeks - 1


def close_window(shard: Shard, window: int, opening: bool = False, pool: Pool = None) -> None:
    """Count a window that ends (below 0: only reset it); `opening` starts the counts that run from week 0 on."""
    data = kernel_data(shard)

    def worker(pieces: Pieces) -> None:
        for folds in pieces:
            close_window_folds(data, shard.edges, *folds, window, opening)

    _share(shard, worker, pool)


def _by_fold(shard: Shard, work: Callable[..., None], pool: Pool, *weeks: int) -> Outbox:
    """Step or initialize every fold; returns what its people send."""
    data = kernel_data(shard)

    def worker(pieces: Pieces) -> Outbox:
        buffers = _take_buffers(shard)
        for folds in pieces:
            end_if_stopped()
            work(data, buffers, shard.key, np.uint32(shard.first), shard.edges, *folds, shard.week, *weeks)
        return _give_back(shard, buffers)

    most = FOLDS if weeks else max(1, FOLDS * DRAWN // max(1, shard.scenario.people))
    sent = _share(shard, worker, pool, most)
    return sent[0] if len(sent) == 1 else Outbox(*(np.concatenate(rows) for rows in zip(*sent, strict=True)))


def _share(shard: Shard, worker: Callable[[Pieces], T], pool: Pool, most: int = FOLDS) -> list[T]:
    """The results of all workers; whichever is free takes the next piece of the folds, no more than `most` at once."""
    many = len(shard.folds)
    step = min(most, max(1, many // (PIECES * CORES)) if pool else max(1, many))
    pieces = iter([(g, min(g + step, shard.folds.stop)) for g in range(shard.folds.start, shard.folds.stop, step)])
    return list(pool.map(worker, [pieces] * CORES)) if pool else [worker(pieces)]


def kernel_data(shard: Shard) -> KernelArgs:
    """The arrays of a shard as the kernel gets them; described again only when one of them is another."""
    people, world, tally = shard.people, shard.world, shard.tally
    known = None if shard.data is None else shard.data.fields[2:]
    if known is None or known[0] is not people or known[1] is not world or known[2] is not tally:
        shard.data = KernelArgs(KernelData(as_int32(people.one), as_int32(people.bonds), people, world, tally))
    assert shard.data is not None
    return shard.data


def _take_buffers(shard: Shard) -> KernelArgs:
    """Buffers for one thread with an empty outbox: idle ones if there are any."""
    try:
        buffers = shard.idle.pop()
    except IndexError:
        scenario, scandals = shard.scenario, len(shard.world.scandals)
        buffers = KernelArgs(make_buffers(len(scenario.firms), scandals, len(scenario.cells), len(shard.people.one)))
    buffers.work.used[:] = 0
    return buffers


def _give_back(shard: Shard, buffers: KernelArgs) -> Outbox:
    """Set buffers idle; returns a copy of their outbox."""
    work = buffers.work
    outbox = Outbox(work.message[: work.used[0]].copy(), work.just_heard[: work.used[1]].copy())
    shard.idle.append(buffers)
    return outbox


@contextmanager
def one_by_one(shard: Shard) -> Iterator[Callable[[int], None]]:
    """Gives a function that simulates the week of the person in one row; at the end their messages are the outbox."""
    buffers, edges, people = _take_buffers(shard), np.zeros_like(shard.edges), shard.scenario.people
    front = (kernel_data(shard), buffers, shard.key, np.uint32(shard.first), edges)
    entry = direct_call(step_each, (*front, 0, 1, shard.week, 1))

    def step_one(row: int) -> None:
        g = ((shard.first + row + 1) * FOLDS - 1) // people
        edges[g], edges[g + 1] = row, row + 1
        entry(*front, g, g + 1, shard.week, 1)

    yield step_one
    shard.outbox = _give_back(shard, buffers)
