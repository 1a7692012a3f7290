"""Everybody, fast: the rules over all people, week after week, and between weeks what the crowd hears.

A group of people is the unit of work: one thread at a time lives it and alone writes its slice of the tally, so the
result is the same whatever the threads or shards. Within a group, block by block: first everybody's week is planned,
which for most is nothing; then those with something to do are taken cell by cell and sixteen at a time to a desk
(`person`), and live it by the rules. So a use that does not happen costs no more than its draw.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numba import config

from sim.birth import born, cell_of
from sim.bits import add
from sim.checked import check_week
from sim.crowd import Told, deliver, pass_on
from sim.draws import CHECKED, ZERO, entry, rule
from sim.lanes import WIDTH, expect, lowest, marks, select, sixteen
from sim.person import Desk, People, close_story, get_up, lay, make_desk, make_people, open_story, sit_down, words
from sim.rules import answer, forget, hear, need, visit
from sim.scenario import Scenario, ScenarioError, change
from sim.tally import (
    GROUPS,
    Tally,
    close_window,
    count_answer,
    count_news,
    count_visit,
    counted,
    empty_tally,
    open_page,
)
from sim.world import World, make_world

THREADED, MANY = 100_000, 10_000_000  # people from which threads are worth it, and up to which one each has room
BLOCK = 32768  # people whose week is planned at a time: enough that every cell fills its sixteens
PIECE, SHARE = 1 << 20, 1 << 14  # people whose week is one call: of a single thread, of one of several
USES, ASKED, HEARS, PROVOKED = (np.int64(n) for n in (255, 256, 512, 1024))  # bits of a person's plan of the week
GROUP = np.int64(16)  # from which bit on a plan holds the person's group


@dataclass
class Run:
    """A scenario and what was counted when it was lived; groups of all replications along the first axis."""

    scenario: Scenario
    tally: Tally
    shares: dict[str, tuple[float, float]] = field(default_factory=dict)  # firm: (share asked for, share reached)
    people: list[People] = field(default_factory=list)  # as they stand at the end, one a replication


class Board(NamedTuple):
    """What is planned for a block of people in a week, and where what they have to tell is noted."""

    plan: np.ndarray  # [BLOCK + WIDTH] int32
    busy: np.ndarray  # [s, BLOCK + WIDTH] int32 rows of a cell with anything planned
    many: np.ndarray  # [s] int64 how many
    list: np.ndarray  # [BLOCK + WIDTH] int32 those of them who are in hand
    rank: np.ndarray  # [WIDTH] uint32 0, 1, 2, ...
    message: np.ndarray  # [n, 3] as in Told
    fresh: np.ndarray  # [n, 3]
    noted: np.ndarray  # [2] int64 how many of each


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
    idle: deque[tuple[Desk, Board]] = field(default_factory=deque)  # desks and boards that nobody is using

    def __getstate__(self) -> dict[str, Any]:
        """All but the desks, whose lines share memory, as no copy of them would."""
        return {**self.__dict__, "idle": deque()}


# ---------------------------------------------------------------- one by one


@rule
def live(people, ones, twos, world, tally, key, first, g, row, week, desk, board):
    """One week of the person in a row of group g: what sixteen at once do, in the order in which one does it."""
    me, bonds, i, t = desk.me, desk.bonds, 0, week + 1 if week >= 0 else 0
    s = np.int64(people.cell[row])
    m, c, firms, echo = world.market[0], world.traits[s], world.firms[t], world.echo[t]
    lay(desk, i, row)
    me.number[i] = first + row
    sit_down(desk, ones, twos, i)
    open_story(desk, people.story, 1)
    uses, asked = need(m, people.rate[row], key, me.number[i], week)
    me.provoked[i] = 0
    if people.news[row] != 0 or on_air(world, t, week):
        me.news[i] = people.news[row]
        hear(me, bonds, m, c, world.scandals, world.blame, world.airing[t], key, week, i)
        close_story(desk, people.story, 1)
        note_news(people, tally, g, t, s, me, first, row, i, board)
    if asked:
        forget(me, bonds, m, week, i)
        answer(me, bonds, m, c, firms, world.scandals, world.blame, echo, i)
        count_answer(me, tally, g, t, s, i)
    for use in range(uses):
        visit(me, bonds, m, c, firms, world.details[t], world.scandals, world.blame, echo, key, week, use, i)
        count_visit(me, open_page(tally, g, t, s, m.window), i)
    if uses > 0:
        note_message(me, s, i, board)
    get_up(desk, ones, twos, i)


@rule
def bear(people, ones, twos, world, tally, key, first, g, row, desk):
    """The person in a row of group g is born."""
    me, i = desk.me, 0
    lay(desk, i, row)
    me.number[i] = first + row
    s = np.int64(cell_of(world.cells, key, me.number[i]))
    born(me, desk.bonds, world.market[0], world.traits[s], world.firms[0], world.details[0], world.presence, key, i)
    enrol(people, tally, g, s, me, row, i)
    get_up(desk, ones, twos, i)


@rule
def enrol(people, tally, g, s, me, row, place):
    """Enter the newborn at a place of the desk."""
    people.cell[row] = s
    people.rate[row] = me.rate[place]
    tally.people[g, s] += 1


@rule
def on_air(world, t, week):
    """Can anybody hear of a scandal this week but from a neighbour?"""
    for k in range(world.scandals.shape[0]):
        if world.airing[t, k] > ZERO or (week == world.scandals[k].week and world.scandals[k].hit > ZERO):
            return True
    return False


@rule
def note_news(people, tally, g, t, s, me, first, row, place, board):
    """Count and note the scandals that the person at a place of the desk has just heard of."""
    people.news[row] = 0
    if me.fresh[place] != 0:
        count_news(me, tally, g, t, s, place)
        n = board.noted[1]
        board.fresh[n, 0], board.fresh[n, 1], board.fresh[n, 2] = first + row, s, me.fresh[place]
        board.noted[1] = n + 1


@rule
def note_message(me, s, place, board):
    """Note the message that the person at a place of the desk leaves this week."""
    if me.message[place] != 0:
        n = board.noted[0]
        board.message[n, 0], board.message[n, 1], board.message[n, 2] = me.number[place], s, me.message[place]
        board.noted[0] = n + 1


# ---------------------------------------------------------------- sixteen at once


@rule
def seat(desk, board, at, listed, first, people, ones, twos):
    """Lay sixteen of the list out on the desk, the last few repeating the first; returns their index."""
    many = min(WIDTH, listed - at)
    for place in range(WIDTH):
        lay(desk, place, board.list[at + (place if place < many else 0)])
    for n in range(at + WIDTH, min(at + 2 * WIDTH, listed)):
        row, one, two = np.int64(board.list[n]), desk.one.shape[0], desk.two.shape[0]
        expect(ones, row * one, one)
        expect(twos, row * two, two)
    i = sixteen(many)
    desk.me.number[i] = add(desk.rows[i], first)
    sit_down(desk, ones, twos, i)
    open_story(desk, people.story, WIDTH)
    return i


@rule
def make_plans(people, world, key, first, edges, g, start, stop, week, air, me, board):
    """What the week holds for the rows from start to stop: how many uses, a survey, news; and whose group it is."""
    m = world.market[0]
    for s in range(board.many.shape[0]):
        board.many[s] = 0
    for row in range(start, stop, WIDTH):
        many = min(WIDTH, stop - row)
        i = sixteen(many)
        if many == WIDTH:
            rate, news = people.rate[row : row + WIDTH][i], people.news[row : row + WIDTH][i]
        else:
            for place in range(many):
                me.rate[place], me.news[place] = people.rate[row + place], people.news[row + place]
            rate, news = me.rate[i], me.news[i]
        uses, asked = need(m, rate, key, add(board.rank[i], first + row), week)
        plan = uses + select(asked, ASKED, 0) + select((news != 0) | air, HEARS, 0)
        board.plan[row - start : row - start + WIDTH][i] = plan
        busy = marks(plan != 0) & ((1 << many) - 1)
        while busy != 0:
            somebody = row + lowest(busy)
            busy &= busy - 1
            while somebody >= edges[g + 1]:
                g += 1
            board.plan[somebody - start] |= g << GROUP
            s = people.cell[somebody]
            board.busy[s, board.many[s]] = somebody
            board.many[s] += 1


@rule
def in_hand(board, s, start, plan):
    """Put those of cell s for whom something of `plan` is planned into the list; how many."""
    many = 0
    for n in range(board.many[s]):
        row = board.busy[s, n]
        board.list[many] = row
        many += (board.plan[row - start] & plan) != 0
    return many


@rule
def live_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, week, air, desk, board):
    """One week of the people in the rows from start to stop; g is the group of the first."""
    t = week + 1 if week >= 0 else 0
    make_plans(people, world, key, first, edges, g, start, stop, week, air, desk.me, board)
    for s in range(board.many.shape[0]):
        if world.scandals.shape[0] > 0:
            hear_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board)
        answer_all(people, ones, twos, world, tally, first, start, week, t, s, desk, board)
        visit_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board)


@rule
def hear_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board):
    """Those of cell s for whom there may be news hear it."""
    me, hearers = desk.me, in_hand(board, s, start, HEARS)
    for at in range(0, hearers, WIDTH):
        i = seat(desk, board, at, hearers, first, people, ones, twos)
        for place in range(WIDTH):
            me.news[place] = people.news[desk.rows[place]]
        m, c, airing = world.market[0], world.traits[s], world.airing[t]
        hear(me, desk.bonds, m, c, world.scandals, world.blame, airing, key, week, i)
        get_up(desk, ones, twos, i)
        close_story(desk, people.story, min(WIDTH, hearers - at))
        for place in range(min(WIDTH, hearers - at)):
            row = desk.rows[place]
            note_news(people, tally, board.plan[row - start] >> GROUP, t, s, me, first, row, place, board)
            board.plan[row - start] |= PROVOKED * me.provoked[place]


@rule
def answer_all(people, ones, twos, world, tally, first, start, week, t, s, desk, board):
    """Those of cell s whom the survey asks answer."""
    me, bonds, asked = desk.me, desk.bonds, in_hand(board, s, start, ASKED)
    m, c, firms, echo = world.market[0], world.traits[s], world.firms[t], world.echo[t]
    for at in range(0, asked, WIDTH):
        i = seat(desk, board, at, asked, first, people, ones, twos)
        forget(me, bonds, m, week, i)
        answer(me, bonds, m, c, firms, world.scandals, world.blame, echo, i)
        get_up(desk, ones, twos, i)
        for place in range(min(WIDTH, asked - at)):
            count_answer(me, tally, board.plan[desk.rows[place] - start] >> GROUP, t, s, place)


@rule
def visit_all(people, ones, twos, world, tally, key, first, start, week, t, s, desk, board):
    """Those of cell s who use the category do: everybody's first use, then the second of those who have one, and on.

    Lists that are made anew for each use won over sixteen who go on together until the last has done: nearly always
    one of them has a second use, and fifteen would wait.
    """
    me, bonds = desk.me, desk.bonds
    m, c, firms, details, echo = world.market[0], world.traits[s], world.firms[t], world.details[t], world.echo[t]
    users, use, g = in_hand(board, s, start, USES), np.int64(0), np.int64(-1)
    page = open_page(tally, 0, t, s, m.window)
    while users > 0:
        for at in range(0, users, WIDTH):
            i = seat(desk, board, at, users, first, people, ones, twos)
            for place in range(WIDTH):
                me.provoked[place] = board.plan[desk.rows[place] - start] & PROVOKED
            visit(me, bonds, m, c, firms, details, world.scandals, world.blame, echo, key, week, use, i)
            get_up(desk, ones, twos, i)
            for place in range(min(WIDTH, users - at)):
                plan = board.plan[desk.rows[place] - start]
                if plan >> GROUP != g:
                    g = plan >> GROUP
                    page = open_page(tally, g, t, s, m.window)
                count_visit(me, page, place)
                if plan & USES == use + 1:
                    note_message(me, s, place, board)
        use, still = use + 1, 0
        for n in range(users):
            row = board.list[n]
            board.list[still] = row
            still += (board.plan[row - start] & USES) > use
        users = still


@rule
def bear_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, desk, board):
    """The people in the rows from start to stop are born; g is the group of the first."""
    me, cells = desk.me, board.many.shape[0]
    for s in range(cells):
        board.many[s] = 0
    for row in range(start, stop, WIDTH):
        i = sixteen(min(WIDTH, stop - row))
        me.home[i] = cell_of(world.cells, key, add(board.rank[i], first + row))
        for place in range(min(WIDTH, stop - row)):
            while row + place >= edges[g + 1]:
                g += 1
            s = me.home[place]
            board.plan[row + place - start] = 1 | g << GROUP
            board.busy[s, board.many[s]] = row + place
            board.many[s] += 1
    for s in range(cells):
        newborn = in_hand(board, s, start, USES)
        for at in range(0, newborn, WIDTH):
            i = seat(desk, board, at, newborn, first, people, ones, twos)
            c, firms, details = world.traits[s], world.firms[0], world.details[0]
            born(me, desk.bonds, world.market[0], c, firms, details, world.presence, key, i)
            get_up(desk, ones, twos, i)
            for place in range(min(WIDTH, newborn - at)):
                row = desk.rows[place]
                enrol(people, tally, board.plan[row - start] >> GROUP, s, me, row, place)


# ---------------------------------------------------------------- groups


@entry
def _live_groups(people, ones, twos, world, tally, key, first, edges, begin, end, week, desk, board):
    g, air = begin, on_air(world, week + 1 if week >= 0 else 0, week)
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        stop = min(start + BLOCK, edges[end])
        live_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, week, air, desk, board)


@entry
def _bear_groups(people, ones, twos, world, tally, key, first, edges, begin, end, week, desk, board):
    g = begin
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        stop = min(start + BLOCK, edges[end])
        bear_block(people, ones, twos, world, tally, key, first, edges, g, start, stop, desk, board)


@entry
def _live_each(people, ones, twos, world, tally, key, first, edges, begin, end, week, desk, board):
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            live(people, ones, twos, world, tally, key, first, g, row, week, desk, board)


@entry
def _bear_each(people, ones, twos, world, tally, key, first, edges, begin, end, week, desk, board):
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            bear(people, ones, twos, world, tally, key, first, g, row, desk)


@entry
def _close_groups(people, tally, edges, begin, end, window, opening):
    for g in range(begin, end):
        for i in range(edges[g], edges[g + 1]):
            close_window(people.one[i], people.bonds[i], tally, g, np.int64(people.cell[i]), window, opening)


ONE_BY_ONE = CHECKED or bool(config.DISABLE_JIT)  # plain Python has no sixteen at once
LIVE, BEAR = (_live_each, _bear_each) if ONE_BY_ONE else (_live_groups, _bear_groups)


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
    world = make_world(scenario, network)
    size = (scenario.weeks, scenario.weeks // scenario.window, len(scenario.cells), len(scenario.firms))
    firsts = np.arange(GROUPS + 1) * scenario.people // GROUPS
    lives = []
    for shard in range(shards) if only is None else (only,):
        groups = range(shard * GROUPS // shards, (shard + 1) * GROUPS // shards)
        first = int(firsts[groups.start])
        people = make_people(int(firsts[groups.stop]) - first, len(scenario.firms), len(world.scandals))
        tally = empty_tally(*size, scandals=len(world.scandals))
        key, week = (scenario.seed, replication), -scenario.burn_in
        life = Life(scenario, world, people, tally, key, groups, firsts - first, week, first)
        if start is None:
            _by_group(life, BEAR, pool)
        else:
            _adopt(life, start)
        lives.append(life)
    return lives


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
    """As many groups at a time as are worth a call; a thread of the pool that comes free takes the next."""
    rows = words(life.people.one), words(life.people.bonds)

    def piece(groups: tuple[int, int]) -> Told:
        desk, board = _furniture(life, int(life.edges[groups[1]] - life.edges[groups[0]]))
        front = (life.people, *rows, life.world, life.tally, life.key, np.uint32(life.first), life.edges)
        work(*front, *groups, life.week, desk, board)
        return _noted(life, desk, board)

    heard = list((pool.map if pool else map)(piece, _pieces(life, pool)))
    return Told(*(np.concatenate(told) for told in zip(*heard, strict=True)))


def _pieces(life: Life, pool: ThreadPoolExecutor | None) -> list[tuple[int, int]]:
    """The groups of a life in pieces, from one to before another."""
    size, most = max(1, len(life.people.one) // max(1, len(life.groups))), life.groups.stop
    step = max(1, (SHARE if pool else PIECE) // size)
    return [(g, min(g + step, most)) for g in range(life.groups.start, most, step)]


def _furniture(life: Life, people: int) -> tuple[Desk, Board]:
    """A desk, and a board with room to note what so many people tell; used ones if there are any."""
    try:
        desk, board = life.idle.pop()
    except IndexError:
        firms, cells = len(life.scenario.firms), len(life.scenario.cells)
        lists = np.zeros(BLOCK + WIDTH, np.int32), np.zeros((cells, BLOCK + WIDTH), np.int32), np.zeros(cells, np.int64)
        rank, nothing = np.arange(WIDTH, dtype=np.uint32), np.zeros((0, 3), np.int32)
        board = Board(*lists, np.zeros(BLOCK + WIDTH, np.int32), rank, nothing, nothing, np.zeros(2, np.int64))
        desk = make_desk(firms, len(life.world.scandals))
    if len(board.message) < people:
        board = board._replace(message=np.zeros((people, 3), np.int32))
    if len(board.fresh) < people and len(life.world.scandals):
        board = board._replace(fresh=np.zeros((people, 3), np.int32))
    board.noted[:] = 0
    return desk, board


def _noted(life: Life, desk: Desk, board: Board) -> Told:
    """What is noted on a board, which is idle from now on."""
    told = Told(board.message[: board.noted[0]].copy(), board.fresh[: board.noted[1]].copy())
    life.idle.append((desk, board))
    return told


@contextmanager
def one_by_one(life: Life) -> Iterator[Callable[[int], None]]:
    """Gives the function that lets the person in a row live the week; whoever does not live it tells nothing."""
    desk, board = _furniture(life, len(life.people.one))
    edges, people = np.zeros_like(life.edges), life.scenario.people
    rows = words(life.people.one), words(life.people.bonds)
    front = (life.people, *rows, life.world, life.tally, life.key, np.uint32(life.first), edges)
    entry = _entry((*front, 0, 1, life.week, desk, board))

    def live_one(row: int) -> None:
        g = ((life.first + row + 1) * GROUPS - 1) // people
        edges[g], edges[g + 1] = row, row + 1
        entry(*front, g, g + 1, life.week, desk, board)

    yield live_one
    life.told = _noted(life, desk, board)


def _entry(arguments: tuple[Any, ...]) -> Callable[..., None]:
    """`_live_each` compiled for these arguments, without numba's look-up of types at each call."""
    if ONE_BY_ONE:
        return _live_each
    types = tuple(_live_each.typeof_pyval(a) for a in arguments)
    if types not in _live_each.overloads:
        _live_each.compile(types)
    found: Callable[..., None] = _live_each.overloads[types].entry_point
    return found


