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
from typing import Any

import numpy as np
from numba import config

from sim.checked import check_week
from sim.crowd import Told
from sim.draws import CHECKED
from sim.kernel import (
    BLOCK,
    Board,
    Lent,
    Room,
    bear_each,
    bear_groups,
    carry_groups,
    close_groups,
    hear_crowd,
    live_each,
    live_groups,
)
from sim.lanes import WIDTH
from sim.loan import Loan
from sim.person import CARRY_WEEKS, USED, USES_A_WEEK, People, make_desk, make_people, words
from sim.presence import Share
from sim.scenario import Scenario, ScenarioError
from sim.tally import GROUPS, Tally, counted, empty_tally
from sim.world import World, checked_links, make_world

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


@dataclass
class Life:
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
    told: Told = field(default_factory=lambda: Told(*np.zeros((2, 0, 3), np.int32)))  # in the week lived last
    lent: Loan | None = None  # people, world and tally, to the kernel
    idle: deque[Loan] = field(default_factory=deque)  # rooms in which nobody is working

    def __repr__(self) -> str:
        """One line: who, in which week, of which scenario."""
        last = self.first + len(self.people.one) - 1
        return f"<Life of persons {self.first} to {last} before week {self.week} of {self.scenario!r}>"

    def __getstate__(self) -> dict[str, Any]:
        """All but what says where it lies in memory: no copy would lie there."""
        return {**self.__dict__, "lent": None, "idle": deque()}


ONE_BY_ONE = CHECKED or bool(config.DISABLE_JIT)  # plain Python has no sixteen at once
LIVE, BEAR = (live_each, bear_each) if ONE_BY_ONE else (live_groups, bear_groups)


