"""Lives, many at a time: what is compiled around the rules, for rows of people in a group, a block and a week.

Within a block, first everybody's week is planned, which for most is nothing; then those with something to do are taken
cell by cell and sixteen at a time to a desk (`person`), and live it by the rules. So a use that does not happen costs
no more than its draw. The same, one by one, is for plain Python, the checked mode, the agents of Mesa and the card.
"""

from typing import NamedTuple

import numpy as np

from sim.birth import born, cell_of
from sim.bits import add
from sim.crowd import deliver, pass_on
from sim.draws import ZERO, entry, rule
from sim.lanes import WIDTH, lowest, marks, select, sixteen
from sim.person import Desk, People, carry, close_story, get_up, lay, open_story, sit_down
from sim.rows import expect
from sim.rules import answer, forget, hear, need, visit
from sim.tally import Tally, close_window, count_answer, count_news, count_visit, open_page
from sim.world import World

BLOCK = 32768  # people whose week is planned at a time: enough that every cell fills its sixteens
USES, ASKED, HEARS, PROVOKED = (np.int64(n) for n in (255, 256, 512, 1024))  # bits of a person's plan of the week
AHEAD = 2 * WIDTH  # people whose rows are on their way from memory while others live
GROUP = np.int64(16)  # from which bit on a plan holds the person's group


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


class Lent(NamedTuple):
    """What lives and what is read and counted."""

    ones: np.ndarray  # int32, `people.one` as words
    twos: np.ndarray  # int32, `people.bonds` as words
    people: People
    world: World
    tally: Tally


class Room(NamedTuple):
    """Where one thread works."""

    desk: Desk
    board: Board


@rule
def row_of(week):
    """The row of a week in the world's tables and the tally: all of the burn-in is row 0."""
    return week + 1 if week >= 0 else 0


# ---------------------------------------------------------------- one by one


@rule
def live(lent, room, key, first, g, row, week):
    """One week of the person in a row of group g: what sixteen at once do, in the order in which one does it."""
    people, world, tally, desk = lent.people, lent.world, lent.tally, room.desk
    me, bonds, i, t = desk.me, desk.bonds, 0, row_of(week)
    s = np.int64(people.cell[row])
    m, c, firms, echo = world.market[0], world.traits[s], world.firms[t], world.echo[t]
    lay(desk, i, row)
    me.number[i] = first + row
    sit_down(desk, lent.ones, lent.twos, i)
    open_story(desk, people.story, 1)
    uses, asked = need(m, people.rate[row], key, me.number[i], week)
    me.provoked[i] = 0
    if people.news[row] != 0 or on_air(world, week):
        me.news[i] = people.news[row]
        hear(me, bonds, m, c, world.scandals, world.blame, world.airing[t], key, week, i)
        close_story(desk, people.story, 1)
        note_news(lent, room, g, t, s, first, row, i)
    if asked:
        forget(me, bonds, m, week, i)
        answer(me, bonds, m, c, firms, world.scandals, world.blame, echo, i)
        count_answer(me, tally, g, t, s, i)
    for use in range(uses):
        visit(me, bonds, m, c, firms, world.details[t], world.scandals, world.blame, echo, key, week, use, i)
        count_visit(me, open_page(tally, g, t, s, m.window), i)
    if uses > 0:
        note_message(room, s, i)
    get_up(desk, lent.ones, lent.twos, i)


@rule
def bear(lent, room, key, first, g, row):
    """The person in a row of group g is born."""
    world, desk, me, i = lent.world, room.desk, room.desk.me, 0
    lay(desk, i, row)
    me.number[i] = first + row
    s = np.int64(cell_of(world.cells, key, me.number[i]))
    born(me, desk.bonds, world.market[0], world.traits[s], world.firms[0], world.details[0], world.presence, key, i)
    enrol(lent, me, g, s, row, i)
    get_up(desk, lent.ones, lent.twos, i)


@rule
def enrol(lent, me, g, s, row, place):
    """Enter the newborn at a place of the desk."""
    people, tally = lent.people, lent.tally
    people.cell[row] = s
    people.rate[row] = me.rate[place]
    tally.people[g, s] += 1


@rule
def on_air(world, week):
    """Can anybody hear of a scandal this week but from a neighbour?"""
    t = row_of(week)
    for k in range(world.scandals.shape[0]):
        if world.airing[t, k] > ZERO or (week == world.scandals[k].week and world.scandals[k].hit > ZERO):
            return True
    return False