def live_week(life: Life, pool: ThreadPoolExecutor | None = None) -> None:
    """Everybody of a shard lives the week; RuntimeError past the last, for which the tally has no room."""
    if life.week >= life.scenario.weeks:
        raise RuntimeError(f"week {life.week} is beyond the last of the scenario ({life.scenario.weeks - 1})")
    life.told = _by_group(life, LIVE, pool)


def close(life: Life, window: int, opening: bool = False, pool: ThreadPoolExecutor | None = None) -> None:
    """Count a window that ends (below 0: forget it); `opening` starts the story's own counts."""

    def piece(groups: tuple[int, int]) -> None:
        _close_groups(life.people, life.tally, life.edges, *groups, window, opening)

    for _ in (pool.map if pool else map)(piece, _pieces(life, pool)):
        pass


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
        if CHECKED:
            check_week(life.people, life.world, life.tally, life.first, life.week)
        life.week += 1


def ending(life: Life) -> tuple[int, bool] | None:
    """The window that ends with the week under way and whether the story opens then, as `close` wants it."""
    week, window = life.week, life.scenario.window
    if week == -1:
        return -1, True
    return (max(-1, week // window), False) if week % window == window - 1 else None


def exchange(lives: Sequence[Life]) -> None:
    """What was told this week reaches the neighbours, in every shard, in the order of the senders' numbers."""
    message, fresh = (np.concatenate(told) for told in zip(*(life.told for life in lives), strict=True))
    message = message[np.argsort(message[:, 0])]
    for life in lives:
        hear_crowd(life, message, fresh)


def hear_crowd(life: Life, message: np.ndarray, fresh: np.ndarray) -> None:
    """The people of a shard hear what was told anywhere this week."""
    if len(message) and len(life.people.one):
        deliver(life.people, life.world, life.key, life.first, message)
    if len(fresh) and len(life.people.one):
        pass_on(life.people, life.world, life.key, life.first, life.week, fresh)


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

    Shares that firms state are reproduced first (`settle`). `threads` defaults to the processors at hand for large
    populations; `network` is (starts, listeners), see `world.links`; `progress(done, of)` hears of every
    week; `first` is the number of the first replication; `start` gives the people of an earlier
    run (`keep_people`), one a replication, to begin with.
    """
    scenario, shares = settle(scenario)
    runs, weeks, done = scenario.replications, scenario.burn_in + scenario.weeks, count(1)
    threads = threads or (os.cpu_count() or 1 if scenario.people * runs >= THREADED else 1)
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


def _all(lives: Sequence[Life]) -> People:
    """The people of all shards."""
    return People(*(np.concatenate(rows) for rows in zip(*(life.people for life in lives), strict=True)))


def settle(
    scenario: Scenario, people: int = 20_000, tolerance: float = 0.0015, most: int = 12
) -> tuple[Scenario, dict[str, tuple[float, float]]]:
    """Presence such that the simulated shares are those the firms state, and (asked, reached) for each firm.

    Share inversion as in Berry (1994): ln presence moves by ln asked - ln reached, a tenth less because habit makes
    shares respond more than in proportion, until every share is within `tolerance`; on a story without scandals and
    moves, with the draws of the scenario's own seed.
    """
    asked = {name: f.share for name, f in scenario.firms.items() if f.share is not None}
    if not asked:
        return scenario, {}
    rest = [name for name in scenario.firms if name not in asked]
    presence = sum(scenario.firms[name].presence for name in rest)
    left = max(0.0, 1 - sum(asked.values()))
    target = {**asked, **{name: left * scenario.firms[name].presence / presence for name in rest}}
    want = np.array([target[name] for name in scenario.firms])
    want /= want.sum()
    log_presence, best = np.log(want), (np.inf, np.log(want), want)
    for _ in range(most):
        trial = _with_presence(scenario, log_presence)
        reached = _quiet_shares(trial, people)
        worst = float(np.abs(reached - want).max())
        if worst < best[0]:
            best = (worst, log_presence.copy(), reached)
        if worst < tolerance:
            break
        log_presence = log_presence + 0.9 * np.log(want / np.maximum(reached, 1e-6))
    shares = {name: (float(want[j]), float(best[2][j])) for j, name in enumerate(scenario.firms) if name in asked}
    return _with_presence(scenario, best[1]), shares


def _with_presence(scenario: Scenario, log_presence: np.ndarray) -> Scenario:
    presence = np.exp(log_presence - log_presence.max())
    presence /= presence.sum()
    values = {f"firms.{name}.presence": float(presence[j]) for j, name in enumerate(scenario.firms)}
    return change(scenario, {**values, **{f"firms.{name}.share": None for name in scenario.firms}})


def _quiet_shares(scenario: Scenario, people: int) -> np.ndarray:
    """Shares of uses over a year without events; for providers shares of people."""
    weeks = min(scenario.weeks, 52)
    quiet = change(
        scenario,
        {"people": min(people, scenario.people), "replications": 1, "weeks": weeks, "window": weeks}
        | {"scandals": {}, "moves": {}},
    )
    uses = simulate(quiet).tally.flow.sum(axis=(0, 1, 2, 3))[1:]
    return uses / max(1, uses.sum())