def begin(
    scenario: Scenario,
    replication: int = 0,
    shards: int = 1,
    network: Any = None,
    start: People | None = None,
    pool: ThreadPoolExecutor | None = None,
    only: int | None = None,
) -> list[Life]:
    """The people of a replication, ready for their first week of burn-in, in shards of whole groups (or one `only`).

    They are born, or those of `start` (an earlier run's people), who keep what they like, know and do, not the news.
    """
    if start is not None and start.bonds.shape != (scenario.people, len(scenario.firms)):
        raise ScenarioError(
            [f"start: {start.bonds.shape} people x firms for {scenario.people} x {len(scenario.firms)}"]
        )
    world = make_world(scenario, None if network is None else checked_links(network, scenario.people))
    size = (scenario.weeks, scenario.weeks // scenario.window, len(scenario.cells), len(scenario.firms))
    firsts = np.arange(GROUPS + 1) * scenario.people // GROUPS
    lives = []
    for shard in range(shards) if only is None else (only,):
        groups = range(shard * GROUPS // shards, (shard + 1) * GROUPS // shards)
        first = int(firsts[groups.start])
        many, carried = int(firsts[groups.stop]) - first, np.uint8 if _fills(scenario) else None
        try:
            people = make_people(many, len(scenario.firms), len(world.scandals), carried)
            tally = empty_tally(*size, scandals=len(world.scandals))
        except MemoryError as error:
            what, why = "people, weeks, segments x cohorts, firms", str(error).partition(" for an array")[0]
            raise ScenarioError([f"{what}: too many for this machine ({why})"]) from None
        key, week = (scenario.seed, replication), -scenario.burn_in
        life = Life(scenario, world, people, tally, key, groups, firsts - first, week, first)
        if start is None:
            _by_group(life, BEAR, pool)
        else:
            _adopt(life, start)
        lives.append(life)
    return lives


def _fills(scenario: Scenario) -> bool:
    """Can anybody's uses in one window fill a counter?"""
    return scenario.window * (1 if scenario.market.regime == "provider" else USES_A_WEEK) > USED


def _adopt(life: Life, start: People) -> None:
    """Put the people of an earlier run into the rows of a shard; what the last story left behind is forgotten."""
    here, theirs = life.people, slice(life.first, life.first + len(life.people.one))
    for mine, old in (
        (here.rate, start.rate),
        (here.cell, start.cell),
        (here.one, start.one),
        (here.bonds, start.bonds),
    ):
        mine[:] = old[theirs]
    here.one["seen"] = life.week
    here.one["uses"], here.one["message"], here.bonds["count"], here.one["home"] = 0, 0, 0, here.one["last"]
    for g in life.groups:
        cells = here.cell[life.edges[g] : life.edges[g + 1]]
        life.tally.people[g] = np.bincount(cells, minlength=life.tally.people.shape[1])


def _by_group(life: Life, work: Callable[..., None], pool: ThreadPoolExecutor | None) -> Told:
    """Every group lives the week, or is born."""
    lent = _lent(life)

    def worker(pieces: Iterator[tuple[int, int]]) -> Told:
        room = _furniture(life)
        for groups in pieces:
            work(lent, room, life.key, np.uint32(life.first), life.edges, *groups, life.week)
        return _noted(life, room)

    return Told(*(np.concatenate(told) for told in zip(*_shared(life, worker, pool), strict=True)))


def _shared(
    life: Life, worker: Callable[[Iterator[tuple[int, int]]], Any], pool: ThreadPoolExecutor | None
) -> list[Any]:
    """What comes of each worker; whoever comes free takes the next piece, some groups from one to before another."""
    many = len(life.groups)
    step = max(1, many // (PIECES * CORES)) if pool else max(1, many)
    pieces = iter([(g, min(g + step, life.groups.stop)) for g in range(life.groups.start, life.groups.stop, step)])
    return list(pool.map(worker, [pieces] * CORES)) if pool else [worker(pieces)]


def _lent(life: Life) -> Loan:
    """What the kernel always wants of a life; described anew only when it is no longer the same."""
    now = life.people, life.world, life.tally
    if life.lent is None or any(a is not b for a, b in zip(life.lent.things[2:], now, strict=True)):
        life.lent = Loan(Lent(words(life.people.one), words(life.people.bonds), *now))
    return life.lent


def _furniture(life: Life) -> Loan:
    """A desk, and a board with room to note what everybody may tell; used ones if there are any."""
    try:
        room = life.idle.pop()
    except IndexError:
        firms, cells, people = len(life.scenario.firms), len(life.scenario.cells), len(life.people.one)
        lists = np.zeros(BLOCK + WIDTH, np.int32), np.zeros((cells, BLOCK + WIDTH), np.int32), np.zeros(cells, np.int64)
        rank = np.arange(WIDTH, dtype=np.uint32)
        told = Told(*np.zeros((2, people, 3), np.int32))  # memory that is never touched is never had
        board = Board(*lists, np.zeros(BLOCK + WIDTH, np.int32), rank, *told, np.zeros(2, np.int64))
        room = Loan(Room(make_desk(firms, len(life.world.scandals)), board))
    room.board.noted[:] = 0
    return room


def _noted(life: Life, room: Loan) -> Told:
    """What is noted on a board, which is idle from now on."""
    board = room.board
    told = Told(board.message[: board.noted[0]].copy(), board.fresh[: board.noted[1]].copy())
    life.idle.append(room)
    return told


@contextmanager
def one_by_one(life: Life) -> Iterator[Callable[[int], None]]:
    """Gives the function that lets the person in a row live the week; whoever does not live it tells nothing."""
    room, edges, people = _furniture(life), np.zeros_like(life.edges), life.scenario.people
    front = (_lent(life), room, life.key, np.uint32(life.first), edges)
    entry = _entry((*front, 0, 1, life.week))

    def live_one(row: int) -> None:
        g = ((life.first + row + 1) * GROUPS - 1) // people
        edges[g], edges[g + 1] = row, row + 1
        entry(*front, g, g + 1, life.week)

    yield live_one
    life.told = _noted(life, room)


def _entry(arguments: tuple[Any, ...]) -> Callable[..., None]:
    """`live_each` compiled for these arguments, without numba's look-up of types at each call."""
    if ONE_BY_ONE:
        return live_each
    types = tuple(live_each.typeof_pyval(a) for a in arguments)
    if types not in live_each.overloads:
        live_each.compile(types)
    found: Callable[..., None] = live_each.overloads[types].entry_point
    return found


def live_week(life: Life, pool: ThreadPoolExecutor | None = None) -> None:
    """Everybody of a shard lives the week; RuntimeError past the last, for which the tally has no room."""
    if life.week >= life.scenario.weeks:
        raise RuntimeError(f"week {life.week} is beyond the last of the scenario ({life.scenario.weeks - 1})")
    life.told = _by_group(life, LIVE, pool)


def close(life: Life, window: int, opening: bool = False, pool: ThreadPoolExecutor | None = None) -> None:
    """Count a window that ends (below 0: forget it); `opening` starts the story's own counts."""
    lent = _lent(life)

    def worker(pieces: Iterator[tuple[int, int]]) -> None:
        for groups in pieces:
            close_groups(lent, life.edges, *groups, window, opening)

    _shared(life, worker, pool)


def advance(lives: Sequence[Life], pool: ThreadPoolExecutor | None = None) -> None:
    """One week for every shard: live, then hear one another, then close the window if it ends here."""
    for life in lives:
        live_week(life, pool)
    end_week(lives, pool)


def end_week(lives: Sequence[Life], pool: ThreadPoolExecutor | None = None) -> None:
    """Between weeks, once everybody has lived: hear one another, then close the window if it ends here."""
    if lives[0].world.market["talk"][0]:
        exchange(lives)
    for life in lives:
        ends = ending(life)
        if ends:
            close(life, *ends, pool)
        elif carries(life):
            carry_groups(_lent(life), life.edges, life.groups.start, life.groups.stop)
        if CHECKED:
            check_week(life.people, life.world, life.tally, life.first, life.week)
        life.week += 1


def ending(life: Life) -> tuple[int, bool] | None:
    """The window that ends with the week under way and whether the story opens then, as `close` wants it."""
    week, window = life.week, life.scenario.window
    if week == -1:
        return -1, True
    return (max(-1, week // window), False) if week % window == window - 1 else None


def carries(life: Life) -> bool:
    """Is it time to take uses out of counters that might fill before the window ends?"""
    return len(life.people.carried) > 0 and life.week % life.scenario.window % CARRY_WEEKS == CARRY_WEEKS - 1


def exchange(lives: Sequence[Life]) -> None:
    """What was told this week reaches the neighbours, in every shard, in the order of the senders' numbers."""
    message, fresh = (np.concatenate(told) for told in zip(*(life.told for life in lives), strict=True))
    message = message[np.argsort(message[:, 0])]
    for life in lives:
        if len(message) + len(fresh) and len(life.people.one):
            hear_crowd(_lent(life), life.key, life.first, life.week, message, fresh)


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
        lives = begin(scenario, first + r, shards, network, start[r] if start else None, None if apart else pool)
        if scenario.burn_in == 0:
            for life in lives:
                close(life, -1, True)
        for _ in range(weeks):
            advance(lives, None if apart else pool)
            if progress:
                progress(next(done), runs * weeks)
        tally = lives[0].tally
        for life in lives[1:]:
            tally = tally + life.tally
        return counted(tally), _all(lives) if keep_people else None

    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        tallies, people = zip(*(pool.map if pool and apart else map)(replication, range(runs)), strict=True)
    kept = [p for p in people if p is not None]
    return Run(scenario, Tally(*(np.concatenate(a) for a in zip(*tallies, strict=True))), shares, kept)


def _calibrated(scenario: Scenario) -> tuple[Scenario, dict[str, Share]]:
    """Presence for stated shares; one that is composed states none any more."""
    if all(firm.share is None for firm in scenario.firms.values()):
        return scenario, {}
    from sim.calibrate_shares import calibrate_shares  # which simulates

    return calibrate_shares(scenario)


def _all(lives: Sequence[Life]) -> People:
    """The people of all shards."""
    return People(*(np.concatenate(rows) for rows in zip(*(life.people for life in lives), strict=True)))
