"""Everybody, week after week: the kernel over all people, and between weeks what the crowd hears.

A group of people is the unit of work: one thread at a time lives it and alone writes its slice of the tally, so the
result is the same whatever the threads or shards.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import config

from sim.compute.html import html_table, with_error
from sim.compute.jit import CHECKED
from sim.compute.kernel_args import KernelArgs
from sim.compute.simd import WIDTH
from sim.engine.checks import check_week
from sim.engine.kernel import (
    BLOCK,
    KernelData,
    ThreadBuffers,
    WorkList,
    carry_groups,
    close_window_groups,
    deliver_outbox,
    initialize_each,
    initialize_groups,
    step_each,
    step_groups,
)
from sim.engine.workspace import make_workspace
from sim.measure import estimates, metrics
from sim.measure.groups import groups
from sim.measure.shares import Share
from sim.measure.tally import FOLDS, Tally, counted, empty_tally
from sim.model.declare import ScenarioError
from sim.model.fields import Scenario
from sim.model.network import checked_links
from sim.model.state import CARRY_WEEKS, USED, USES_A_WEEK, People, as_int32, make_people
from sim.model.timeline import World, make_world
from sim.model.word_of_mouth import Outbox

if TYPE_CHECKING:
    import pandas as pd

THREADED, MANY = 100_000, 10_000_000  # people from which threads are worth it, and up to which one each has room
CORES = os.cpu_count() or 1
PIECES = 8  # of each of several threads, so that one that is held up leaves some of its work to the others


@dataclass
class Run:
    """A scenario and what was counted when it was lived; groups of all replications along the first axis."""

    scenario: Scenario
    tally: Tally
    shares: dict[str, Share] = field(default_factory=dict)  # by firm, where presence was solved for stated shares
    people: list[People] = field(default_factory=list)  # as they stand at the end, one a replication

    def __repr__(self) -> str:
        """One line: of which scenario, in how many replications."""
        return f"<Run of {self.scenario!r}, {self.scenario.replications} replications>"

    def _repr_html_(self) -> str:
        """Share and stickiness of each firm, as a notebook shows them."""
        provider = self.scenario.market.regime == "provider"
        counts, firms = estimates.pooled(self.tally), list(self.scenario.firms)
        share = metrics.with_presence(estimates.estimate(metrics.share, counts), firms, self.shares)
        sticky = estimates.estimate(metrics.firm_metrics(provider)["stickiness"], counts)
        cells = ([with_error(*pair) for pair in zip(*found, strict=True)] for found in (share, sticky))
        return html_table(repr(self), ["firm", "share", "stickiness"], zip(firms, *cells, strict=True))

    def table(self) -> "pd.DataFrame":
        """Every metric with its standard error: group, firm ("" = the market), metric, value, error; a row each."""
        s = self.scenario
        return metrics.table(self.tally, list(s.firms), groups(s), s.market.regime == "provider", self.shares)


@dataclass
class Shard:
    """A shard of one replication in the middle of its story."""

    scenario: Scenario
    world: World
    people: People
    tally: Tally
    key: tuple[int, int]
    groups: range
    edges: np.ndarray  # row at which each group begins, [GROUPS + 1]
    week: int
    first: int = 0  # the number of the person in row 0
    outbox: Outbox = field(default_factory=lambda: Outbox(*np.zeros((2, 0, 3), np.int32)))  # in the week lived last
    data: KernelArgs | None = None  # people, world and tally, to the kernel
    idle: deque[KernelArgs] = field(default_factory=deque)  # rooms in which nobody is working

    def __repr__(self) -> str:
        """One line: who, in which week, of which scenario."""
        last = self.first + len(self.people.one) - 1
        return f"<Life of persons {self.first} to {last} before week {self.week} of {self.scenario!r}>"

    def __getstate__(self) -> dict[str, Any]:
        """All but what says where it lies in memory: no copy would lie there."""
        return {**self.__dict__, "data": None, "idle": deque()}


ONE_BY_ONE = CHECKED or bool(config.DISABLE_JIT)  # plain Python has no sixteen at once
STEP_GROUPS, INITIALIZE = (step_each, initialize_each) if ONE_BY_ONE else (step_groups, initialize_groups)


def initialize(
    scenario: Scenario,
    replication: int = 0,
    shards: int = 1,
    network: Any = None,
    start: People | None = None,
    pool: ThreadPoolExecutor | None = None,
    only: int | None = None,
) -> list[Shard]:
    """The people of a replication, ready for their first week of burn-in, in shards of whole groups (or one `only`).

    They are born, or those of `start` (an earlier run's people), who keep what they like, know and do, not the news.
    """
    if start is not None and start.bonds.shape != (scenario.people, len(scenario.firms)):
        raise ScenarioError(
            [f"start: {start.bonds.shape} people x firms for {scenario.people} x {len(scenario.firms)}"]
        )
    world = make_world(scenario, None if network is None else checked_links(network, scenario.people))
    size = (scenario.weeks, scenario.weeks // scenario.window, len(scenario.cells), len(scenario.firms))
    firsts = np.arange(FOLDS + 1) * scenario.people // FOLDS
    parts = []
    for number in range(shards) if only is None else (only,):
        groups = range(number * FOLDS // shards, (number + 1) * FOLDS // shards)
        first = int(firsts[groups.start])
        many, carried = int(firsts[groups.stop]) - first, np.uint8 if _fills(scenario) else None
        try:
            people = make_people(many, len(scenario.firms), len(world.scandals), carried)
            tally = empty_tally(*size, scandals=len(world.scandals))
        except MemoryError as error:
            what, why = "people, weeks, segments x cohorts, firms", str(error).partition(" for an array")[0]
            raise ScenarioError([f"{what}: too many for this machine ({why})"]) from None
        key, week = (scenario.seed, replication), -scenario.burn_in
        shard = Shard(scenario, world, people, tally, key, groups, firsts - first, week, first)
        if start is None:
            _by_group(shard, INITIALIZE, pool)
        else:
            _adopt(shard, start)
        parts.append(shard)
    return parts


def _fills(scenario: Scenario) -> bool:
    """Can anybody's uses in one window fill a counter?"""
    return scenario.window * (1 if scenario.market.regime == "provider" else USES_A_WEEK) > USED


def _adopt(shard: Shard, start: People) -> None:
    """Put the people of an earlier run into the rows of a shard; what the last story left behind is forgotten."""
    here, theirs = shard.people, slice(shard.first, shard.first + len(shard.people.one))
    for mine, old in (
        (here.rate, start.rate),
        (here.cell, start.cell),
        (here.one, start.one),
        (here.bonds, start.bonds),
    ):
        mine[:] = old[theirs]
    here.one["seen"] = shard.week
    here.one["uses"], here.one["message"], here.bonds["count"], here.one["home"] = 0, 0, 0, here.one["last"]
    for g in shard.groups:
        cells = here.cell[shard.edges[g] : shard.edges[g + 1]]
        shard.tally.people[g] = np.bincount(cells, minlength=shard.tally.people.shape[1])


def _by_group(shard: Shard, work: Callable[..., None], pool: ThreadPoolExecutor | None) -> Outbox:
    """Every group lives the week, or is born."""
    data = _kernel_data(shard)

    def worker(pieces: Iterator[tuple[int, int]]) -> Outbox:
        buffers = _buffers(shard)
        for groups in pieces:
            work(data, buffers, shard.key, np.uint32(shard.first), shard.edges, *groups, shard.week)
        return _outbox(shard, buffers)

    return Outbox(*(np.concatenate(outbox) for outbox in zip(*_shared(shard, worker, pool), strict=True)))


def _shared(
    shard: Shard, worker: Callable[[Iterator[tuple[int, int]]], Any], pool: ThreadPoolExecutor | None
) -> list[Any]:
    """What comes of each worker; whoever comes free takes the next piece, some groups from one to before another."""
    many = len(shard.groups)
    step = max(1, many // (PIECES * CORES)) if pool else max(1, many)
    pieces = iter([(g, min(g + step, shard.groups.stop)) for g in range(shard.groups.start, shard.groups.stop, step)])
    return list(pool.map(worker, [pieces] * CORES)) if pool else [worker(pieces)]


def _kernel_data(shard: Shard) -> KernelArgs:
    """What the kernel always wants of a life; described anew only when it is no longer the same."""
    now = shard.people, shard.world, shard.tally
    if shard.data is None or any(a is not b for a, b in zip(shard.data.things[2:], now, strict=True)):
        shard.data = KernelArgs(KernelData(as_int32(shard.people.one), as_int32(shard.people.bonds), *now))
    return shard.data


def _buffers(shard: Shard) -> KernelArgs:
    """A desk, and a board with room to note what everybody may tell; used ones if there are any."""
    try:
        buffers = shard.idle.pop()
    except IndexError:
        firms, cells, people = len(shard.scenario.firms), len(shard.scenario.cells), len(shard.people.one)
        lists = np.zeros(BLOCK + WIDTH, np.int32), np.zeros((cells, BLOCK + WIDTH), np.int32), np.zeros(cells, np.int64)
        rank = np.arange(WIDTH, dtype=np.uint32)
        outbox = Outbox(*np.zeros((2, people, 3), np.int32))  # memory that is never touched is never had
        work = WorkList(*lists, np.zeros(BLOCK + WIDTH, np.int32), rank, *outbox, np.zeros(2, np.int64))
        buffers = KernelArgs(ThreadBuffers(make_workspace(firms, len(shard.world.scandals)), work))
    buffers.work.used[:] = 0
    return buffers


def _outbox(shard: Shard, buffers: KernelArgs) -> Outbox:
    """What is noted on a board, which is idle from now on."""
    work = buffers.work
    outbox = Outbox(work.message[: work.used[0]].copy(), work.just_heard[: work.used[1]].copy())
    shard.idle.append(buffers)
    return outbox


@contextmanager
def one_by_one(shard: Shard) -> Iterator[Callable[[int], None]]:
    """Gives the function that lets the person in a row live the week; whoever does not live it tells nothing."""
    buffers, edges, people = _buffers(shard), np.zeros_like(shard.edges), shard.scenario.people
    front = (_kernel_data(shard), buffers, shard.key, np.uint32(shard.first), edges)
    entry = _entry((*front, 0, 1, shard.week))

    def step_one(row: int) -> None:
        g = ((shard.first + row + 1) * FOLDS - 1) // people
        edges[g], edges[g + 1] = row, row + 1
        entry(*front, g, g + 1, shard.week)

    yield step_one
    shard.outbox = _outbox(shard, buffers)


def _entry(arguments: tuple[Any, ...]) -> Callable[..., None]:
    """`step_each` compiled for these arguments, without numba's look-up of types at each call."""
    if ONE_BY_ONE:
        return step_each
    types = tuple(step_each.typeof_pyval(a) for a in arguments)
    if types not in step_each.overloads:
        step_each.compile(types)
    found: Callable[..., None] = step_each.overloads[types].entry_point
    return found


def step_week(shard: Shard, pool: ThreadPoolExecutor | None = None) -> None:
    """Everybody of a shard lives the week; RuntimeError past the last, for which the tally has no room."""
    if shard.week >= shard.scenario.weeks:
        raise RuntimeError(f"week {shard.week} is beyond the last of the scenario ({shard.scenario.weeks - 1})")
    shard.outbox = _by_group(shard, STEP_GROUPS, pool)


def close_window(shard: Shard, window: int, opening: bool = False, pool: ThreadPoolExecutor | None = None) -> None:
    """Count a window that ends (below 0: forget it); `opening` starts the story's own counts."""
    data = _kernel_data(shard)

    def worker(pieces: Iterator[tuple[int, int]]) -> None:
        for groups in pieces:
            close_window_groups(data, shard.edges, *groups, window, opening)

    _shared(shard, worker, pool)


def advance(parts: Sequence[Shard], pool: ThreadPoolExecutor | None = None) -> None:
    """One week for every shard: live, then hear one another, then close the window if it ends here."""
    for shard in parts:
        step_week(shard, pool)
    end_week(parts, pool)


def end_week(parts: Sequence[Shard], pool: ThreadPoolExecutor | None = None) -> None:
    """Between weeks, once everybody has lived: hear one another, then close the window if it ends here."""
    if parts[0].world.market["talk"][0]:
        exchange(parts)
    for shard in parts:
        ends = ending(shard)
        if ends:
            close_window(shard, *ends, pool)
        elif carries(shard):
            carry_groups(_kernel_data(shard), shard.edges, shard.groups.start, shard.groups.stop)
        if CHECKED:
            check_week(shard.people, shard.world, shard.tally, shard.first, shard.week)
        shard.week += 1


def ending(shard: Shard) -> tuple[int, bool] | None:
    """The window that ends with the week under way and whether the story opens then, as `close_window` wants it."""
    week, window = shard.week, shard.scenario.window
    if week == -1:
        return -1, True
    return (max(-1, week // window), False) if week % window == window - 1 else None


def carries(shard: Shard) -> bool:
    """Is it time to take uses out of counters that might fill before the window ends?"""
    return len(shard.people.carried) > 0 and shard.week % shard.scenario.window % CARRY_WEEKS == CARRY_WEEKS - 1


def exchange(parts: Sequence[Shard]) -> None:
    """What was told this week reaches the neighbors, in every shard, in the order of the senders' numbers."""
    message, just_heard = (np.concatenate(outbox) for outbox in zip(*(shard.outbox for shard in parts), strict=True))
    message = message[np.argsort(message[:, 0])]
    for shard in parts:
        if len(message) + len(just_heard) and len(shard.people.one):
            deliver_outbox(_kernel_data(shard), shard.key, shard.first, shard.week, message, just_heard)


def simulate(
    scenario: Scenario,
    threads: int | None = None,
    shards: int = 1,
    network: Any = None,
    progress: Callable[[int, int], None] | None = None,
    keep_people: bool = False,
    first: int = 0,
    start: Sequence[People] | None = None,
) -> Run:
    """Live the scenario, all its replications, and return what was counted.

    Shares that firms state are reproduced first (`calibrate_shares`). `threads` defaults to the processors at hand
    for large populations; `network` is (starts, listeners), see `world.links`; `progress(done, of)` hears of every
    week; `first` is the number of the first replication; `start` gives the people of an earlier
    run (`keep_people`), one a replication, to begin with.
    """
    scenario, shares = _calibrated(scenario)
    runs, weeks, done = scenario.replications, scenario.burn_in + scenario.weeks, count(1)
    threads = threads or (CORES if scenario.people * runs >= THREADED else 1)
    apart = 1 < threads <= runs and scenario.people * threads <= MANY  # a thread a replication, or several in one

    def replication(r: int) -> tuple[Tally, People | None]:
        parts = initialize(scenario, first + r, shards, network, start[r] if start else None, None if apart else pool)
        if scenario.burn_in == 0:
            for shard in parts:
                close_window(shard, -1, True)
        for _ in range(weeks):
            advance(parts, None if apart else pool)
            if progress:
                progress(next(done), runs * weeks)
        tally = parts[0].tally
        for shard in parts[1:]:
            tally = tally + shard.tally
        return counted(tally), _all(parts) if keep_people else None

    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        tallies, people = zip(*(pool.map if pool and apart else map)(replication, range(runs)), strict=True)
    kept = [p for p in people if p is not None]
    return Run(scenario, Tally(*(np.concatenate(a) for a in zip(*tallies, strict=True))), shares, kept)


def _calibrated(scenario: Scenario) -> tuple[Scenario, dict[str, Share]]:
    """Presence for stated shares; one that is composed states none any more."""
    if all(firm.share is None for firm in scenario.firms.values()):
        return scenario, {}
    from sim.study.calibrate_shares import calibrate_shares  # which simulates

    return calibrate_shares(scenario)


def _all(parts: Sequence[Shard]) -> People:
    """The people of all shards."""
    return People(*(np.concatenate(rows) for rows in zip(*(shard.people for shard in parts), strict=True)))