@rule
def note_news(lent, room, g, t, s, first, row, place):
    """Count and note the scandals that the person at a place of the desk has just heard of."""
    people, me, board = lent.people, room.desk.me, room.board
    people.news[row] = 0
    if me.fresh[place] != 0:
        count_news(me, lent.tally, g, t, s, place)
        n = board.noted[1]
        board.fresh[n, 0], board.fresh[n, 1], board.fresh[n, 2] = first + row, s, me.fresh[place]
        board.noted[1] = n + 1


@rule
def note_message(room, s, place):
    """Note the message that the person at a place of the desk leaves this week."""
    me, board = room.desk.me, room.board
    if me.message[place] != 0:
        n = board.noted[0]
        board.message[n, 0], board.message[n, 1], board.message[n, 2] = me.number[place], s, me.message[place]
        board.noted[0] = n + 1


# ---------------------------------------------------------------- sixteen at once


@rule
def seat(lent, room, at, listed, first):
    """Lay sixteen of the list out on the desk, the last few repeating the first; returns their index."""
    desk, board = room.desk, room.board
    many = min(WIDTH, listed - at)
    for place in range(WIDTH):
        lay(desk, place, board.list[at + (place if place < many else 0)])
    i = sixteen(many)
    desk.me.number[i] = add(desk.rows[i], first)
    sit_down(desk, lent.ones, lent.twos, i)
    open_story(desk, lent.people.story, WIDTH)
    return i


@rule
def foresee(lent, room, n, listed):
    """Have the row of person n of the list brought near, if there is one; best asked while those before are counted."""
    if n < listed:
        row = room.board.list[n]
        expect(lent.people.one, row)
        expect(lent.people.bonds, row)


@rule
def make_plans(lent, room, key, first, edges, g, start, stop, week, air):
    """What the week holds for the rows from start to stop: how many uses, a survey, news; and whose group it is."""
    people, me, board, m = lent.people, room.desk.me, room.board, lent.world.market[0]
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
    for row in range(start, stop, WIDTH):
        i = sixteen(WIDTH)
        busy = marks(board.plan[row - start : row - start + WIDTH][i] != 0) & ((1 << min(WIDTH, stop - row)) - 1)
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
def live_block(lent, room, key, first, edges, g, start, stop, week, air):
    """One week of the people in the rows from start to stop; g is the group of the first."""
    make_plans(lent, room, key, first, edges, g, start, stop, week, air)
    for s in range(room.board.many.shape[0]):
        if lent.world.scandals.shape[0] > 0:
            hear_all(lent, room, key, first, start, week, s)
        answer_all(lent, room, first, start, week, s)
        visit_all(lent, room, key, first, start, week, s)


@rule
def hear_all(lent, room, key, first, start, week, s):
    """Those of cell s for whom there may be news hear it."""
    people, world, desk, board, me = lent.people, lent.world, room.desk, room.board, room.desk.me
    hearers, t = in_hand(board, s, start, HEARS), row_of(week)
    for at in range(0, hearers, WIDTH):
        i = seat(lent, room, at, hearers, first)
        for place in range(WIDTH):
            me.news[place] = people.news[desk.rows[place]]
        m, c, airing = world.market[0], world.traits[s], world.airing[t]
        hear(me, desk.bonds, m, c, world.scandals, world.blame, airing, key, week, i)
        get_up(desk, lent.ones, lent.twos, i)
        close_story(desk, people.story, min(WIDTH, hearers - at))
        for place in range(min(WIDTH, hearers - at)):
            foresee(lent, room, at + AHEAD + place, hearers)
            row = desk.rows[place]
            note_news(lent, room, board.plan[row - start] >> GROUP, t, s, first, row, place)
            board.plan[row - start] |= PROVOKED * me.provoked[place]


@rule
def answer_all(lent, room, first, start, week, s):
    """Those of cell s whom the survey asks answer."""
    world, desk, board, me, bonds = lent.world, room.desk, room.board, room.desk.me, room.desk.bonds
    asked, t = in_hand(board, s, start, ASKED), row_of(week)
    m, c, firms, echo = world.market[0], world.traits[s], world.firms[t], world.echo[t]
    for at in range(0, asked, WIDTH):
        i = seat(lent, room, at, asked, first)
        forget(me, bonds, m, week, i)
        answer(me, bonds, m, c, firms, world.scandals, world.blame, echo, i)
        get_up(desk, lent.ones, lent.twos, i)
        for place in range(min(WIDTH, asked - at)):
            foresee(lent, room, at + AHEAD + place, asked)
            count_answer(me, lent.tally, board.plan[desk.rows[place] - start] >> GROUP, t, s, place)


@rule
def visit_all(lent, room, key, first, start, week, s):
    """Those of cell s who use the category do: everybody's first use, then the second of those who have one, and on.

    Lists that are made anew for each use won over sixteen who go on together until the last has done: nearly always
    one of them has a second use, and fifteen would wait.
    """
    world, tally, desk, board, me, bonds = lent.world, lent.tally, room.desk, room.board, room.desk.me, room.desk.bonds
    t = row_of(week)
    m, c, firms, details, echo = world.market[0], world.traits[s], world.firms[t], world.details[t], world.echo[t]
    users, use, g = in_hand(board, s, start, USES), np.int64(0), np.int64(-1)
    page = open_page(tally, 0, t, s, m.window)
    while users > 0:
        for n in range(AHEAD):
            foresee(lent, room, n, users)
        for at in range(0, users, WIDTH):
            i = seat(lent, room, at, users, first)
            for place in range(WIDTH):
                me.provoked[place] = board.plan[desk.rows[place] - start] & PROVOKED
            visit(me, bonds, m, c, firms, details, world.scandals, world.blame, echo, key, week, use, i)
            get_up(desk, lent.ones, lent.twos, i)
            for place in range(min(WIDTH, users - at)):
                foresee(lent, room, at + AHEAD + place, users)
                plan = board.plan[desk.rows[place] - start]
                if plan >> GROUP != g:
                    g = plan >> GROUP
                    page = open_page(tally, g, t, s, m.window)
                count_visit(me, page, place)
                if plan & USES == use + 1:
                    note_message(room, s, place)
        use, still = use + 1, 0
        for n in range(users):
            row = board.list[n]
            board.list[still] = row
            still += (board.plan[row - start] & USES) > use
        users = still


@rule
def bear_block(lent, room, key, first, edges, g, start, stop):
    """The people in the rows from start to stop are born; g is the group of the first."""
    world, desk, board, me, cells = lent.world, room.desk, room.board, room.desk.me, room.board.many.shape[0]
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
            i = seat(lent, room, at, newborn, first)
            c, firms, details = world.traits[s], world.firms[0], world.details[0]
            born(me, desk.bonds, world.market[0], c, firms, details, world.presence, key, i)
            get_up(desk, lent.ones, lent.twos, i)
            for place in range(min(WIDTH, newborn - at)):
                row = desk.rows[place]
                enrol(lent, me, board.plan[row - start] >> GROUP, s, row, place)


# ---------------------------------------------------------------- groups


@entry
def live_groups(lent, room, key, first, edges, begin, end, week):
    g, air = begin, on_air(lent.world, week)
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        live_block(lent, room, key, first, edges, g, start, min(start + BLOCK, edges[end]), week, air)


@entry
def bear_groups(lent, room, key, first, edges, begin, end, week):
    g = begin
    for start in range(edges[begin], edges[end], BLOCK):
        while start >= edges[g + 1]:
            g += 1
        bear_block(lent, room, key, first, edges, g, start, min(start + BLOCK, edges[end]))


@entry
def live_each(lent, room, key, first, edges, begin, end, week):
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            live(lent, room, key, first, g, row, week)


@entry
def bear_each(lent, room, key, first, edges, begin, end, week):
    for g in range(begin, end):
        for row in range(edges[g], edges[g + 1]):
            bear(lent, room, key, first, g, row)


@entry
def hear_crowd(lent, key, first, week, message, fresh):
    deliver(lent.people, lent.world, key, first, message)
    pass_on(lent.people, lent.world, key, first, week, fresh)


@entry
def close_groups(lent, edges, begin, end, window, opening):
    people = lent.people
    for g in range(begin, end):
        for i in range(edges[g], edges[g + 1]):
            expect(people.bonds, min(i + WIDTH, edges[end] - 1))
            close_window(people, i, lent.tally, g, np.int64(people.cell[i]), window, opening)


@entry
def carry_groups(lent, edges, begin, end):
    for i in range(edges[begin], edges[end]):
        carry(lent.people, i)
